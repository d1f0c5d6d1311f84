//! A page: from the bytes of a body to items whose values are text.

pub(super) mod bodies;
pub(super) mod index;
mod report;
pub(super) mod text;

pub use bodies::Held;
pub use index::{Item, Page, Removal};
pub use report::{Report, Row};
pub use text::Cleaned;
