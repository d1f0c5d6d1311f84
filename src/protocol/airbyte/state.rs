//! The state that `read` is given: what a platform, or PyAirbyte, stored of earlier runs.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::{error::Error, state::StoredStates, streams::Stream};

type Members<'t> = BTreeMap<String, &'t RawValue>;

/// The state of each stream that has one, and what people should know about the others.
///
/// Takes every form that is in use: a list of states of type STREAM or GLOBAL, with whatever else their writers add; nothing at all in
/// the many ways of saying so; a single state; a whole STATE message. Old states (LEGACY) hold nothing of ours: they are remarked upon.
///
/// # Errors
/// If it is no state.
pub fn read_state(written: &RawValue) -> Result<(StoredStates<'_>, Vec<String>), Error> {
    let (mut states, mut remarks, mut others) = (StoredStates::new(), Vec::new(), 0);
    for (at, entry) in entries(written)?.into_iter().enumerate() {
        let damaged = |reason: &str| Error::State(format!("entry {}: {reason}", at + 1));
        let mut entry = members(entry).ok_or_else(|| damaged("it is not an object"))?;
        if let Some(state) = entry.get("state").copied().and_then(members) {
            entry = state;
        }
        let of_streams = match of_streams(&entry) {
            Some(of_streams) => of_streams.map_err(damaged)?,
            None if is_old(&entry) => {
                remarks.push("the state is of an old form that tells nothing about single streams: they are read anew".to_owned());
                continue;
            }
            None => return Err(damaged("it is not the state of a stream: its `type` is neither STREAM nor GLOBAL")),
        };
        for state in of_streams {
            let state = members(state).unwrap_or_default();
            let name = state.get("stream_descriptor").copied().and_then(members).and_then(|descriptor| text(descriptor.get("name")?));
            let name = name.ok_or_else(|| damaged("it does not name its stream"))?;
            if Stream::named(&name).is_none() {
                others += 1;
                continue;
            }
            let Some(state) = state.get("stream_state").filter(|state| state.get() != "null") else { continue };
            let keys = members(state).ok_or_else(|| damaged(&format!("the state of {name} is not an object")))?;
            if !keys.is_empty() && !keys.keys().any(|key| is_marker(key)) {
                states.insert(name, state);
            }
        }
    }
    if states.is_empty() && others > 0 {
        remarks.push("the state is of other streams only: everything is read from its beginning".to_owned());
    }
    remarks.dedup();
    Ok((states, remarks))
}

/// The states in a list, or a single one.
fn entries(written: &RawValue) -> Result<Vec<&RawValue>, Error> {
    let is_zero = || written.get().parse::<f64>().is_ok_and(|number| number == 0.0);
    match written.get() {
        "null" | "false" | "\"\"" => Ok(Vec::new()),
        text if text.starts_with('{') => {
            Ok(if members(written).is_some_and(|members| members.is_empty()) { Vec::new() } else { vec![written] })
        }
        _ if is_zero() => Ok(Vec::new()),
        text => serde_json::from_str(text).map_err(|_| Error::State("it is not a list of states".to_owned())),
    }
}

/// The states of streams that an entry holds; [`None`] if it is of neither type.
fn of_streams<'t>(entry: &Members<'t>) -> Option<Result<Vec<&'t RawValue>, &'static str>> {
    let stream = entry.get("stream").copied();
    match entry.get("type").filter(|kind| kind.get() != "null").map(|kind| text(kind)) {
        Some(Some(kind)) if kind == "STREAM" => Some(stream.map(|stream| vec![stream]).ok_or("it does not name its stream")),
        Some(Some(kind)) if kind == "GLOBAL" => {
            let states = entry.get("global").copied().and_then(members).and_then(|global| global.get("stream_states").copied());
            let states = states.and_then(|states| serde_json::from_str(states.get()).ok());
            Some(states.ok_or("it is of type GLOBAL and has no `stream_states`"))
        }
        None if stream.is_some_and(|stream| members(stream).is_some()) => Some(Ok(stream.into_iter().collect())),
        _ => None,
    }
}

/// Whether it is of the old form: an object for each stream, by itself or as `data`.
fn is_old(entry: &Members<'_>) -> bool {
    let is_object = |value: &&RawValue| value.get() == "null" || members(value).is_some();
    let is_wrapped = entry.get("data").is_some_and(is_object);
    is_wrapped || !entry.contains_key("bookmarks") && entry.values().all(is_object)
}

/// What Airbyte's own connectors write where a stream has no state.
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
        let (states, remarks) = read_state(&raw).unwrap();
        (states.keys().cloned().collect(), remarks.len())
    }

    #[test]
    fn nothing_can_be_said_in_many_ways() {
        for nothing in [json!(null), json!({}), json!([]), json!(false), json!(0), json!("")] {
            assert_eq!(names(nothing.clone()), (vec![], 0), "{nothing}");
        }
        for empty in
            [json!(null), json!({}), json!({"__ab_no_cursor_state_message": true}), json!({"__ab_full_refresh_sync_complete": true})]
        {
            let state = json!([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "messages"}, "stream_state": empty}}]);
            assert_eq!(names(state), (vec![], 0), "{empty}");
        }
    }

    #[test]
    fn states_of_streams_are_taken_from_every_form() {
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
    fn old_states_are_remarked_upon_once() {
        let legacy = json!([{"type": "LEGACY", "data": {"messages": {}}}, {"data": {"messages": {}}}]);
        assert_eq!(names(legacy), (vec![], 1));
        assert_eq!(names(json!({"messages": {"cursor": 1}})), (vec![], 1));
    }

    #[test]
    fn states_of_other_streams_are_remarked_upon_unless_some_are_ours() {
        let stream =
            |name: &str| json!({"type": "STREAM", "stream": {"stream_descriptor": {"name": name}, "stream_state": {"version": 2}}});
        assert_eq!(names(json!([stream("chats"), stream("users")])), (vec![], 1));
        assert_eq!(names(json!([stream("chats"), stream("messages")])), (vec!["messages".to_owned()], 0));
    }

    #[test]
    fn what_is_no_state_is_said() {
        let stream = |stream: Value| json!([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "teams"}, "stream_state": {"a": 1}}}, {"type": "STREAM", "stream": stream}]);
        let wrong = [
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
        let said: Vec<_> = wrong.iter().map(|wrong| read_state(&to_raw_value(wrong).unwrap()).unwrap_err().to_string()).collect();
        insta::assert_snapshot!(said.join("\n"));
    }
}
