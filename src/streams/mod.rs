//! The streams: declared facts in one list, from which catalogs, schemas, selection and reading derive.

mod channels;
mod members;
mod message_replies;
mod messages;
mod per_stream;
mod set;
mod teams;

use std::sync::LazyLock;

use serde_json::Value;

use crate::{
    graph::{Permission, Request},
    record::Columns,
    schema::json_schema,
};

pub use channels::{CHANNELS, LISTS_CHANNELS, channel};
pub use members::MEMBERS;
pub use message_replies::{MESSAGE_REPLIES, thread};
pub use messages::{MAX_TOP, MESSAGES, READS_MESSAGES, delta, message, roots, walk};
pub use per_stream::PerStream;
pub use set::StreamSet;
pub use teams::{LISTS_TEAMS, READS_TEAMS, TEAMS, group_ids, group_names, groups, team};
pub(crate) use teams::{properties, properties_of_group};

/// The application permissions that the quick start of Databricks' Lakeflow connector for Teams asks for. Who comes from there has them.
pub const OF_LAKEFLOW: [&str; 5] =
    ["Team.ReadBasic.All", "Channel.ReadBasic.All", "ChannelMessage.Read.All", "TeamMember.Read.All", "Chat.Read.All"];

/// All streams, parents first.
pub static STREAMS: &[&Stream] = &[&TEAMS, &CHANNELS, &MEMBERS, &MESSAGES, &MESSAGE_REPLIES];

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
    /// The stream of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::all().find(|stream| stream.name == name)
    }

    /// How a run reads it unless something else is asked for.
    pub fn mode(&self) -> Mode {
        if self.cursor.is_some() { Mode::Incremental } else { Mode::FullRefresh }
    }

    /// All streams, parents first.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        STREAMS.iter().copied()
    }

    /// All names, in order.
    pub fn names() -> Vec<&'static str> {
        Self::all().map(|stream| stream.name).collect()
    }

    /// It with all its columns, to be read in that mode.
    pub fn whole(&'static self, mode: Mode) -> Selected {
        Selected { stream: self, columns: self.columns.clone(), mode }
    }

    /// The place of the stream in [`STREAMS`].
    pub fn position(&self) -> usize {
        STREAMS.iter().position(|stream| std::ptr::eq(*stream, self)).unwrap_or_default()
    }
}

const fn schema<T: schemars::JsonSchema>() -> LazyLock<Value> {
    LazyLock::new(json_schema::<T>)
}

const fn columns<T: schemars::JsonSchema>() -> LazyLock<Columns> {
    LazyLock::new(|| Columns::of(&json_schema::<T>()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_what_every_target_takes() {
        for stream in STREAMS {
            let columns: Vec<_> = stream.columns.names().collect();
            for name in columns.iter().copied().chain([stream.name]) {
                assert!(name.len() < 50 && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_'), "{name}");
            }
            let lower: HashSet<_> = columns.iter().map(|name| name.to_lowercase()).collect();
            assert_eq!(lower.len(), columns.len(), "{}", stream.name);
        }
    }

    #[test]
    fn keys_and_cursors_are_columns_and_keys_are_never_null() {
        for stream in STREAMS {
            for key in stream.primary_key {
                assert_eq!(stream.schema["properties"][key]["type"], "string", "{}.{key}", stream.name);
            }
            if let Some(cursor) = stream.cursor {
                assert_eq!(stream.schema["properties"][cursor]["format"], "date-time", "{}.{cursor}", stream.name);
            }
        }
    }

    #[test]
    fn every_property_is_described_and_nullable_unless_it_is_an_id() {
        fn check(schema: &Value, path: &str) {
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                let path = format!("{path}.{name}");
                assert!(property["description"].as_str().is_some_and(|text| text.ends_with('.')), "{path} has no description");
                if property["type"] != "string" {
                    assert_eq!(property["type"][1], "null", "{path}");
                } else {
                    assert!(name.ends_with("id"), "{path}");
                }
                for forbidden in ["$ref", "anyOf", "oneOf", "enum", "additionalProperties"] {
                    assert!(property.get(forbidden).is_none(), "{path} has {forbidden}");
                }
                check(property, &path);
            }
        }
        for stream in STREAMS {
            check(&stream.schema, stream.name);
        }
    }
}
