//! How far down a walk has read its channel. Together with the activity of a chain, this shows whether the walk has read it before.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::activity::{Activity, before};
use crate::state::BEGINNING;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reach {
    /// Chains with at least this activity may have moved since the run began to read, so their previous place is unknown.
    movable: Option<DateTime<Utc>>,
    /// The oldest activity on the pages before this one.
    oldest: Option<DateTime<Utc>>,
    /// The newest activity on the previous page: pages shift by less than a page.
    newest: Option<DateTime<Utc>>,
    /// Whether the walk is reading again what it has read before.
    is_rereading: bool,
}

impl Reach {
    /// The run begins to read at this time of Graph's clock. `overlap` is its tolerance.
    pub(crate) fn begin(&mut self, began: DateTime<Utc>, overlap: Duration) {
        self.movable.get_or_insert(before(began, overlap));
    }

    /// The walk has read a page with chains of these activities.
    pub(crate) fn note_page(&mut self, activities: impl Iterator<Item = DateTime<Utc>> + Clone) {
        let oldest = activities.clone().min();
        self.is_rereading &= oldest >= self.oldest;
        self.oldest = [self.oldest, oldest].into_iter().flatten().min();
        self.newest = activities.max().or(self.newest);
    }

    /// The walk starts again from the top.
    pub(crate) fn restart(&mut self) {
        self.is_rereading = true;
    }

    /// A pass has read everything that is needed; the next one reads a part of it again.
    pub(crate) fn note_bottom(&mut self) {
        (self.oldest, self.is_rereading) = (Some(BEGINNING), true);
    }

    /// The oldest activity that the walk has seen in this run.
    pub(crate) fn oldest(&self) -> Option<DateTime<Utc>> {
        self.oldest
    }

    /// Whether the walk has read a chain of this activity before; [`None`] if that cannot be known.
    pub(crate) fn has_read(&self, chain: Activity) -> Option<bool> {
        let activity = chain.known()?;
        let (movable, oldest) = (self.movable?, self.oldest?);
        if activity >= movable || activity == oldest {
            return None;
        }
        if activity < oldest {
            return Some(false);
        }
        (self.is_rereading || self.newest.is_some_and(|newest| activity <= newest)).then_some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(hour: u32) -> DateTime<Utc> {
        format!("2026-11-20T{hour:02}:00:00Z").parse().unwrap()
    }

    /// What is known about chains with activity at these hours.
    fn known<const N: usize>(reach: &Reach, hours: [u32; N]) -> [Option<bool>; N] {
        hours.map(|hour| reach.has_read(Activity::Known(time(hour))))
    }

    #[test]
    fn a_chain_that_did_not_move_was_read_at_its_place() {
        let mut reach = Reach::default();
        reach.begin(time(20), Duration::from_secs(3600));
        assert_eq!(known(&reach, [10]), [None], "nothing was read");
        reach.note_page([time(18), time(15)].into_iter());
        reach.note_page([time(14), time(10)].into_iter());
        let (moved, shifted, tie, below, long_ago) = (19, 13, 10, 9, 16);
        assert_eq!(known(&reach, [moved, shifted, tie, below, long_ago]), [None, Some(true), None, Some(false), None]);
        reach.restart();
        assert_eq!(known(&reach, [moved, shifted, tie, below, long_ago]), [None, Some(true), None, Some(false), Some(true)]);
        reach.note_page([time(18), time(15)].into_iter());
        assert_eq!(known(&reach, [long_ago]), [Some(true)]);
        reach.note_page([time(9), time(8)].into_iter());
        assert_eq!(known(&reach, [long_ago, 9]), [None, Some(true)]);
        reach.note_bottom();
        assert_eq!(known(&reach, [moved, 1]), [None, Some(true)]);
    }
}
