//! The journal: what the simulator was asked, and what it answered.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// The kind of a request, which its route has. Lists, replies, delta pages and single messages are told apart here, though Graph
/// rations most of them as one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Class(&'static str);

#[allow(non_upper_case_globals, reason = "tests read them as the variants that they are in all but name")]
impl Class {
    pub const Token: Class = Class("token");
    pub const Groups: Class = Class("groups");
    /// The list `GET /teams`.
    pub const Teams: Class = Class("teams");
    /// One team.
    pub const Team: Class = Class("team");
    pub const Channels: Class = Class("channels");
    /// Of a team.
    pub const Members: Class = Class("members");
    /// Of a channel, direct ones.
    pub const ChannelMembers: Class = Class("channel_members");
    /// Of a channel, direct and indirect ones.
    pub const AllMembers: Class = Class("all_members");
    pub const Messages: Class = Class("messages");
    /// One message, root or reply.
    pub const Message: Class = Class("message");
    pub const Replies: Class = Class("replies");
    pub const Delta: Class = Class("delta");
    pub const Reports: Class = Class("reports");
    /// The files that reports redirect to.
    pub const ReportFiles: Class = Class("report_files");
    pub const Other: Class = Class("other");
}

impl Class {
    /// That of a route whose class is none of the above.
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

/// The ids in a path, by their names in the route: `team`, `channel`, `message`.
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

/// Whether a request is the first of its list or follows a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageKind {
    First,
    /// By `$skiptoken`.
    Next,
    /// By `$deltatoken`: the first page of a later round.
    Round,
}

/// The listener that a request came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    Login,
    Graph,
    /// Where a token must never arrive.
    Foreign,
}

/// A request as hooks and the journal see it.
#[derive(Clone, Debug, Serialize)]
pub struct RequestInfo {
    /// Counts all requests from 1.
    pub number: u64,
    /// Counts those of the class from 1.
    pub class_number: u64,
    pub door: Door,
    pub class: Class,
    pub ids: Ids,
    pub page: PageKind,
    /// The same URL was asked before and got no good answer.
    pub retry: bool,
    pub method: String,
    pub path: String,
    pub query: String,
    /// It came with an `Authorization` header.
    pub authorized: bool,
    pub client_request_id: Option<String>,
    pub user_agent: Option<String>,
    pub prefer: Option<String>,
}

impl RequestInfo {
    /// The id of this name in the path.
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

/// A request and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct Entry {
    #[serde(flatten)]
    pub request: RequestInfo,
    /// None: it got no answer.
    pub status: Option<u16>,
    /// Simulated time of arrival, in milliseconds since 1970.
    pub at_millis: i64,
    /// Real time since the simulator started.
    pub started: Duration,
    pub took: Duration,
    /// Of the body, before compression.
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

/// Counts of everything, and the last entries.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Journal {
    counts: BTreeMap<Class, BTreeMap<u16, u64>>,
    asked: BTreeMap<Class, u64>,
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

    /// Counts an arrival; returns its number and its number in the class.
    pub(crate) fn arrive(&mut self, class: Class) -> (u64, u64) {
        self.total += 1;
        let of_class = self.asked.entry(class).or_default();
        *of_class += 1;
        (self.total, *of_class)
    }

    pub(crate) fn record(&mut self, entry: Entry) {
        // Status 0 stands for no answer.
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

    /// Requests of a class that have arrived.
    pub fn count(&self, class: Class) -> u64 {
        self.asked.get(&class).copied().unwrap_or(0)
    }

    /// Requests of all classes that have arrived.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Requests to Graph, those for a token left out.
    pub fn graph_total(&self) -> u64 {
        self.total - self.count(Class::Token)
    }

    /// Answers of a class with a status; 0: none was given.
    pub fn count_status(&self, class: Class, status: u16) -> u64 {
        self.counts.get(&class).and_then(|statuses| statuses.get(&status)).copied().unwrap_or(0)
    }

    /// Answers with a status, of any class.
    pub fn with_status(&self, status: u16) -> u64 {
        self.counts.values().filter_map(|statuses| statuses.get(&status)).sum()
    }

    /// How many 429 there were.
    pub fn throttled(&self) -> u64 {
        self.with_status(429)
    }

    /// Bytes of all bodies.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Those that are still kept, in the order of their answers.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Entries of a class.
    pub fn of(&self, class: Class) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.request.class == class)
    }

    /// Forgets entries and counts; numbers start again from 1.
    pub(crate) fn clear(&mut self) {
        *self = Journal::new(self.capacity);
    }
}
