//! Reads and writes states of version 2. What changes is a list, since some consumers merge states deeply: a list is replaced as a whole, and
//! nothing of an older state shines through.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    ops::Not,
};

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::{
    Invalid, Position, StreamState, WalkState,
    entry::Entry,
    fields::{Fields, texts},
    given::{Given, Members, Path},
    partitions::{Added, Group, Partitions},
    stream::{MOST_DAMAGE, Partitioned},
    texts::Texts,
    time::{self, BEGINNING, Clock, Moment},
    version::{Full, Version},
};
use crate::level::{Trail, ids, join, key};

/// The mark of a full refresh: nothing, or when it began, by our own clock and by Graph's.
pub(super) fn full(members: &Members<'_>) -> Result<Option<Full>, Invalid> {
    let path = Path::Key(&Path::Top, "full");
    let clock = |raw, at| time::clock(Given::new(raw, &Path::Item(&path, at)), Version::Two);
    match *list(members, &path, "full", 3)? {
        [] => Ok(None),
        [begun] => Ok(Some(Full { begun: clock(begun, 0)?, mark: None })),
        [begun, mark] => Ok(Some(Full { begun: clock(begun, 0)?, mark: Some(clock(mark, 1)?) })),
        _ => Err(path.invalid("has more than two items")),
    }
}

/// The first items of a list, so many at most.
fn list<'t>(members: &Members<'t>, path: &Path<'_>, name: &str, most: usize) -> Result<Vec<&'t RawValue>, Invalid> {
    members.get(name).map_or(Ok(Vec::new()), |raw| Given::new(raw, path).first(most))
}

/// How far back most of the partitions were read.
fn usual(members: &Members<'_>) -> Result<Option<DateTime<Utc>>, Invalid> {
    let path = Path::Key(&Path::Top, "since");
    match *list(members, &path, "since", 2)? {
        [] => Ok(None),
        [raw] => time::moment(Given::new(raw, &Path::Item(&path, 0))).map(Some),
        _ => Err(path.invalid("has more than one item")),
    }
}

/// The marks of items that a stream has left out.
pub(super) fn damage(members: &Members<'_>) -> Result<Vec<String>, Invalid> {
    let path = Path::Key(&Path::Top, "damage");
    members.get("damage").map_or(Ok(Vec::new()), |raw| texts(Given::new(raw, &path), MOST_DAMAGE))
}

pub(super) fn partitions(members: &Members<'_>, trail: &Trail) -> Result<Partitions, Invalid> {
    let usual = usual(members)?;
    let path = Path::Key(&Path::Top, "partitions");
    let (mut partitions, mut split) = (Partitions::new(trail.clone()), BTreeSet::new());
    let twice = |path: &Path<'_>| path.invalid("contains the same `id` twice");
    let group = |at, raw| {
        let path = Path::Item(&path, at);
        let group = Given::new(raw, &path).members()?;
        let parents = key(&parents(&group, &path)?);
        let path = Path::Key(&path, "entries");
        let raws = group.get("entries").ok_or_else(|| path.invalid("is missing"))?;
        let (mut ids, mut entries) = (Texts::default(), Vec::new());
        Given::new(raws, &path).each(|at, raw| {
            let path = Path::Item(&path, at);
            let (id, entry) = entry(Given::new(raw, &path), (&parents, trail), usual)?;
            ids.push(&id);
            entries.push(entry);
            Ok(())
        })?;
        match partitions.add(&parents, ids, entries) {
            Added::Whole(true) => Ok(()),
            Added::Whole(false) => Err(twice(&path)),
            Added::ToOthers => {
                split.insert(parents);
                Ok(())
            }
        }
    };
    members.get("partitions").map_or(Ok(()), |raw| Given::new(raw, &path).each(group))?;
    // Sorted once, however many pieces they came in.
    if split.iter().all(|parents| partitions.sort(parents)) { Ok(partitions) } else { Err(twice(&path)) }
}

/// A partition has fewer parents.
const MOST_PARENTS: usize = 10;

fn parents(group: &Members<'_>, path: &Path<'_>) -> Result<Vec<String>, Invalid> {
    let path = Path::Key(path, "parents");
    let given = Given::new(group.get("parents").ok_or_else(|| path.invalid("is missing"))?, &path);
    match texts(given, MOST_PARENTS)? {
        parents if parents.iter().any(String::is_empty) => Err(given.invalid("contains an empty id")),
        parents => Ok(parents),
    }
}

