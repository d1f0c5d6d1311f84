//! Lib.
pub mod graph;
pub mod record;
pub mod schema;
