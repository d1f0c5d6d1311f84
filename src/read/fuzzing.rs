//! Entry points for the package `fuzz` that process a page of delta.

use chrono::{DateTime, Utc};

use super::{channel::delta_cursor::DeltaPosition, channel_ref::ChannelRef};
use crate::{graph::Page, level::CHANNEL, record::Columns, state::Position};

pub fn write_removed(columns: &Columns, team: &str, channel: &str, id: &str, now: DateTime<Utc>, out: &mut Vec<u8>) {
    ChannelRef::new(team, channel).write_removed(columns, id, now, out);
}

/// Stores the position after a page of delta in the state of the channel with this key.
pub fn follow_delta_links(state: &mut Position, key: &str, page: &Page) {
    let (delta_link, delta) = (state.delta_link.take(), std::mem::take(&mut state.delta));
    let mut position = DeltaPosition { delta_link, delta_at: state.delta_at, delta };
    position.store_links(key, &CHANNEL.trail(), page.date().trusted(None), page.next(), page.delta());
    (state.delta_link, state.delta_at, state.delta) = (position.delta_link, position.delta_at, position.delta);
}
