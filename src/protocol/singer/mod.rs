//! The Singer protocol: <https://github.com/singer-io/getting-started/blob/master/docs/SPEC.md>, with the conventions of Meltano and its targets.

mod about;
mod bookmarks;
mod catalog;
mod emitter;
mod state;

pub use about::{About, about};
pub use bookmarks::Bookmarks;
pub use catalog::{catalog, default_streams, read_catalog};
pub use emitter::SingerEmitter;
pub use state::{has_bookmarks, read_state};
