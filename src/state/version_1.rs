//! Reads states of version 1: an object of partitions by key, with null for a partition that no longer exists.

use std::collections::BTreeMap;

use super::{
    InvalidState, Position,
    compact::CompactPosition,
    fields::FieldReader,
    json::{JsonValue, Members, Path},
    partitions::{Added, Partitions},
    strings::Strings,
    time::{self, BEGINNING},
    version::{FullRefresh, Version},
};
use crate::level::{Trail, ids, key, split};

/// The marker of a full refresh: null, `true` before its first page, then when it started.
pub(super) fn full_refresh(members: &Members<'_>) -> Result<Option<FullRefresh>, InvalidState> {
    let path = Path::Key(&Path::Root, "full");
    match members.get("full").map(|raw| JsonValue::new(raw, &path)) {
        None => Ok(None),
        Some(json) if json.is_null() || json.is("false") => Ok(None),
        Some(json) if json.is("true") => Ok(Some(FullRefresh { local_start: BEGINNING, graph_start: None })),
        Some(json) => time::parse_date_time(json).map(|start| Some(FullRefresh { local_start: start, graph_start: Some(start) })),
    }
}

pub(super) fn partitions(members: &Members<'_>, trail: &Trail) -> Result<Partitions, InvalidState> {
    let path = Path::Key(&Path::Root, "channels");
    let mut groups: BTreeMap<String, (Strings, Vec<CompactPosition>)> = BTreeMap::new();
    let Some(json) = members.get("channels").map(|raw| JsonValue::new(raw, &path)).filter(|json| !json.is_null()) else {
        return Ok(Partitions::new(trail.clone()));
    };
    for (name, raw) in json.members()?.0 {
        let path = Path::Key(&path, &name);
        // Normalizes the encoding of the ids.
        let key = key(&ids(&name).collect::<Vec<_>>());
        let json = JsonValue::new(raw, &path);
        if json.is_null() {
            continue;
        }
        let mut position = Position::default();
        let fields = FieldReader { key: &key, trail, version: Version::One };
        for (name, raw) in json.members()?.0 {
            let path = Path::Key(&path, &name);
            fields.read(&mut position, &name, JsonValue::new(raw, &path))?;
        }
        let (parents, id) = split(&key);
        if id.is_empty() {
            return Err(path.invalid("is not the key of a partition"));
        }
        let (ids, positions) = groups.entry(parents.to_owned()).or_default();
        ids.push(&id);
        positions.push(CompactPosition::new(position, &key, trail));
    }
    let mut partitions = Partitions::new(trail.clone());
    for (parents, (ids, positions)) in groups {
        if matches!(partitions.add_group(&parents, ids, positions), Added::NewGroup { has_unique_ids: false }) {
            return Err(path.invalid("contains the same partition twice"));
        }
    }
    Ok(partitions)
}
