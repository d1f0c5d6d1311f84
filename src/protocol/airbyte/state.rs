//! Parses the state passed to `read`, as platforms and PyAirbyte store it.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::{error::Error, state::StoredStates, streams::Stream};

type Members<'t> = BTreeMap<String, &'t RawValue>;

/// Returns the state of each stream, and warnings.
///
/// Accepts all forms in use: a list of states of type STREAM or GLOBAL, with any additional properties; a single state; a whole STATE
/// message; and the various forms of an empty state. LEGACY states are ignored with a warning, since this source never wrote any.
///
/// # Errors
/// If it is not a state.
pub fn read_state(state: &RawValue) -> Result<(StoredStates<'_>, Vec<String>), Error> {
    let (mut states, mut warnings, mut unknown) = (StoredStates::new(), Vec::new(), 0);
    for (at, entry) in entries(state)?.into_iter().enumerate() {
        let invalid = |reason: &str| Error::State(format!("entry {}: {reason}", at + 1));
        let mut entry = members(entry).ok_or_else(|| invalid("it is not an object"))?;
        if let Some(state) = entry.get("state").copied().and_then(members) {
            entry = state;
        }
        let stream_states = match stream_states(&entry) {
            Some(stream_states) => stream_states.map_err(invalid)?,
            None if is_legacy(&entry) => {
                let legacy = "the state has Airbyte's legacy format, which is not supported; all streams are read from the beginning";
                warnings.push(legacy.to_owned());
                continue;
            }
            None => return Err(invalid("it is not the state of a stream: its `type` is neither STREAM nor GLOBAL")),
        };
        for state in stream_states {
            let state = members(state).unwrap_or_default();
            let name = state.get("stream_descriptor").copied().and_then(members).and_then(|descriptor| text(descriptor.get("name")?));
            let name = name.ok_or_else(|| invalid("it has no stream name"))?;
            if Stream::by_name(&name).is_none() {
                unknown += 1;
                continue;
            }
            let Some(state) = state.get("stream_state").filter(|state| state.get() != "null") else { continue };
            let keys = members(state).ok_or_else(|| invalid(&format!("the state of {name} is not an object")))?;
            if !keys.is_empty() && !keys.keys().any(|key| is_marker(key)) {
                states.insert(name, state);
            }
        }
    }
    if states.is_empty() && unknown > 0 {
        warnings.push("the state contains only unknown streams; all streams are read from the beginning".to_owned());
    }
    warnings.dedup();
    Ok((states, warnings))
}

/// The entries of a list, or a single entry.
fn entries(state: &RawValue) -> Result<Vec<&RawValue>, Error> {
    let is_zero = || state.get().parse::<f64>().is_ok_and(|number| number == 0.0);
    match state.get() {
        "null" | "false" | "\"\"" => Ok(Vec::new()),
        text if text.starts_with('{') => {
            Ok(if members(state).is_some_and(|members| members.is_empty()) { Vec::new() } else { vec![state] })
        }
        _ if is_zero() => Ok(Vec::new()),
        text => serde_json::from_str(text).map_err(|_| Error::State("it is not a list of states".to_owned())),
    }
}

/// The stream states in an entry; [`None`] if its type is neither STREAM nor GLOBAL.
fn stream_states<'t>(entry: &Members<'t>) -> Option<Result<Vec<&'t RawValue>, &'static str>> {
    let stream = entry.get("stream").copied();
    match entry.get("type").filter(|kind| kind.get() != "null").map(|kind| text(kind)) {
        Some(Some(kind)) if kind == "STREAM" => Some(stream.map(|stream| vec![stream]).ok_or("it has no stream name")),
        Some(Some(kind)) if kind == "GLOBAL" => {
            let states = entry.get("global").copied().and_then(members).and_then(|global| global.get("stream_states").copied());
            let states = states.and_then(|states| serde_json::from_str(states.get()).ok());
            Some(states.ok_or("its type is GLOBAL, but it has no `stream_states`"))
        }
        None if stream.is_some_and(|stream| members(stream).is_some()) => Some(Ok(stream.into_iter().collect())),
        _ => None,
    }
}

