//! The Airbyte protocol, version 0.2: <https://docs.airbyte.com/platform/understanding-airbyte/airbyte-protocol>.

mod catalog;
mod emitter;
mod message;
mod spec;
mod state;

pub use catalog::{NOTHING_SELECTED, catalog, read_catalog};
pub use emitter::AirbyteEmitter;
pub use message::{FailureType, Message, write, write_error};
pub use spec::spec;
pub use state::read_state;
