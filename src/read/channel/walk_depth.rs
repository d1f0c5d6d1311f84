//! Tracks how far down a walk has read its channel. Together with a thread's activity, this shows whether the walk has read that thread
//! before.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::activity::{Activity, before};
use crate::state::BEGINNING;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WalkDepth {
    /// Threads with this or later activity may have moved since the run began to read, so their previous place is unknown.
    movable: Option<DateTime<Utc>>,
    /// The oldest activity on all previous pages.
    oldest: Option<DateTime<Utc>>,
    /// The newest activity on the previous page: pages shift by less than a page.
    newest: Option<DateTime<Utc>>,
    /// Whether the walk is reading threads that it has read before.
    is_rereading: bool,
}

impl WalkDepth {
    /// Notes that the run began to read at this time by Graph's clock, with this overlap of incremental reads.
    pub(crate) fn begin(&mut self, began: DateTime<Utc>, overlap: Duration) {
        self.movable.get_or_insert(before(began, overlap));
    }

    /// Notes that the walk has read a page of threads with these activities.
    pub(crate) fn note_page(&mut self, activities: impl Iterator<Item = DateTime<Utc>> + Clone) {
        let oldest = activities.clone().min();
        self.is_rereading &= oldest >= self.oldest;
        self.oldest = [self.oldest, oldest].into_iter().flatten().min();
        self.newest = activities.max().or(self.newest);
    }

    /// Notes that the walk starts again from the top.
    pub(crate) fn restart(&mut self) {
        self.is_rereading = true;
    }

    /// Notes that a pass has read everything that is needed. The next pass reads a part of it again.
    pub(crate) fn mark_bottom_reached(&mut self) {
        (self.oldest, self.is_rereading) = (Some(BEGINNING), true);
    }

    /// The oldest activity that the walk has seen in this run.
    pub(crate) fn oldest(&self) -> Option<DateTime<Utc>> {
        self.oldest
    }

    /// Whether the walk has read a thread with this activity before; [`None`] if that is uncertain.
    pub(crate) fn has_read(&self, thread: Activity) -> Option<bool> {
        let activity = thread.known()?;
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

    /// Whether threads with activity at these hours have been read.
    fn known<const N: usize>(walk_depth: &WalkDepth, hours: [u32; N]) -> [Option<bool>; N] {
        hours.map(|hour| walk_depth.has_read(Activity::Known(time(hour))))
    }

    #[test]
    fn a_thread_that_did_not_move_was_read_at_its_place() {
        let mut walk_depth = WalkDepth::default();
        walk_depth.begin(time(20), Duration::from_secs(3600));
        assert_eq!(known(&walk_depth, [10]), [None], "nothing was read");
        walk_depth.note_page([time(18), time(15)].into_iter());
        walk_depth.note_page([time(14), time(10)].into_iter());
        let (moved, shifted, tie, below, long_ago) = (19, 13, 10, 9, 16);
        assert_eq!(known(&walk_depth, [moved, shifted, tie, below, long_ago]), [None, Some(true), None, Some(false), None]);
        walk_depth.restart();
        assert_eq!(known(&walk_depth, [moved, shifted, tie, below, long_ago]), [None, Some(true), None, Some(false), Some(true)]);
        walk_depth.note_page([time(18), time(15)].into_iter());
        assert_eq!(known(&walk_depth, [long_ago]), [Some(true)]);
        walk_depth.note_page([time(9), time(8)].into_iter());
        assert_eq!(known(&walk_depth, [long_ago, 9]), [None, Some(true)]);
        walk_depth.mark_bottom_reached();
        assert_eq!(known(&walk_depth, [moved, 1]), [None, Some(true)]);
    }
}
