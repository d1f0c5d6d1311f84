//! Reads entries of states, and merges states as Meltano does.

use serde_json::{Map, Value};

/// The partitions of a state, each with its key `<team>/<channel>`.
pub fn entries(state: &Value) -> impl Iterator<Item = (String, &Value)> {
    let groups = state["partitions"].as_array().into_iter().flatten();
    groups.flat_map(|group| {
        let entries = group["entries"].as_array().into_iter().flatten();
        entries.map(|entry| (key(&group["parents"], &entry["id"]), entry))
    })
}

/// The entry of the partition with this key, or null.
pub fn entry<'s>(state: &'s Value, key: &str) -> &'s Value {
    entries(state).find(|(other, _)| other == key).map_or(&Value::Null, |(_, entry)| entry)
}

/// Like [`entry`], but mutable.
pub fn entry_mut<'s>(state: &'s mut Value, key_of: &str) -> &'s mut Value {
    let groups = state["partitions"].as_array_mut().unwrap().iter_mut();
    let mut entries = groups.flat_map(|group| {
        let Value::Object(group) = group else { panic!("a group is an object") };
        let parents = group["parents"].clone();
        group["entries"].as_array_mut().unwrap().iter_mut().map(move |entry| (key(&parents, &entry["id"]), entry))
    });
    entries.find(|(key, _)| key == key_of).unwrap().1
}

fn key(parents: &Value, id: &Value) -> String {
    let ids = parents.as_array().into_iter().flatten().chain([id]);
    ids.filter_map(Value::as_str).collect::<Vec<_>>().join("/")
}

/// Merges `new` into `old` as Meltano 4.4 does (`meltano.core.utils.merge`): objects are merged key by key, everything else is replaced.
///
/// # Errors
/// If an object is merged into something else. Meltano can no longer read such a state.
pub fn merge(old: &mut Map<String, Value>, new: &Map<String, Value>) -> Result<(), String> {
    for (key, value) in new {
        match value {
            Value::Object(new) => match old.entry(key.clone()).or_insert_with(|| Map::new().into()) {
                Value::Object(old) => merge(old, new)?,
                _ if new.is_empty() => {}
                other => return Err(format!("`{key}`: cannot merge an object into {other}")),
            },
            value => _ = old.insert(key.clone(), value.clone()),
        }
    }
    Ok(())
}