fn entry<'t>(
    given: Given<'t, '_>,
    (parents, trail): (&str, &Trail),
    usual: Option<DateTime<Utc>>,
) -> Result<(Cow<'t, str>, Entry), Invalid> {
    let members = given.members()?;
    let path = Path::Key(given.path(), "id");
    let id = Given::new(members.get("id").ok_or_else(|| path.invalid("is missing"))?, &path);
    let name = id.text()?;
    if name.is_empty() {
        return Err(id.invalid("is empty"));
    }
    let key = join(parents, &name);
    let fields = Fields { key: &key, trail, version: Version::Two };
    let mut position = Position { since: usual, ..Position::default() };
    for (name, raw) in &members.0 {
        let path = Path::Key(given.path(), name);
        fields.take(&mut position, name, Given::new(raw, &path))?;
    }
    Ok((name, Entry::new(position, &key, trail)))
}

/// What both kinds of streams write.
#[derive(Serialize)]
struct Whole<'s> {
    version: u64,
    damage: &'s [String],
    #[serde(flatten)]
    channels: Option<WrittenPartitions<'s>>,
}

#[derive(Serialize)]
struct WrittenPartitions<'s> {
    tenant: &'s str,
    full: Vec<Clock>,
    /// How far back most of the partitions were read.
    since: Vec<Moment>,
    partitions: Groups<'s>,
}

struct Groups<'s> {
    groups: &'s Partitions,
    usual: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
struct WrittenGroup<'s> {
    parents: Vec<String>,
    entries: Entries<'s>,
}

struct Entries<'s> {
    group: &'s Group,
    usual: Option<DateTime<Utc>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenEntry<'s> {
    id: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified_date_time: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_at: Option<Clock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gap_at: Option<Clock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    walk: Option<WrittenWalk<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta_link: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta_at: Option<Clock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta_round: Option<WrittenRound<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta_refused_at: Option<Clock>,
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
    head: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_at: Option<Clock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Moment>,
    floor: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<Clock>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owed: Option<Moment>,
    #[serde(skip_serializing_if = "Not::not")]
    is_of_roots: bool,
}

#[derive(Serialize)]
struct WrittenRound<'s> {
    link: &'s str,
    at: Clock,
}

impl Serialize for StreamState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let channels = self.partitioned.as_ref().map(WrittenPartitions::new);
        Whole { version: Version::Two as u64, damage: &self.damage, channels }.serialize(serializer)
    }
}

impl<'s> WrittenPartitions<'s> {
    fn new(own: &'s Partitioned) -> Self {
        let usual = usual_since(&own.partitions);
        Self {
            tenant: &own.tenant,
            full: own.full.into_iter().flat_map(|full| [Some(full.begun), full.mark]).flatten().map(Clock).collect(),
            since: usual.map(Moment).into_iter().collect(),
            partitions: Groups { groups: &own.partitions, usual },
        }
    }
}

/// How far back most of the partitions were read: written once, and for those alone that differ.
fn usual_since(partitions: &Partitions) -> Option<DateTime<Utc>> {
    let mut counts: BTreeMap<Option<DateTime<Utc>>, usize> = BTreeMap::new();
    for (_, entry) in partitions.groups().flat_map(|(_, group)| group.iter()) {
        *counts.entry(entry.since).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).and_then(|(since, _)| since)
}

impl Serialize for Groups<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let group = |(parents, group)| WrittenGroup { parents: ids(parents).collect(), entries: Entries { group, usual: self.usual } };
        serializer.collect_seq(self.groups.groups().map(group))
    }
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.group.iter().map(|(id, entry)| WrittenEntry::new(id, entry, self.usual)))
    }
}

impl<'s> WrittenEntry<'s> {
    fn new(id: &'s str, entry: &'s Entry, usual: Option<DateTime<Utc>>) -> Self {
        let busy = entry.busy.as_deref();
        let walk = |walk: &'s WalkState| WrittenWalk {
            link: walk.link.as_deref(),
            head: walk.head.map(Moment),
            read_at: walk.read_at.map(Clock),
            until: walk.until.map(Moment),
            floor: Moment(walk.floor),
            began: walk.began.map(Clock),
            owed: walk.owed.map(Moment),
            is_of_roots: walk.is_of_roots,
        };
        let round = busy.and_then(|busy| busy.delta.round.as_ref());
        Self {
            id,
            last_modified_date_time: entry.cursor.map(Moment),
            read_at: entry.read_at.map(Clock),
            since: (entry.since != usual).then(|| Moment(entry.since.unwrap_or(BEGINNING))),
            gap_at: busy.and_then(|busy| busy.gap_at).map(Clock),
            walk: busy.and_then(|busy| busy.walk.as_ref()).map(walk),
            delta_link: entry.delta_link.as_deref(),
            delta_at: entry.delta_at.map(Clock),
            delta_round: round.map(|round| WrittenRound { link: &round.link, at: Clock(round.at) }),
            delta_refused_at: busy.and_then(|busy| busy.delta.refused_at).map(Clock),
            import: busy.and_then(|busy| busy.import.as_deref()),
            damage: busy.map(|busy| busy.damage.as_slice()).unwrap_or_default(),
        }
    }
}
