//! The state that `read` is given: what a platform, or PyAirbyte, stored of earlier runs.

use serde_json::{Map, Value};

use crate::error::Error;

/// The state of each stream that has one, and what people should know about the others.
///
/// Takes every form that is in use: a list of states of type STREAM or GLOBAL, with whatever else their writers add; nothing at all in
/// the many ways of saying so; a single state; a whole STATE message. Old states (LEGACY) hold nothing of ours: they are remarked upon.
///
/// # Errors
/// If it is no state.
pub fn read_state(written: &Value) -> Result<(Map<String, Value>, Vec<String>), Error> {
    let (mut states, mut remarks) = (Map::new(), Vec::new());
    let one = std::slice::from_ref(written);
    let entries = match written {
        Value::Array(entries) => entries.as_slice(),
        Value::Object(object) if object.is_empty() => &[],
        Value::Object(_) => one,
        Value::Null | Value::Bool(false) => &[],
        Value::String(text) if text.is_empty() => &[],
        Value::Number(number) if number.as_f64() == Some(0.0) => &[],
        _ => return Err(Error::State("it is not a list of states".to_owned())),
    };
    for (at, entry) in entries.iter().enumerate() {
        let damaged = |reason: &str| Error::State(format!("entry {}: {reason}", at + 1));
        let entry = entry.get("state").filter(|state| state.is_object()).unwrap_or(entry);
        if !entry.is_object() {
            return Err(damaged("it is not an object"));
        }
        let of_streams = match (&entry["type"], &entry["stream"], &entry["global"]) {
            (Value::String(kind), stream, _) if kind == "STREAM" => std::slice::from_ref(stream),
            (Value::String(kind), _, global) if kind == "GLOBAL" => {
                let states = global["stream_states"].as_array();
                states.ok_or_else(|| damaged("it is of type GLOBAL and has no `stream_states`"))?
            }
            (Value::Null, stream @ Value::Object(_), _) => std::slice::from_ref(stream),
            _ => {
                remarks.push("the state is of an old form that tells nothing about single streams: they are read anew".to_owned());
                continue;
            }
        };
        for state in of_streams {
            let name = state["stream_descriptor"]["name"].as_str().ok_or_else(|| damaged("it does not name its stream"))?;
            match &state["stream_state"] {
                Value::Null => {}
                Value::Object(state) if state.is_empty() || state.keys().any(|key| is_marker(key)) => {}
                state @ Value::Object(_) => _ = states.insert(name.to_owned(), state.clone()),
                _ => return Err(damaged(&format!("the state of {name} is not an object"))),
            }
        }
    }
    remarks.dedup();
    Ok((states, remarks))
}

/// What Airbyte's own connectors write where a stream has no state.
fn is_marker(key: &str) -> bool {
    matches!(key, "__ab_no_cursor_state_message" | "__ab_full_refresh_sync_complete")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(written: Value) -> (Vec<String>, usize) {
        let (states, remarks) = read_state(&written).unwrap();
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
        let both = vec!["messages".to_owned(), "message_replies".to_owned()];
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
    fn what_is_no_state_is_said() {
        let stream = |stream: Value| json!([{"type": "STREAM", "stream": {"stream_descriptor": {"name": "teams"}, "stream_state": {"a": 1}}}, {"type": "STREAM", "stream": stream}]);
        let wrong = [
            json!("text"),
            json!([1]),
            json!([{"type": "GLOBAL", "global": null}]),
            stream(json!(null)),
            stream(json!({"stream_state": {}})),
            stream(json!({"stream_descriptor": {"name": "messages"}, "stream_state": "2026-01-01"})),
        ];
        let said: Vec<_> = wrong.iter().map(|wrong| read_state(wrong).unwrap_err().to_string()).collect();
        insta::assert_snapshot!(said.join("\n"));
    }
}
