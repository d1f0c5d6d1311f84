//! Reads and writes states of version 2. Everything that changes is in lists, because some consumers merge states recursively: they replace a
//! list as a whole, so nothing of an older state survives.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    ops::Not,
};

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{
    InvalidState, Position, StreamState, WalkState,
    compact::CompactPosition,
    fields::{FieldReader, strings},
    json::{JsonValue, Members, Path},
    partitions::{Added, Group, Partitions},
    stream::{MAX_SKIPPED_PER_STREAM, Partitioned},
    strings::Strings,
    time::{self, AsDateTime, AsSeconds, BEGINNING},
    version::{FullRefresh, Version},
};
use crate::level::{Trail, ids, join, key};

/// The marker of a full refresh: empty, or when it started by the local clock and by Graph's clock.
pub(super) fn full_refresh(members: &Members<'_>) -> Result<Option<FullRefresh>, InvalidState> {
    let path = Path::Key(&Path::Root, "full");
    let clock = |raw, at| time::parse_clock(JsonValue::new(raw, &Path::Item(&path, at)), Version::Two);
    match *list(members, &path, "full", 3)? {
        [] => Ok(None),
        [local] => Ok(Some(FullRefresh { local_start: clock(local, 0)?, graph_start: None })),
        [local, graph] => Ok(Some(FullRefresh { local_start: clock(local, 0)?, graph_start: Some(clock(graph, 1)?) })),
        _ => Err(path.invalid("has more than two items")),
    }
}

/// The first items of a list, at most `limit`.
fn list<'t>(members: &Members<'t>, path: &Path<'_>, name: &str, limit: usize) -> Result<Vec<&'t RawValue>, InvalidState> {
    members.get(name).map_or(Ok(Vec::new()), |raw| JsonValue::new(raw, path).first_items(limit))
}

/// The `since` of the partitions that have none of their own.
fn default_since(members: &Members<'_>) -> Result<Option<DateTime<Utc>>, InvalidState> {
    let path = Path::Key(&Path::Root, "since");
    match *list(members, &path, "since", 2)? {
        [] => Ok(None),
        [raw] => time::parse_date_time(JsonValue::new(raw, &Path::Item(&path, 0))).map(Some),
        _ => Err(path.invalid("has more than one item")),
    }
}

/// Hashes of list items that were skipped.
pub(super) fn skipped(members: &Members<'_>) -> Result<Vec<String>, InvalidState> {
    let path = Path::Key(&Path::Root, "damage");
    members.get("damage").map_or(Ok(Vec::new()), |raw| strings(JsonValue::new(raw, &path), MAX_SKIPPED_PER_STREAM))
}

pub(super) fn partitions(members: &Members<'_>, trail: &Trail) -> Result<Partitions, InvalidState> {
    let default_since = default_since(members)?;
    let path = Path::Key(&Path::Root, "partitions");
    let (mut partitions, mut unsorted) = (Partitions::new(trail.clone()), BTreeSet::new());
    let duplicate = |path: &Path<'_>| path.invalid("contains the same `id` twice");
    let group = |at, raw| {
        let path = Path::Item(&path, at);
        let group = JsonValue::new(raw, &path).members()?;
        let parents = key(&parents(&group, &path)?);
        let path = Path::Key(&path, "entries");
        let raws = group.get("entries").ok_or_else(|| path.invalid("is missing"))?;
        let (mut ids, mut positions) = (Strings::default(), Vec::new());
        JsonValue::new(raws, &path).for_each(|at, raw| {
            let path = Path::Item(&path, at);
            let (id, position) = entry(JsonValue::new(raw, &path), (&parents, trail), default_since)?;
            ids.push(&id);
            positions.push(position);
            Ok(())
        })?;
        match partitions.add_group(&parents, ids, positions) {
            Added::NewGroup { has_unique_ids: true } => Ok(()),
            Added::NewGroup { has_unique_ids: false } => Err(duplicate(&path)),
            Added::Appended => {
                unsorted.insert(parents);
                Ok(())
            }
        }
    };
    members.get("partitions").map_or(Ok(()), |raw| JsonValue::new(raw, &path).for_each(group))?;
    // Each group is sorted once, even if it comes in many pieces.
    if unsorted.iter().all(|parents| partitions.sort_group(parents)) { Ok(partitions) } else { Err(duplicate(&path)) }
}

/// More than any partition has.
const MAX_PARENTS: usize = 10;

fn parents(group: &Members<'_>, path: &Path<'_>) -> Result<Vec<String>, InvalidState> {
    let path = Path::Key(path, "parents");
    let json = JsonValue::new(group.get("parents").ok_or_else(|| path.invalid("is missing"))?, &path);
    match strings(json, MAX_PARENTS)? {
        parents if parents.iter().any(String::is_empty) => Err(json.invalid("contains an empty id")),
        parents => Ok(parents),
    }
}

