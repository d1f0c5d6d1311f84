//! Tracks how far down the list of threads a pass has come. The list is sorted by activity.

use chrono::{DateTime, Utc};

use super::activity::Activity;

/// The activities of the last two threads. If both are below a bound, so are all further threads. A single thread may be higher in the list
/// than its times suggest, for example if its newest reply was permanently deleted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Depth {
    last: Option<DateTime<Utc>>,
    previous: Option<DateTime<Utc>>,
}

impl Depth {
    /// Notes the next thread. A thread whose activity is unknown is ignored.
    pub(crate) fn note(&mut self, activity: Activity) {
        if let Activity::Known(time) = activity {
            (self.previous, self.last) = (self.last, Some(time));
        }
    }

    pub(crate) fn is_below(self, bound: DateTime<Utc>) -> bool {
        self.last.zip(self.previous).is_some_and(|(last, previous)| last < bound && previous < bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_threads_in_a_row_below_a_bound_show_that_all_further_ones_are_below_it() {
        let at = |hour: i64| Activity::Known(DateTime::from_timestamp(hour * 3600, 0).unwrap());
        let is_below = |activities: &[Activity]| {
            let mut depth = Depth::default();
            activities.iter().for_each(|&activity| depth.note(activity));
            depth.is_below(DateTime::from_timestamp(5 * 3600, 0).unwrap())
        };
        assert!(!is_below(&[]));
        assert!(!is_below(&[at(4)]), "a single thread may be misplaced");
        assert!(!is_below(&[at(4), at(5)]));
        assert!(!is_below(&[at(4), at(6), at(4)]));
        assert!(is_below(&[at(6), at(4), at(3)]));
        assert!(is_below(&[at(4), Activity::Unknown, Activity::None, at(3)]), "a thread without a time is ignored");
    }
}
