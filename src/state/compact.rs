//! A compact form of a partition's position. A state can have a million partitions, and most of them are idle.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::{BEGINNING, DeltaState, Position, RoundState, WalkState, links};
use crate::level::Trail;

/// A [`Position`] with its links shortened as in the state.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct CompactPosition {
    pub(super) cursor: Option<DateTime<Utc>>,
    pub(super) read_at: Option<DateTime<Utc>>,
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) delta_at: Option<DateTime<Utc>>,
    pub(super) delta_link: Option<Box<str>>,
    /// The fields that an idle partition does not have.
    pub(super) extra: Option<Box<Extra>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Extra {
    pub(super) gap_at: Option<DateTime<Utc>>,
    pub(super) walk: Option<WalkState>,
    pub(super) delta: DeltaState,
    pub(super) import: Option<String>,
    pub(super) skipped: Vec<String>,
}

impl CompactPosition {
    /// The compact form of the position of the partition with this key.
    pub(super) fn new(position: Position, key: &str, trail: &Trail) -> Self {
        let shorten = |link: String| match links::shorten(&link, key, trail) {
            Cow::Owned(short) => short,
            Cow::Borrowed(short) if short.len() == link.len() => link,
            Cow::Borrowed(short) => short.to_owned(),
        };
        let walk = position.walk.map(|walk| WalkState { link: walk.link.map(shorten), ..walk });
        let round = position.delta.round.map(|round| RoundState { link: shorten(round.link), ..round });
        let delta = DeltaState { round, ..position.delta };
        let extra = Extra { gap_at: position.gap_at, walk, delta, import: position.import, skipped: position.skipped };
        Self {
            cursor: position.last_modified_date_time,
            read_at: position.read_at,
            since: position.since.filter(|since| *since > BEGINNING),
            delta_at: position.delta_at,
            delta_link: position.delta_link.map(|link| shorten(link).into_boxed_str()),
            extra: (extra != Extra::default()).then(|| Box::new(extra)),
        }
    }

    /// Whether any time of Graph's clock in it is later than `time`.
    pub(super) fn has_date_after(&self, time: DateTime<Utc>) -> bool {
        let latest_in_extra = |extra: &Extra| {
            let walk = extra.walk.iter().flat_map(WalkState::dates);
            walk.chain(extra.gap_at).chain(extra.delta.refused_at).chain(extra.delta.round.as_ref().map(|round| round.at)).max()
        };
        [self.read_at, self.delta_at, self.extra.as_deref().and_then(latest_in_extra)].into_iter().flatten().any(|date| date > time)
    }

    /// The position of the partition with this key. Links that cannot be expanded are dropped.
    pub(super) fn expand(&self, key: &str, trail: &Trail) -> Position {
        let expand = |link: &str| links::expand(link, key, trail);
        let Extra { gap_at, walk, delta, import, skipped } = self.extra.as_deref().cloned().unwrap_or_default();
        let round = delta.round.and_then(|round| Some(RoundState { link: expand(&round.link)?, ..round }));
        Position {
            last_modified_date_time: self.cursor,
            read_at: self.read_at,
            since: self.since,
            gap_at,
            walk: walk.map(|walk| WalkState { link: walk.link.as_deref().and_then(expand), ..walk }),
            delta_link: self.delta_link.as_deref().and_then(expand),
            delta_at: self.delta_at,
            delta: DeltaState { round, ..delta },
            import,
            skipped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_partition_takes_little_memory() {
        assert!(size_of::<CompactPosition>() <= 72, "{}", size_of::<CompactPosition>());
    }
}