/// Whether it is a LEGACY state: an object for each stream, by itself or as `data`.
fn is_legacy(entry: &Members<'_>) -> bool {
    let is_object = |value: &&RawValue| value.get() == "null" || members(value).is_some();
    let is_wrapped = entry.get("data").is_some_and(is_object);
    is_wrapped || !entry.contains_key("bookmarks") && entry.values().all(is_object)
}

/// Airbyte's own connectors write these keys for a stream without a state.
fn is_marker(key: &str) -> bool {
    matches!(key, "__ab_no_cursor_state_message" | "__ab_full_refresh_sync_complete")
}

fn members(written: &RawValue) -> Option<Members<'_>> {
    serde_json::from_str(written.get()).ok()
}

fn text(written: &RawValue) -> Option<String> {
    serde_json::from_str(written.get()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json, value::to_raw_value};

    use super::*;

    fn names(written: Value) -> (Vec<String>, usize) {
        let raw = to_raw_value(&written).unwrap();
        let (states, warnings) = read_state(&raw).unwrap();
        (states.keys().cloned().collect(), warnings.len())
    }

    #[test]
    fn an_empty_state_has_many_forms() {
        for empty in [json!(null), json!({}), json!([]), json!(false), json!(0), json!("")] {
            assert_eq!(names(empty.clone()), (vec![], 0), "{empty}");
        }
        for empty in
            [json!(null), json!({}), json!({"__ab_no_cursor_state_message": true}), json!({"__ab_full_refresh_sync_complete": true})]
        {
            let state = json!([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "messages"}, "stream_state": empty}}]);
            assert_eq!(names(state), (vec![], 0), "{empty}");
        }
    }

    #[test]
    fn every_form_of_state_is_accepted() {
        let stream = |name: &str| json!({"stream_descriptor": {"name": name, "namespace": null}, "stream_state": {"version": 1}});
        let both = vec!["message_replies".to_owned(), "messages".to_owned()];
        let forms = [
            json!([{"type": "STREAM", "stream": stream("messages"), "data": null}, {"type": "STREAM", "stream": stream("message_replies")}]),
            json!([{"type": "GLOBAL", "global": {"shared_state": {"a": 1}, "stream_states": [stream("messages"), stream("message_replies")]}}]),
            json!({"type": "GLOBAL", "global": {"shared_state": null, "stream_states": [stream("messages"), stream("message_replies")]}}),
            json!([{"type": "STATE", "state": {"type": "STREAM", "stream": stream("messages")}}, {"stream": stream("message_replies")}]),
        ];
        for form in forms {
            assert_eq!(names(form.clone()), (both.clone(), 0), "{form}");
        }
    }

    #[test]
    fn a_legacy_state_causes_one_warning() {
        let legacy = json!([{"type": "LEGACY", "data": {"messages": {}}}, {"data": {"messages": {}}}]);
        assert_eq!(names(legacy), (vec![], 1));
        assert_eq!(names(json!({"messages": {"cursor": 1}})), (vec![], 1));
    }

    #[test]
    fn a_state_with_only_unknown_streams_causes_a_warning() {
        let stream =
            |name: &str| json!({"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": {"version": 2}}});
        assert_eq!(names(json!([stream("chats"), stream("users")])), (vec![], 1));
        assert_eq!(names(json!([stream("chats"), stream("messages")])), (vec!["messages".to_owned()], 0));
    }

    #[test]
    fn an_invalid_state_is_reported() {
        let stream = |stream: Value| json!([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "teams"}, "stream_state": {"a": 1}}}, {"type": "STREAM", "stream": stream}]);
        let invalid = [
            json!("text"),
            json!([1]),
            json!([{"type": "GLOBAL", "global": null}]),
            json!({"type": "STATE", "value": {"bookmarks": {}}}),
            json!({"bookmarks": {"messages": {}}}),
            json!({"tenant_id": "hidden", "client_secret": "hidden"}),
            json!([{"type": "STREAM"}]),
            stream(json!(null)),
            stream(json!({"stream_state": {}})),
            stream(json!({"stream_descriptor": {"name": "messages"}, "stream_state": "2026-01-01"})),
        ];
        let errors: Vec<_> = invalid.iter().map(|state| read_state(&to_raw_value(state).unwrap()).unwrap_err().to_string()).collect();
        insta::assert_snapshot!(errors.join("\n"));
    }
}
