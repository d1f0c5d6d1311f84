//! The state of a stream, as a run keeps it.

use super::{
    channel::ChannelState,
    partitions::{Group, Partitions},
    version::Full,
};
use crate::level::{ids, join};

/// The number of hashes of items that were left out which are remembered for a stream.
pub const MOST_DAMAGE: usize = 1000;

/// What a stream's state holds, the same in both protocols. A clone shares what neither changes.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamState {
    /// Hashes of items of lists that were left out, damaged or too large, and reported.
    pub(super) damage: Vec<String>,
    /// Of a stream that is read in full each time there is nothing more.
    pub(super) channels: Option<Channels>,
}

/// Where the channels and threads of a stream can go on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Channels {
    /// The tenant that was read.
    pub(super) tenant: String,
    /// Written while a full refresh is under way. Only another full refresh takes up its channels.
    pub(super) full: Option<Full>,
    pub(super) partitions: Partitions,
}

impl StreamState {
    /// The state of a stream that is read in full each time.
    pub fn of_snapshot() -> Self {
        Self { damage: Vec::new(), channels: None }
    }

    /// The state of a stream of channels that were not read yet.
    pub fn of_channels(tenant: &str) -> Self {
        Self { damage: Vec::new(), channels: Some(Channels::new(tenant)) }
    }

    /// What is known of a channel, or of a thread.
    pub fn channel(&self, key: &str) -> Option<ChannelState> {
        self.channels.as_ref()?.partitions.get(key)
    }

    /// The keys of what is known.
    pub fn keys(&self) -> impl Iterator<Item = String> {
        let groups = self.channels.iter().flat_map(|own| own.partitions.groups());
        groups.flat_map(|(parents, group)| group.iter().map(move |(id, _)| join(parents, id)))
    }

    /// The ids right below a parent of what is known, by its key; some of them twice. The key of the tenant is empty.
    pub fn below(&self, parent: &str) -> Vec<String> {
        let depth = ids(parent).count();
        let groups = self.channels.iter().flat_map(|own| own.partitions.below(parent));
        let of_group = |(parents, group): (&str, &Group)| -> Vec<String> {
            match ids(parents).nth(depth) {
                Some(id) => vec![id],
                None => group.iter().map(|(id, _)| id.to_owned()).collect(),
            }
        };
        let mut below: Vec<_> = groups.flat_map(of_group).collect();
        // Groups of one parent follow each other.
        below.dedup();
        below
    }

    /// Whether something is known of a parent or below it, by its key.
    pub fn knows(&self, key: &str) -> bool {
        self.channel(key).is_some() || self.channels.as_ref().is_some_and(|own| own.partitions.below(key).next().is_some())
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.damage.is_empty() && self.channels.as_ref().is_none_or(|own| own.partitions.is_empty())
    }

    /// Takes note of a channel; [`None`]: it is gone, and all that is known below it. The key of a team stands for all its channels.
    pub fn set(&mut self, key: &str, channel: Option<ChannelState>) {
        let Some(own) = &mut self.channels else { return };
        if let (Some(full), Some(began)) = (&mut own.full, channel.as_ref().and_then(ChannelState::began)) {
            // Its channels are dated by different machines, and some of them begin before the one that is the first to report.
            full.mark = Some(full.mark.map_or(began, |mark| mark.min(began)));
        }
        match channel {
            Some(channel) => own.partitions.set(key, channel),
            None => own.partitions.remove(key),
        }
    }

    /// Hashes of items of lists that were left out, damaged or too large, and reported.
    pub fn damage(&self) -> &[String] {
        &self.damage
    }

    /// Takes note of the items of lists that were left out and reported.
    pub fn set_damage(&mut self, damage: Vec<String>) {
        self.damage = damage;
    }

    /// Whether it was written in the midst of a full refresh.
    pub fn is_full(&self) -> bool {
        self.channels.as_ref().is_some_and(|own| own.full.is_some())
    }

    /// The full refresh is no longer under way.
    pub fn end_full_refresh(&mut self) {
        if let Some(own) = &mut self.channels {
            own.full = None;
        }
    }
}

impl Channels {
    pub(super) fn new(tenant: &str) -> Self {
        Self { tenant: tenant.to_owned(), full: None, partitions: Partitions::default() }
    }
}
