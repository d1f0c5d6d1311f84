//! A state that a run is given, in the forms of both protocols.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tap_microsoft_teams::{
    protocol::{airbyte, singer},
    state::StreamState,
};

use crate::place::{assert_links_lead_below, now};

const TENANT: &str = "contoso.com";

/// The keys of an object, with those below them (`docs/state.md`).
struct Keys(&'static [(&'static str, Self)]);

const NONE: Keys = Keys(&[]);
const ROUND: Keys = Keys(&[("link", NONE), ("at", NONE)]);
const DELTA: Keys = Keys(&[("round", ROUND), ("refusedAt", NONE)]);
const WALK: Keys = Keys(&[("link", NONE), ("head", NONE), ("readAt", NONE), ("until", NONE), ("floor", NONE), ("began", NONE)]);
const CHANNEL: Keys = Keys(&[
    ("lastModifiedDateTime", NONE),
    ("readAt", NONE),
    ("since", NONE),
    ("walk", WALK),
    ("deltaLink", NONE),
    ("deltaAt", NONE),
    ("delta", DELTA),
    ("damage", NONE),
]);

pub(crate) fn state(file: &[u8]) {
    let Ok(written) = serde_json::from_slice::<Value>(file) else { return };
    assert_begins(&written);
    if let Ok((states, _)) = airbyte::read_state(&written) {
        states.values().for_each(assert_begins);
    }
    if let Ok(bookmarks) = singer::read_state(&written) {
        bookmarks.values().for_each(assert_begins);
    }
}

/// What is taken up is written as it is read, in both protocols, and its links lead nowhere else.
fn assert_begins(written: &Value) {
    if let Ok(state) = StreamState::begin_incremental(written, TENANT) {
        assert_is_sound(&state);
        let again = serde_json::to_value(&state).expect("a state is JSON");
        for key in state.keys() {
            assert!(are_alike(&written["channels"][key], &again["channels"][key], &CHANNEL), "{written} is taken as {again}");
        }
        for given in [again.clone(), through_airbyte(&again), through_singer(&again)] {
            assert_eq!(StreamState::begin_incremental(&given, TENANT).as_ref(), Ok(&state));
        }
        let mut copy = StreamState::of_channels(TENANT);
        state.keys().for_each(|key| copy.set(key.to_owned(), state.channel(key).cloned()));
        assert_eq!(copy, state);
    }
    let mut state = StreamState::begin_full_refresh(written, TENANT, now());
    assert!(state.is_full());
    assert_is_sound(&state);
    let again = serde_json::to_value(&state).expect("a state is JSON");
    assert_eq!(StreamState::begin_full_refresh(&again, TENANT, now()), state);
    // What a full refresh has read an incremental run does not take up, unless it came to its end.
    assert_eq!(StreamState::begin_incremental(&again, TENANT), Ok(StreamState::of_channels(TENANT)));
    state.end_full_refresh();
    let ended = serde_json::to_value(&state).expect("a state is JSON");
    assert_eq!(StreamState::begin_incremental(&ended, TENANT), Ok(state));
}

fn assert_is_sound(state: &StreamState) {
    for key in state.keys() {
        assert_links_lead_below(key, state.channel(key).expect("a key that is known has a channel"));
    }
}

/// Whether two values say the same under these keys. What says nothing is null.
fn are_alike(given: &Value, taken: &Value, keys: &Keys) -> bool {
    let time = |value: &Value| value.as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
    match (given, taken) {
        (Value::Object(_), Value::Object(_) | Value::Null) => keys.0.iter().all(|(key, below)| {
            let below_taken = taken.get(key).unwrap_or(&Value::Null);
            given.get(key).is_none_or(|given| are_alike(given, below_taken, below))
        }),
        // A list of values, in their order, is taken as an object too.
        (Value::Array(_), Value::Object(_) | Value::Null) => true,
        _ => given == taken || time(given).is_some_and(|given| Some(given) == time(taken)),
    }
}

fn through_airbyte(state: &Value) -> Value {
    let message = json!([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "messages"}, "stream_state": state}}]);
    let (mut states, remarks) = airbyte::read_state(&message).expect("the state that was written is one");
    assert!(remarks.is_empty());
    states.remove("messages").expect("the stream has a state")
}

fn through_singer(state: &Value) -> Value {
    let message = json!({"type": "STATE", "value": {"bookmarks": {"messages": state}}});
    let mut bookmarks = singer::read_state(&message).expect("the state that was written is one");
    bookmarks.remove("messages").expect("the stream has a bookmark")
}
