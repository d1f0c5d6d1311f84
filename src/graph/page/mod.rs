//! Parses a body into a page of items, or into a CSV report.

pub(super) mod bodies;
mod csv_report;
pub(super) mod index;
pub(super) mod text;

pub use bodies::BufferPermit;
pub use csv_report::{CsvReport, Row};
pub use index::{Item, Page, Removal};
pub use text::Replacements;
