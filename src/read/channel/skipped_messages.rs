//! Fingerprints of messages that were skipped because they are damaged or too large. Only the first run that sees such a message reports
//! it.

use crate::state::MAX_DAMAGE_PER_PARTITION;

/// The fingerprints for one stream of a channel or thread.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SkippedMessages {
    /// Reported by earlier runs and walks, as stored in the state.
    pub(super) reported: Vec<String>,
    /// Seen by the walk in progress.
    met: Vec<String>,
    /// Whether an earlier run began the walk, so that this run does not see everything.
    is_resumed: bool,
}

impl SkippedMessages {
    pub(super) fn new(reported: Vec<String>, is_resumed: bool) -> Self {
        Self { reported, met: Vec::new(), is_resumed }
    }

    /// Notes a skipped message. Returns whether no earlier run has reported it in its current form.
    pub(super) fn note(&mut self, mark: String, is_walking: bool) -> bool {
        let is_new = !self.reported.contains(&mark);
        // What a walk sees is kept until it ends; what delta shows is kept until the next walk ends.
        let marks = if is_walking { &mut self.met } else { &mut self.reported };
        if marks.len() < MAX_DAMAGE_PER_PARTITION && !marks.contains(&mark) {
            marks.push(mark);
        }
        is_new
    }

    /// Ends a walk. If it has seen everything, its fingerprints replace the earlier ones.
    pub(super) fn end_walk(&mut self, is_finished: bool) {
        let mut marks = std::mem::take(&mut self.met);
        if self.is_resumed || !is_finished {
            let earlier: Vec<_> = std::mem::take(&mut self.reported).into_iter().filter(|mark| !marks.contains(mark)).collect();
            marks.extend(earlier);
            marks.truncate(MAX_DAMAGE_PER_PARTITION);
        }
        self.reported = marks;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(reported: &[&str], is_resumed: bool) -> SkippedMessages {
        SkippedMessages::new(reported.iter().map(ToString::to_string).collect(), is_resumed)
    }

    #[test]
    fn a_mark_is_new_unless_an_earlier_run_has_reported_it() {
        let mut marks = marks(&["a"], false);
        assert_eq!(["a", "b", "b"].map(|mark| marks.note(mark.to_owned(), true)), [false, true, true]);
        assert_eq!(marks.reported, ["a"], "the walk has not ended");
        assert_eq!(["b", "c", "c"].map(|mark| marks.note(mark.to_owned(), false)), [true, true, false]);
        assert_eq!(marks.reported, ["a", "b", "c"]);
    }

    #[test]
    fn a_walk_that_met_everything_replaces_the_marks_of_earlier_ones() {
        for (is_resumed, is_finished, kept) in [(false, true, vec!["b"]), (true, true, vec!["b", "a"]), (false, false, vec!["b", "a"])] {
            let mut marks = marks(&["a", "b"], is_resumed);
            marks.note("b".to_owned(), true);
            marks.end_walk(is_finished);
            assert_eq!(marks.reported, kept, "{is_resumed} {is_finished}");
        }
    }

    #[test]
    fn there_is_room_for_some_marks() {
        let mut marks = marks(&["a"], true);
        (0..2 * MAX_DAMAGE_PER_PARTITION).for_each(|number| _ = marks.note(number.to_string(), true));
        marks.end_walk(true);
        assert_eq!(marks.reported.len(), MAX_DAMAGE_PER_PARTITION);
        assert!(!marks.reported.contains(&"a".to_owned()), "those of this walk come first");
    }
}
