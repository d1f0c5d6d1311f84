//! Reads states of version 1: an object of partitions by their keys, null where one is gone.

use std::collections::BTreeMap;

use super::{
    Invalid, Position,
    entry::Entry,
    fields::Fields,
    given::{Given, Members, Path},
    partitions::{Added, Partitions},
    texts::Texts,
    time::{self, BEGINNING},
    version::{Full, Version},
};
use crate::level::{Trail, ids, key, split};

/// The mark of a full refresh: null, true before its first page, then when it began.
pub(super) fn full(members: &Members<'_>) -> Result<Option<Full>, Invalid> {
    let path = Path::Key(&Path::Top, "full");
    match members.get("full").map(|raw| Given::new(raw, &path)) {
        None => Ok(None),
        Some(given) if given.is_null() || given.is("false") => Ok(None),
        Some(given) if given.is("true") => Ok(Some(Full { begun: BEGINNING, mark: None })),
        Some(given) => time::moment(given).map(|mark| Some(Full { begun: mark, mark: Some(mark) })),
    }
}

pub(super) fn partitions(members: &Members<'_>, trail: &Trail) -> Result<Partitions, Invalid> {
    let path = Path::Key(&Path::Top, "channels");
    let mut groups: BTreeMap<String, (Texts, Vec<Entry>)> = BTreeMap::new();
    let Some(given) = members.get("channels").map(|raw| Given::new(raw, &path)).filter(|given| !given.is_null()) else {
        return Ok(Partitions::new(trail.clone()));
    };
    for (name, raw) in given.members()?.0 {
        let path = Path::Key(&path, &name);
        // However it is encoded.
        let key = key(&ids(&name).collect::<Vec<_>>());
        let given = Given::new(raw, &path);
        if given.is_null() {
            continue;
        }
        let mut position = Position::default();
        let fields = Fields { key: &key, trail, version: Version::One };
        for (name, raw) in given.members()?.0 {
            let path = Path::Key(&path, &name);
            fields.take(&mut position, &name, Given::new(raw, &path))?;
        }
        let (parents, id) = split(&key);
        if id.is_empty() {
            return Err(path.invalid("is not the key of a partition"));
        }
        let (ids, entries) = groups.entry(parents.to_owned()).or_default();
        ids.push(&id);
        entries.push(Entry::new(position, &key, trail));
    }
    let mut partitions = Partitions::new(trail.clone());
    for (parents, (ids, entries)) in groups {
        if matches!(partitions.add(&parents, ids, entries), Added::Whole(false)) {
            return Err(path.invalid("contains the same partition twice"));
        }
    }
    Ok(partitions)
}
