//! The state of a stream, from which the next run resumes. `docs/state.md` documents the format; later versions must be able to read it.

mod compact;
mod fields;
mod initial;
mod invalid;
mod json;
mod links;
mod partitions;
mod position;
mod stream;
mod strings;
mod time;
mod version;
mod version_1;
mod version_2;

use std::collections::BTreeMap;

use serde_json::value::RawValue;

pub use invalid::InvalidState;
pub use links::{is_delta_link, is_page_link};
pub use position::{DeltaState, MAX_SKIPPED_PER_PARTITION, Position, RoundState, WalkState};
pub use stream::{MAX_SKIPPED_PER_STREAM, StreamState};
pub use time::BEGINNING;

/// The states that earlier runs wrote, by stream name.
pub type StoredStates<'t> = BTreeMap<String, &'t RawValue>;

#[cfg(test)]
mod tests;
