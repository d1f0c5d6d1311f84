//! The records: their Rust types, from which the schemas come, and the way from an item of Graph to a record's bytes.

mod channel;
mod columns;
mod member;
mod message;
mod parts;
mod plain;
mod team;
mod value;

pub use channel::Channel;
pub use columns::{Columns, Derived, Fields};
pub use member::Member;
pub use message::{Body, Message, Reply};
pub use team::Team;
pub use value::{JsonText, Open, instant};
