//! The times of messages and chains: what is new, and how new.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{graph::Item, record::instant, state::BEGINNING};

/// The newest time of a message or a chain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Activity {
    /// There is no message.
    None,
    Known(DateTime<Utc>),
    /// A message has no time that could be read: the chain may be newer than all others.
    Unknown,
}

impl Activity {
    /// The newest time of one message. Graph has left out lastModifiedDateTime of what was never changed (graph.md 3): then its creation counts.
    pub(crate) fn of(message: Item<'_>) -> Self {
        let changed = message.times().filter_map(|text| instant(&text)).max();
        changed.or_else(|| instant(&message.created()?)).map_or(Self::Unknown, Self::Known)
    }

    /// The newest time of a chain: unknown while replies are missing.
    pub(crate) fn of_chain(chain: Item<'_>) -> Self {
        match chain.replies_next() {
            Some(_) => Self::Unknown,
            None => chain.replies().map(Self::of).fold(Self::of(chain), Self::later),
        }
    }

    pub(crate) fn later(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::None, activity) | (activity, Self::None) => activity,
            (Self::Known(one), Self::Known(other)) => Self::Known(one.max(other)),
        }
    }

    pub(crate) fn known(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Known(time) => Some(time),
            Self::None | Self::Unknown => None,
        }
    }
}

/// A time, and so much before it.
pub(crate) fn before(time: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| time.checked_sub_signed(by)).unwrap_or(BEGINNING).max(BEGINNING)
}
