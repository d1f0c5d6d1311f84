//! What is kept of a partition between two looks at it, in as few bytes as it takes: there are many, and most are idle.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::{BEGINNING, DeltaState, Position, RoundState, WalkState, links};
use crate::level::Trail;

/// A [`Position`], with its links as they are written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entry {
    pub(super) cursor: Option<DateTime<Utc>>,
    pub(super) read_at: Option<DateTime<Utc>>,
    pub(super) since: Option<DateTime<Utc>>,
    pub(super) delta_at: Option<DateTime<Utc>>,
    pub(super) delta_link: Option<Box<str>>,
    /// What an idle partition does not have.
    pub(super) busy: Option<Box<Busy>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Busy {
    pub(super) gap_at: Option<DateTime<Utc>>,
    pub(super) walk: Option<WalkState>,
    pub(super) delta: DeltaState,
    pub(super) import: Option<String>,
    pub(super) damage: Vec<String>,
}

impl Entry {
    /// What is kept of the partition of this key.
    pub(super) fn new(position: Position, key: &str, trail: &Trail) -> Self {
        let short = |link: String| match links::shortened(&link, key, trail) {
            Cow::Owned(short) => short,
            Cow::Borrowed(short) if short.len() == link.len() => link,
            Cow::Borrowed(short) => short.to_owned(),
        };
        let walk = position.walk.map(|walk| WalkState { link: walk.link.map(short), ..walk });
        let round = position.delta.round.map(|round| RoundState { link: short(round.link), ..round });
        let delta = DeltaState { round, ..position.delta };
        let busy = Busy { gap_at: position.gap_at, walk, delta, import: position.import, damage: position.damage };
        Self {
            cursor: position.last_modified_date_time,
            read_at: position.read_at,
            since: position.since.filter(|since| *since > BEGINNING),
            delta_at: position.delta_at,
            delta_link: position.delta_link.map(|link| short(link).into_boxed_str()),
            busy: (busy != Busy::default()).then(|| Box::new(busy)),
        }
    }

    /// Whether a time of Graph's clock is later than this.
    pub(super) fn has_date_after(&self, time: DateTime<Utc>) -> bool {
        let of_busy = |busy: &Busy| {
            let walk = busy.walk.iter().flat_map(WalkState::dates);
            walk.chain(busy.gap_at).chain(busy.delta.refused_at).chain(busy.delta.round.as_ref().map(|round| round.at)).max()
        };
        [self.read_at, self.delta_at, self.busy.as_deref().and_then(of_busy)].into_iter().flatten().any(|date| date > time)
    }

    /// Where the partition of this key can go on. A link that cannot be made out is left out.
    pub(super) fn position(&self, key: &str, trail: &Trail) -> Position {
        let whole = |link: &str| links::whole(link, key, trail);
        let Busy { gap_at, walk, delta, import, damage } = self.busy.as_deref().cloned().unwrap_or_default();
        let round = delta.round.and_then(|round| Some(RoundState { link: whole(&round.link)?, ..round }));
        Position {
            last_modified_date_time: self.cursor,
            read_at: self.read_at,
            since: self.since,
            gap_at,
            walk: walk.map(|walk| WalkState { link: walk.link.as_deref().and_then(whole), ..walk }),
            delta_link: self.delta_link.as_deref().and_then(whole),
            delta_at: self.delta_at,
            delta: DeltaState { round, ..delta },
            import,
            damage,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_partition_takes_few_bytes() {
        assert!(size_of::<Entry>() <= 72, "{}", size_of::<Entry>());
    }
}
