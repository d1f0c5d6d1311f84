//! The Singer specification: <https://github.com/singer-io/getting-started/blob/master/docs/SPEC.md>, as Meltano and the targets live it.

mod about;
mod bookmarks;
mod catalog;
mod emitter;
mod state;

pub use about::{About, about};
pub use bookmarks::Bookmarks;
pub use catalog::{catalog, everything, read_catalog};
pub use emitter::SingerEmitter;
pub use state::{has_bookmarks, read_state};
