//! The declaration of a stream: its key, permissions, level, and how it is read.

use serde_json::Value;

use crate::{
    graph::{Permission, Request},
    level::{CHANNEL, Level, Partition, Trail},
    record::Columns,
};

#[derive(Clone, Copy, Debug)]
pub struct Stream {
    pub name: &'static str,
    pub description: &'static str,
    pub primary_key: &'static [&'static str],
    /// The column with the time of the last change; [`None`] if the stream is always read in full.
    pub cursor: Option<&'static str>,
    /// Whether the stream is selected by default. Streams that were added later are opt-in.
    pub is_default: bool,
    /// The level of the records' parents; [`None`] for the tenant.
    pub parent_level: Option<&'static Level>,
    /// Set if the records are the parents at some level, such as teams.
    pub discovers: Option<DiscoveredParents>,
    /// The application permissions that the stream requires, all of them.
    pub permissions: &'static [&'static Permission],
    /// Graph's maximum number of items per page.
    pub max_page_size: u64,
    pub read: Read,
    pub make_schema: fn() -> Value,
}

/// How a stream is read.
#[derive(Clone, Copy, Debug)]
pub enum Read {
    /// The list of groups that are teams, and a request for each team.
    Teams,
    /// One list per parent.
    List(List),
    /// The walk through each channel.
    Walk(MessageKind),
    /// A CSV report.
    Report(fn() -> Request),
}

/// The parents that a list provides.
#[derive(Clone, Copy, Debug)]
pub struct DiscoveredParents {
    pub level: &'static Level,
    /// The request for a single parent.
    pub request: fn(&Partition) -> Request,
    pub permission: &'static Permission,
}

/// A list that is read once per parent.
#[derive(Clone, Copy, Debug)]
pub struct List {
    /// Makes the request for a parent and a page size.
    pub request: fn(&Partition, u64) -> Request,
    /// Whether every parent has at least one item, so that an empty list indicates an error.
    pub never_empty: bool,
}

/// Which messages in a channel belong to a stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MessageKind {
    /// Root messages.
    Roots,
    /// Replies. If message ids are configured, only the replies in those threads.
    Replies,
}

/// A selected stream with its selected columns.
#[derive(Clone, Debug)]
pub struct Selected {
    pub stream: &'static Stream,
    pub columns: Columns,
    pub mode: Mode,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    FullRefresh,
    /// Reads the changes since the state was written.
    Incremental,
}

impl Read {
    /// A list that may be empty.
    pub const fn list(request: fn(&Partition, u64) -> Request) -> Self {
        Self::List(List { request, never_empty: false })
    }
}

impl Stream {
    /// Whether the level is an ancestor of the stream's records.
    pub fn is_below(&self, level: &Level) -> bool {
        self.path().contains(&level)
    }

    /// The name of the stream's records, for messages.
    pub fn plural(&self) -> String {
        self.name.replace('_', " ")
    }

    /// The level whose parents are the stream's records.
    pub fn discovered_level(&self) -> Option<&'static Level> {
        self.discovers.map(|finds| finds.level)
    }

    /// The path of the links in the stream's states.
    pub fn trail(&self) -> Trail {
        self.parent_level.map(Level::trail).unwrap_or_default()
    }

    /// The levels above the stream's records, from the top down.
    pub fn path(&self) -> Vec<&'static Level> {
        self.parent_level.map(Level::path).unwrap_or_default()
    }

    /// The level of the parents that are read one by one; [`None`] for the tenant.
    pub fn read_level(&self) -> Option<&'static Level> {
        match self.read {
            Read::Teams => self.discovered_level(),
            Read::List(_) | Read::Report(_) => self.parent_level,
            Read::Walk(_) => Some(&CHANNEL),
        }
    }

    /// The stream's default mode.
    pub fn mode(&self) -> Mode {
        if self.cursor.is_some() { Mode::Incremental } else { Mode::FullRefresh }
    }

    /// Selects the stream with all columns.
    pub fn whole(&'static self, mode: Mode) -> Selected {
        Selected { stream: self, columns: self.columns().clone(), mode }
    }
}
