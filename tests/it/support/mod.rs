//! What the tests share.

mod tap;
mod validate;

use std::path::PathBuf;

pub use tap::Tap;

/// The folder of the package.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
