//! What the package `fuzz` needs of this layer: what becomes of a page of delta.

use chrono::{DateTime, Utc};

use super::{channel::delta_cursor::DeltaPosition, place::Place};
use crate::{graph::Page, level::CHANNEL, record::Columns, state::Position};

/// Appends the record of a message that a page reports as removed.
pub fn write_removed(columns: &Columns, team: &str, channel: &str, id: &str, now: DateTime<Utc>, out: &mut Vec<u8>) {
    Place::named(team, channel).write_removed(columns, id, now, out);
}

/// Takes note of where delta goes on behind a page, in the state of the channel of this key.
pub fn follow_delta_links(state: &mut Position, key: &str, page: &Page) {
    let (delta_link, delta) = (state.delta_link.take(), std::mem::take(&mut state.delta));
    let mut position = DeltaPosition { delta_link, delta_at: state.delta_at, delta };
    position.follow(key, &CHANNEL.trail(), page.date().believed(None), page.next(), page.delta());
    (state.delta_link, state.delta_at, state.delta) = (position.delta_link, position.delta_at, position.delta);
}
