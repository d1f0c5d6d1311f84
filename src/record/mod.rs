//! Records: turns an item from Graph into the bytes of a record, with the columns of the stream's schema.

mod columns;
mod parts;
mod portable;
mod schema;
mod value;

pub use columns::{Added, Columns, Fields};
pub use schema::json_schema;
pub use value::{JsonText, OpenObject, instant};
