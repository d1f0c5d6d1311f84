//! The state of a stream: where the next run goes on. Documented in `docs/state.md`; what is written here is read by every later version.

mod begin;
mod entry;
mod fields;
mod given;
mod invalid;
mod links;
mod partitions;
mod position;
mod stream;
mod texts;
mod time;
mod version;
mod version_1;
mod version_2;

use std::collections::BTreeMap;

use serde_json::value::RawValue;

pub use invalid::Invalid;
pub use links::{is_delta, is_page};
pub use position::{DeltaState, MOST_DAMAGE_OF_PARTITION, Position, RoundState, WalkState};
pub use stream::{MOST_DAMAGE, StreamState};
pub use time::BEGINNING;

/// What earlier runs wrote, by stream.
pub type Written<'t> = BTreeMap<String, &'t RawValue>;

#[cfg(test)]
mod tests;
