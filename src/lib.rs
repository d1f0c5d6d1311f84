//! Lib.
pub mod record;
pub mod schema;
