//! The journal: what the simulator was asked, and what it answered.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// The kind of a request. Lists, replies, delta pages and single messages are told apart here, though Graph rations them as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    Token,
    Groups,
    /// The list `GET /teams`.
    Teams,
    /// One team.
    Team,
    Channels,
    /// Of a team.
    Members,
    /// Of a channel, direct ones.
    ChannelMembers,
    /// Of a channel, direct and indirect ones.
    AllMembers,
    Messages,
    /// One message, root or reply.
    Message,
    Replies,
    Delta,
    Other,
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
    pub team: Option<String>,
    pub channel: Option<String>,
    pub message: Option<String>,
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
