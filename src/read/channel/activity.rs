//! The activity of messages and threads: when something in them last changed.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::{graph::Item, record::instant, state::BEGINNING};

/// The newest time of a message or a thread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Activity {
    /// There are no messages.
    None,
    Known(DateTime<Utc>),
    /// A message has no readable time: the thread may be newer than all others.
    Unknown,
}

impl Activity {
    /// The newest time of one message. Graph may omit lastModifiedDateTime for messages that were never changed (graph.md 3); then the
    /// creation time counts.
    pub(crate) fn from_message(message: Item<'_>) -> Self {
        let changed = message.times().filter_map(|text| instant(&text)).max();
        changed.or_else(|| instant(&message.created()?)).map_or(Self::Unknown, Self::Known)
    }

    /// The newest time of a thread; unknown while replies are missing.
    pub(crate) fn from_thread(root: Item<'_>) -> Self {
        match root.replies_next() {
            Some(_) => Self::Unknown,
            None => root.replies().map(Self::from_message).fold(Self::from_message(root), Self::later),
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

/// The time that is `by` earlier, but not before [`BEGINNING`].
pub(crate) fn before(time: DateTime<Utc>, by: Duration) -> DateTime<Utc> {
    TimeDelta::from_std(by).ok().and_then(|by| time.checked_sub_signed(by)).unwrap_or(BEGINNING).max(BEGINNING)
}