fn entry<'t>(
    json: JsonValue<'t, '_>,
    (parents, trail): (&str, &Trail),
    default_since: Option<DateTime<Utc>>,
) -> Result<(Cow<'t, str>, CompactPosition), InvalidState> {
    let members = json.members()?;
    let path = Path::Key(json.path(), "id");
    let id = JsonValue::new(members.get("id").ok_or_else(|| path.invalid("is missing"))?, &path);
    let name = id.string()?;
    if name.is_empty() {
        return Err(id.invalid("is empty"));
    }
    let key = join(parents, &name);
    let fields = FieldReader { key: &key, trail, version: Version::Two };
    let mut position = Position { since: default_since, ..Position::default() };
    for (name, raw) in &members.0 {
        let path = Path::Key(json.path(), name);
        fields.read(&mut position, name, JsonValue::new(raw, &path))?;
    }
    Ok((name, CompactPosition::new(position, &key, trail)))
}

/// The state of a stream of either kind.
#[derive(Serialize)]
struct WrittenState<'s> {
    version: u64,
    damage: &'s [String],
    #[serde(flatten)]
    partitioned: Option<WrittenPartitions<'s>>,
}

#[derive(Serialize)]
struct WrittenPartitions<'s> {
    tenant: &'s str,
    full: Vec<AsSeconds>,
    /// The most common `since`, written once instead of in most partitions.
    since: Vec<AsDateTime>,
    partitions: Groups<'s>,
}

struct Groups<'s> {
    groups: &'s Partitions,
    default_since: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
struct WrittenGroup<'s> {
    parents: Vec<String>,
    entries: Entries<'s>,
}

struct Entries<'s> {
    group: &'s Group,
    default_since: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenEntry<'s> {
    id: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_date_time: Option<AsDateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_at: Option<AsSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<AsDateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gap_at: Option<AsSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    walk: Option<WrittenWalk<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta_link: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta_at: Option<AsSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta_round: Option<WrittenRound<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta_refused_at: Option<AsSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    import: Option<&'s str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    damage: &'s [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenWalk<'s> {
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    head: Option<AsDateTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_at: Option<AsSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<AsDateTime>,
    floor: AsDateTime,
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<AsSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owed: Option<AsDateTime>,
    #[serde(skip_serializing_if = "Not::not")]
    is_of_roots: bool,
}

#[derive(Serialize)]
struct WrittenRound<'s> {
    link: &'s str,
    at: AsSeconds,
}

impl Serialize for StreamState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let partitioned = self.partitioned.as_ref().map(WrittenPartitions::new);
        WrittenState { version: Version::Two as u64, damage: &self.skipped, partitioned }.serialize(serializer)
    }
}

impl<'s> WrittenPartitions<'s> {
    fn new(partitioned: &'s Partitioned) -> Self {
        let default_since = most_common_since(&partitioned.partitions);
        Self {
            tenant: &partitioned.tenant,
            full: partitioned
                .full_refresh
                .into_iter()
                .flat_map(|full| [Some(full.local_start), full.graph_start])
                .flatten()
                .map(AsSeconds)
                .collect(),
            since: default_since.map(AsDateTime).into_iter().collect(),
            partitions: Groups { groups: &partitioned.partitions, default_since },
        }
    }
}

fn most_common_since(partitions: &Partitions) -> Option<DateTime<Utc>> {
    let mut counts: BTreeMap<Option<DateTime<Utc>>, usize> = BTreeMap::new();
    for (_, position) in partitions.groups().flat_map(|(_, group)| group.iter()) {
        *counts.entry(position.since).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).and_then(|(since, _)| since)
}

impl Serialize for Groups<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let group = |(parents, group)| WrittenGroup {
            parents: ids(parents).collect(),
            entries: Entries { group, default_since: self.default_since },
        };
        serializer.collect_seq(self.groups.groups().map(group))
    }
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.group.iter().map(|(id, position)| WrittenEntry::new(id, position, self.default_since)))
    }
}

impl<'s> WrittenEntry<'s> {
    fn new(id: &'s str, position: &'s CompactPosition, default_since: Option<DateTime<Utc>>) -> Self {
        let extra = position.extra.as_deref();
        let walk = |walk: &'s WalkState| WrittenWalk {
            link: walk.link.as_deref(),
            head: walk.head.map(AsDateTime),
            read_at: walk.read_at.map(AsSeconds),
            until: walk.until.map(AsDateTime),
            floor: AsDateTime(walk.cutoff),
            began: walk.began.map(AsSeconds),
            owed: walk.oldest_deferred.map(AsDateTime),
            is_of_roots: walk.lists_roots_only,
        };
        let round = extra.and_then(|extra| extra.delta.round.as_ref());
        Self {
            id,
            last_modified_date_time: position.cursor.map(AsDateTime),
            read_at: position.read_at.map(AsSeconds),
            since: (position.since != default_since).then(|| AsDateTime(position.since.unwrap_or(BEGINNING))),
            gap_at: extra.and_then(|extra| extra.gap_at).map(AsSeconds),
            walk: extra.and_then(|extra| extra.walk.as_ref()).map(walk),
            delta_link: position.delta_link.as_deref(),
            delta_at: position.delta_at.map(AsSeconds),
            delta_round: round.map(|round| WrittenRound { link: &round.link, at: AsSeconds(round.at) }),
            delta_refused_at: extra.and_then(|extra| extra.delta.refused_at).map(AsSeconds),
            import: extra.and_then(|extra| extra.import.as_deref()),
            damage: extra.map(|extra| extra.skipped.as_slice()).unwrap_or_default(),
        }
    }
}
