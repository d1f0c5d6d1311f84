//! What is declared of a stream.

use serde_json::Value;

use crate::{
    graph::{Permission, Request},
    level::{CHANNEL, Level, Partition, Trail},
    record::Columns,
};

/// What is known about a stream before it is read.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    /// Its name, the contract with users.
    pub name: &'static str,
    /// What its records are.
    pub description: &'static str,
    /// The columns that tell its records apart.
    pub primary_key: &'static [&'static str],
    /// The column that a change moves forward, where there is one.
    pub cursor: Option<&'static str>,
    /// Whether it is read unless something else is asked for: every further stream is opt-in.
    pub is_default: bool,
    /// What its records hang below; [`None`]: the tenant.
    pub below: Option<&'static Level>,
    /// What parents its items are, if they are some.
    pub finds: Option<Finds>,
    /// Application permissions that let it be read: each of these.
    pub permissions: &'static [&'static Permission],
    /// The most items that Graph gives a page.
    pub page: u64,
    /// How it is read.
    pub read: Read,
    /// JSON Schema of its records.
    pub make_schema: fn() -> Value,
}

/// How a stream is read.
#[derive(Clone, Copy, Debug)]
pub enum Read {
    /// The groups that are teams, each completed by its team.
    Teams,
    /// One list of a parent.
    List(List),
    /// The walk through a channel.
    Walk(Side),
    /// A report in CSV.
    Report(fn() -> Request),
}

/// What parents a list finds.
#[derive(Clone, Copy, Debug)]
pub struct Finds {
    /// Their level.
    pub level: &'static Level,
    /// The request for one of them by itself.
    pub request: fn(&Partition) -> Request,
    /// What lets one be read.
    pub permission: &'static Permission,
}

/// A list of a parent.
#[derive(Clone, Copy, Debug)]
pub struct List {
    /// The request for a parent, and for so many items a page.
    pub request: fn(&Partition, u64) -> Request,
    /// Whether every parent has at least one item, so that an empty list cannot be believed.
    pub never_empty: bool,
}

/// What of a walk through a channel a stream has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// The root messages.
    Roots,
    /// The replies; those of single threads where threads are named.
    Replies,
}

/// A stream that a catalog selects, with the columns that its records shall have.
#[derive(Clone, Debug)]
pub struct Selected {
    /// The stream.
    pub stream: &'static Stream,
    /// The columns of its records.
    pub columns: Columns,
    /// Whether it is read from its beginning.
    pub mode: Mode,
}

/// How much of a stream a run reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// All of it.
    FullRefresh,
    /// What has changed since the state that it is given.
    Incremental,
}

impl Read {
    /// A list of a parent that may be empty.
    pub const fn list(request: fn(&Partition, u64) -> Request) -> Self {
        Self::List(List { request, never_empty: false })
    }
}

impl Stream {
    /// Whether its records hang below that level, or below one that hangs below it.
    pub fn is_below(&self, level: &Level) -> bool {
        self.path().contains(&level)
    }

    /// What its records are, for people.
    pub fn plural(&self) -> String {
        self.name.replace('_', " ")
    }

    /// The level whose parents its items are.
    pub fn finds_level(&self) -> Option<&'static Level> {
        self.finds.map(|finds| finds.level)
    }

    /// The names in the paths of the links that its states keep.
    pub fn trail(&self) -> Trail {
        self.below.map(Level::trail).unwrap_or_default()
    }

    /// The levels above its records, from the top down.
    pub fn path(&self) -> Vec<&'static Level> {
        self.below.map(Level::path).unwrap_or_default()
    }

    /// The level of the parents that a run reads it from, one after the other; [`None`]: the tenant.
    pub fn read_level(&self) -> Option<&'static Level> {
        match self.read {
            Read::Teams => self.finds_level(),
            Read::List(_) | Read::Report(_) => self.below,
            Read::Walk(_) => Some(&CHANNEL),
        }
    }

    /// How a run reads it unless something else is asked for.
    pub fn mode(&self) -> Mode {
        if self.cursor.is_some() { Mode::Incremental } else { Mode::FullRefresh }
    }

    /// It with all its columns, to be read in that mode.
    pub fn whole(&'static self, mode: Mode) -> Selected {
        Selected { stream: self, columns: self.columns().clone(), mode }
    }
}
