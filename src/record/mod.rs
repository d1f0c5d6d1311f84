//! The records: from an item of Graph to the bytes of a record, by the columns of a type and its schema.

mod columns;
mod parts;
mod plain;
mod schema;
mod value;

pub use columns::{Columns, Derived, Fields};
pub use schema::json_schema;
pub use value::{JsonText, Open, instant};
