//! The journal: the requests that the simulator received, and its responses.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// The class of a request, which its route declares. Lists, replies, delta pages and single messages are different classes, though Graph
/// counts most of them together in its limits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Class(&'static str);

#[allow(non_upper_case_globals, reason = "they are used like the variants of an enum")]
impl Class {
    pub const Token: Class = Class("token");
    pub const Groups: Class = Class("groups");
    /// The list `GET /teams`.
    pub const Teams: Class = Class("teams");
    /// One team.
    pub const Team: Class = Class("team");
    pub const Channels: Class = Class("channels");
    /// The members of a team.
    pub const Members: Class = Class("members");
    /// The direct members of a channel.
    pub const ChannelMembers: Class = Class("channel_members");
    /// The direct and indirect members of a channel.
    pub const AllMembers: Class = Class("all_members");
    pub const Messages: Class = Class("messages");
    /// A single message, root or reply.
    pub const Message: Class = Class("message");
    pub const Replies: Class = Class("replies");
    pub const Delta: Class = Class("delta");
    pub const Reports: Class = Class("reports");
    /// The files of reports.
    pub const ReportFiles: Class = Class("report_files");
    pub const Other: Class = Class("other");
}

impl Class {
    /// The class of a route that none of the constants names.
    pub const fn named(name: &'static str) -> Class {
        Class(name)
    }

    pub fn name(self) -> &'static str {
        self.0
    }
}

impl std::fmt::Debug for Class {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0)
    }
}

/// The ids in a path by their names, such as `team`, `channel` and `message`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ids(Vec<(&'static str, String)>);

impl Ids {
    pub(crate) fn add(&mut self, name: &'static str, id: &str) {
        self.0.push((name, id.to_owned()));
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(have, _)| *have == name).map(|(_, id)| id.as_str())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Serialize for Ids {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, id)| (name, id)))
    }
}

/// Whether a request is the first of a list or follows a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageKind {
    First,
    /// With a `$skiptoken`.
    Next,
    /// With a `$deltatoken`: the first page of a later delta round.
    Round,
}

/// The host that received a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Host {
    Login,
    Graph,
    /// A host that must never receive a token.
    Foreign,
}

/// A request, as hooks and the journal get it.
#[derive(Clone, Debug, Serialize)]
pub struct RequestInfo {
    /// The number of the request, counted from 1.
    pub number: u64,
    /// Its number within its class, counted from 1.
    pub class_number: u64,
    pub host: Host,
    pub class: Class,
    pub ids: Ids,
    pub page: PageKind,
    /// The previous request to the same URL failed.
    pub retry: bool,
    pub method: String,
    pub path: String,
    pub query: String,
    /// It has an `Authorization` header.
    pub authorized: bool,
    pub client_request_id: Option<String>,
    pub user_agent: Option<String>,
    pub prefer: Option<String>,
}

impl RequestInfo {
    /// The id with this name in the path.
    pub fn id(&self, name: &str) -> Option<&str> {
        self.ids.get(name)
    }

    pub fn team(&self) -> Option<&str> {
        self.id("team")
    }

    pub fn channel(&self) -> Option<&str> {
        self.id("channel")
    }

    pub fn message(&self) -> Option<&str> {
        self.id("message")
    }
}

/// A request and its response.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    #[serde(flatten)]
    pub request: RequestInfo,
    /// None if there was no response.
    pub status: Option<u16>,
    /// Simulated time of arrival, in milliseconds since 1970.
    pub at_millis: i64,
    /// Real time since the simulator started.
    pub started: Duration,
    pub took: Duration,
    /// Size of the body before compression.
    pub bytes: u64,
    /// A fault was applied.
    pub fault: bool,
}

impl Entry {
    pub fn at(&self) -> Time {
        Time::from_millis(self.at_millis)
    }
}

impl std::ops::Deref for Entry {
    type Target = RequestInfo;

    fn deref(&self) -> &RequestInfo {
        &self.request
    }
}

/// Counts of all requests, and the latest entries.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Journal {
    counts: BTreeMap<Class, BTreeMap<u16, u64>>,
    requests: BTreeMap<Class, u64>,
    total: u64,
    bytes: u64,
    entries: VecDeque<Entry>,
    #[serde(skip)]
    capacity: usize,
}

impl Journal {
    pub(crate) fn new(capacity: usize) -> Journal {
        Journal { capacity, ..Journal::default() }
    }

    /// Counts a request. Returns its number and its number within the class.
    pub(crate) fn arrive(&mut self, class: Class) -> (u64, u64) {
        self.total += 1;
        let class_number = self.requests.entry(class).or_default();
        *class_number += 1;
        (self.total, *class_number)
    }

    pub(crate) fn record(&mut self, entry: Entry) {
        // Status 0 means that there was no response.
        *self.counts.entry(entry.request.class).or_default().entry(entry.status.unwrap_or(0)).or_default() += 1;
        self.bytes += entry.bytes;
        if self.capacity == 0 {
            return;
        }
        if self.entries.len() >= self.capacity {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// The number of requests of a class.
    pub fn count(&self, class: Class) -> u64 {
        self.requests.get(&class).copied().unwrap_or(0)
    }

    /// The number of requests of all classes.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The number of requests except token requests.
    pub fn graph_total(&self) -> u64 {
        self.total - self.count(Class::Token)
    }

    /// The number of responses of a class with this status; 0 means no response.
    pub fn count_status(&self, class: Class, status: u16) -> u64 {
        self.counts.get(&class).and_then(|statuses| statuses.get(&status)).copied().unwrap_or(0)
    }

    /// The number of responses with this status.
    pub fn with_status(&self, status: u16) -> u64 {
        self.counts.values().filter_map(|statuses| statuses.get(&status)).sum()
    }

    /// The number of responses with status 429.
    pub fn throttled(&self) -> u64 {
        self.with_status(429)
    }

    /// The size of all bodies before compression.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The latest entries, in the order of their responses.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The latest entries of a class.
    pub fn entries_of(&self, class: Class) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.request.class == class)
    }

    /// Clears entries and counts. Numbers start from 1 again.
    pub(crate) fn clear(&mut self) {
        *self = Journal::new(self.capacity);
    }
}
