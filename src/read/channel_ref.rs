//! A channel and its team: the ids that its records contain, and what Graph reports about it.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    graph::Item,
    level::Partition,
    record::{Added, Columns, instant},
};

#[derive(Clone, Copy, Debug)]
pub(crate) struct ChannelRef<'c> {
    pub(crate) team_id: &'c str,
    pub(crate) id: &'c str,
    pub(crate) facts: ChannelFacts,
}

/// The properties of a channel that were requested from Graph.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ChannelFacts {
    pub(crate) created: Option<DateTime<Utc>>,
    /// Hash of the properties that change when history is imported into the channel.
    import: Option<u32>,
}

impl ChannelFacts {
    /// From an item of the list of channels.
    pub(crate) fn from_item(channel: Item<'_>) -> Self {
        let import = ["migrationMode", "originalCreatedDateTime"].map(|name| channel.value(name).unwrap_or("null"));
        Self {
            created: channel.created().and_then(|text| instant(&text)),
            import: (import != ["null"; 2]).then(|| xxh3_64(import.join(" ").as_bytes()) as u32),
        }
    }

    /// The same hash as stored in a state; [`None`] if there was no import.
    pub(crate) fn import(self) -> Option<String> {
        self.import.map(|import| format!("{import:08x}"))
    }
}

/// The columns that are added to each record of a list: the ids of its parents.
pub(crate) fn id_columns(parent: &Partition) -> Vec<(&'static str, Added<'_>)> {
    parent.columns().map(|(column, id)| (column, Added::Text(id))).collect()
}

impl<'c> ChannelRef<'c> {
    /// A channel of which only the ids are known.
    pub(crate) fn new(team_id: &'c str, id: &'c str) -> Self {
        Self { team_id, id, facts: ChannelFacts::default() }
    }

    /// The task that error messages name.
    pub(crate) fn task(self) -> String {
        format!("read the messages in channel {} of team {}", self.id, self.team_id)
    }

    /// The columns that are added to each record of a message.
    pub(crate) fn id_columns(self) -> [(&'static str, Added<'c>); 2] {
        [("team_id", Added::Text(self.team_id)), ("channel_id", Added::Text(self.id))]
    }

    /// Appends the record of a message that Graph reports as removed. Only the fact of its deletion is known.
    pub(crate) fn write_removed(self, columns: &Columns, id: &str, now: DateTime<Utc>, out: &mut Vec<u8>) {
        let json = |text: &str| Value::from(text).to_string();
        let (id, now) = (json(id), json(&now.to_rfc3339_opts(SecondsFormat::Secs, true)));
        let fields = [("id", id.as_str()), ("lastModifiedDateTime", now.as_str())];
        let [team, channel] = self.id_columns();
        columns.write(fields.into_iter(), &[team, channel, ("is_removed", Added::True)], out);
    }
}
