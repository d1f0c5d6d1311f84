//! A channel, with the team above it: the ids that its records have, and what Graph says of it.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    graph::Item,
    level::Partition,
    record::{Columns, Derived, instant},
};

/// A channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'c> {
    pub(crate) team: &'c str,
    pub(crate) channel: &'c str,
    pub(crate) facts: Facts,
}

/// What Graph says of a channel, as far as it was asked.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    /// When it was created.
    pub(crate) created: Option<DateTime<Utc>>,
    /// A hash of what it says of an import of its history.
    import: Option<u32>,
}

impl Facts {
    /// Of a channel, as Graph lists it.
    pub(crate) fn of(channel: Item<'_>) -> Self {
        let import = ["migrationMode", "originalCreatedDateTime"].map(|name| channel.value(name).unwrap_or("null"));
        Self {
            created: channel.created().and_then(|text| instant(&text)),
            import: (import != ["null"; 2]).then(|| xxh3_64(import.join(" ").as_bytes()) as u32),
        }
    }

    /// What it says of an import of its history, as a state has it; [`None`]: nothing.
    pub(crate) fn import(self) -> Option<String> {
        self.import.map(|import| format!("{import:08x}"))
    }
}

/// What each record of a list has beside what Graph sends: the ids of the parents.
pub(crate) fn derived(of: &Partition) -> Vec<(&'static str, Derived<'_>)> {
    of.columns().map(|(column, id)| (column, Derived::Text(id))).collect()
}

impl<'c> Place<'c> {
    /// A channel of which nothing is known but its id.
    pub(crate) fn named(team: &'c str, channel: &'c str) -> Self {
        Self { team, channel, facts: Facts::default() }
    }

    /// What is done there, for errors.
    pub(crate) fn task(self) -> String {
        format!("read the messages of channel {} of team {}", self.channel, self.team)
    }

    /// What a record of a message there says beside what Graph sends.
    pub(crate) fn derived(self) -> [(&'static str, Derived<'c>); 2] {
        [("team_id", Derived::Text(self.team)), ("channel_id", Derived::Text(self.channel))]
    }

    /// Appends the record of a message that Graph reports as removed: that it is deleted is all that is known.
    pub(crate) fn write_removed(self, columns: &Columns, id: &str, now: DateTime<Utc>, out: &mut Vec<u8>) {
        let json = |text: &str| Value::from(text).to_string();
        let (id, now) = (json(id), json(&now.to_rfc3339_opts(SecondsFormat::Secs, true)));
        let fields = [("id", id.as_str()), ("lastModifiedDateTime", now.as_str())];
        let [team, channel] = self.derived();
        columns.write(fields.into_iter(), &[team, channel, ("is_removed", Derived::True)], out);
    }
}
