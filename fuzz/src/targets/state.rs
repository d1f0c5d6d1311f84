//! The state of a run in both protocols and both versions.

use serde_json::value::{RawValue, to_raw_value};
use tap_microsoft_teams::{
    level::MESSAGE,
    protocol::{airbyte, singer},
    state::{StoredStates, StreamState},
};

use crate::place::{assert_links_stay_below, now};

const TENANT: &str = "contoso.com";

pub(crate) fn state(file: &[u8]) {
    let Ok(written) = serde_json::from_slice::<&RawValue>(file) else { return };
    assert_begins(written);
    if let Ok((states, _)) = airbyte::read_state(written) {
        states.values().for_each(|written| assert_begins(written));
    }
    if let Ok((bookmarks, _)) = singer::read_state(written) {
        bookmarks.values().for_each(|written| assert_begins(written));
    }
}

/// Checks that an accepted state is written as it was read, in both protocols, and that its links stay below their partitions.
fn assert_begins(written: &RawValue) {
    if let Ok(state) = StreamState::begin_incremental(Some(written), TENANT, &MESSAGE.trail(), now()) {
        assert_sound(&state);
        let again = raw(&state);
        for given in [again.clone(), through_airbyte(&again), through_singer(&again)] {
            assert_eq!(StreamState::begin_incremental(Some(&given), TENANT, &MESSAGE.trail(), now()).as_ref(), Ok(&state));
        }
        let mut copy = StreamState::new_partitioned(TENANT, &MESSAGE.trail());
        state.keys().for_each(|key| copy.set(&key, state.position(&key)));
        copy.set_skipped(state.skipped().to_vec());
        assert_eq!(copy, state);
    }
    let mut state = StreamState::begin_full_refresh(Some(written), TENANT, &MESSAGE.trail(), now());
    assert!(state.is_full_refresh());
    assert_sound(&state);
    let again = raw(&state);
    assert_eq!(StreamState::begin_full_refresh(Some(&again), TENANT, &MESSAGE.trail(), now()), state);
    // An incremental run does not resume from a full refresh, unless that is complete.
    assert_eq!(
        StreamState::begin_incremental(Some(&again), TENANT, &MESSAGE.trail(), now()),
        Ok(StreamState::new_partitioned(TENANT, &MESSAGE.trail()))
    );
    state.end_full_refresh();
    assert_eq!(StreamState::begin_incremental(Some(&raw(&state)), TENANT, &MESSAGE.trail(), now()), Ok(state));
    if let Ok(state) = StreamState::begin_snapshot(Some(written)) {
        assert_eq!(StreamState::begin_snapshot(Some(&raw(&state))), Ok(state));
    }
}

fn assert_sound(state: &StreamState) {
    for key in state.keys() {
        assert_links_stay_below(&key, &state.position(&key).expect("a key that is known has a position"));
    }
}

fn raw(state: &StreamState) -> Box<RawValue> {
    to_raw_value(state).expect("a state is JSON")
}

fn through_airbyte(state: &RawValue) -> Box<RawValue> {
    let message = format!(r#"[{{"type":"STREAM","stream":{{"stream_descriptor":{{"name":"messages"}},"stream_state":{state}}}}}]"#);
    let message = serde_json::from_str(&message).expect("a state is JSON");
    let (states, remarks) = airbyte::read_state(message).expect("the state that was written is one");
    assert!(remarks.is_empty());
    messages_state(&states)
}

fn through_singer(state: &RawValue) -> Box<RawValue> {
    let message = format!(r#"{{"type":"STATE","value":{{"bookmarks":{{"messages":{state}}}}}}}"#);
    let message = serde_json::from_str(&message).expect("a state is JSON");
    let (bookmarks, remarks) = singer::read_state(message).expect("the state that was written is one");
    assert!(remarks.is_empty());
    messages_state(&bookmarks)
}

fn messages_state(states: &StoredStates<'_>) -> Box<RawValue> {
    (*states.get("messages").expect("the stream has a state")).to_owned()
}
