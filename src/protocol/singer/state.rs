//! The state that a run is given: what a target echoed, or what people made of it.

use serde_json::{Map, Value};

use crate::error::Error;

/// The bookmarks, one for each stream that has one.
///
/// Takes the state itself, a whole STATE message, and Meltano's `{"singer_state": ...}`.
///
/// # Errors
/// If it is no state.
pub fn read_state(written: &Value) -> Result<Map<String, Value>, Error> {
    let wrapped = ["singer_state", "value"].into_iter().find_map(|key| written.get(key));
    match wrapped.unwrap_or(written) {
        Value::Null => Ok(Map::new()),
        Value::Object(state) => match state.get("bookmarks") {
            None | Some(Value::Null) => Ok(Map::new()),
            Some(Value::Object(bookmarks)) => Ok(bookmarks.clone()),
            Some(_) => Err(Error::State("`bookmarks` is not an object".to_owned())),
        },
        _ => Err(Error::State("it is not an object with `bookmarks`".to_owned())),
    }
}
