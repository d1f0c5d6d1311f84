//! What is declared of a stream.

use std::sync::LazyLock;

use serde_json::Value;

use crate::{
    graph::{Permission, Request},
    record::{Columns, json_schema},
};

/// What is known about a stream before it is read.
#[derive(Debug)]
pub struct Stream {
    /// Its name, the contract with users.
    pub name: &'static str,
    /// What its records are.
    pub description: &'static str,
    /// The columns that tell its records apart.
    pub primary_key: &'static [&'static str],
    /// The column that a change moves forward, where there is one.
    pub cursor: Option<&'static str>,
    /// What must be configured for it to be read.
    pub parents: ParentKind,
    /// Application permissions that let it be read: each of these.
    pub permissions: &'static [&'static Permission],
    /// How it is read.
    pub source: Source,
    /// JSON Schema of its records.
    pub schema: LazyLock<Value>,
    /// The columns of its records.
    pub columns: LazyLock<Columns>,
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

/// What a stream's records hang below.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum ParentKind {
    /// The tenant: nothing must be configured.
    Tenant,
    /// Teams.
    Team,
    /// Channels of teams.
    Channel,
    /// Root messages of channels.
    Message,
}

/// How a stream is read.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// The groups that are teams, each completed by its team.
    Teams,
    /// One list a team.
    ListOfTeam {
        /// The request for a team, and for so many items a page where that is configured.
        request: fn(&str, Option<u64>) -> Request,
        /// Whether every team has at least one item, so that an empty list cannot be believed.
        never_empty: bool,
    },
    /// The root messages of the walk through a channel.
    Roots,
    /// The replies of the walk through a channel, or of single threads.
    Replies,
}

impl Stream {
    /// How a run reads it unless something else is asked for.
    pub fn mode(&self) -> Mode {
        if self.cursor.is_some() { Mode::Incremental } else { Mode::FullRefresh }
    }

    /// It with all its columns, to be read in that mode.
    pub fn whole(&'static self, mode: Mode) -> Selected {
        Selected { stream: self, columns: self.columns.clone(), mode }
    }
}

pub(super) const fn schema<T: schemars::JsonSchema>() -> LazyLock<Value> {
    LazyLock::new(json_schema::<T>)
}

pub(super) const fn columns<T: schemars::JsonSchema>() -> LazyLock<Columns> {
    LazyLock::new(|| Columns::of(&json_schema::<T>()))
}
