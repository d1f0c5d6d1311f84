//! Fingerprints of messages that were skipped because they are damaged or too large. Only the first run that sees such a message reports
//! it.

use crate::state::MAX_SKIPPED_PER_PARTITION;

/// The fingerprints for one stream of a channel or thread.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct SkippedMessages {
    /// Reported by earlier runs and walks, as stored in the state.
    pub(super) reported: Vec<String>,
    /// Seen by the walk in progress.
    seen: Vec<String>,
    /// Whether an earlier run began the walk, so that this run does not see everything.
    is_resumed: bool,
}

impl SkippedMessages {
    pub(super) fn new(reported: Vec<String>, is_resumed: bool) -> Self {
        Self { reported, seen: Vec::new(), is_resumed }
    }

    /// Notes a skipped message. Returns whether no earlier run has reported it in its current form.
    pub(super) fn note(&mut self, fingerprint: String, is_walking: bool) -> bool {
        let is_new = !self.reported.contains(&fingerprint);
        // What a walk sees is kept until it ends; what delta shows is kept until the next walk ends.
        let fingerprints = if is_walking { &mut self.seen } else { &mut self.reported };
        if fingerprints.len() < MAX_SKIPPED_PER_PARTITION && !fingerprints.contains(&fingerprint) {
            fingerprints.push(fingerprint);
        }
        is_new
    }

    /// Ends a walk. If it has seen everything, its fingerprints replace the earlier ones.
    pub(super) fn end_walk(&mut self, is_finished: bool) {
        let mut fingerprints = std::mem::take(&mut self.seen);
        if self.is_resumed || !is_finished {
            let earlier: Vec<_> =
                std::mem::take(&mut self.reported).into_iter().filter(|fingerprint| !fingerprints.contains(fingerprint)).collect();
            fingerprints.extend(earlier);
            fingerprints.truncate(MAX_SKIPPED_PER_PARTITION);
        }
        self.reported = fingerprints;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fingerprints(reported: &[&str], is_resumed: bool) -> SkippedMessages {
        SkippedMessages::new(reported.iter().map(ToString::to_string).collect(), is_resumed)
    }

    #[test]
    fn a_message_is_new_unless_an_earlier_run_has_reported_it() {
        let mut fingerprints = fingerprints(&["a"], false);
        assert_eq!(["a", "b", "b"].map(|fingerprint| fingerprints.note(fingerprint.to_owned(), true)), [false, true, true]);
        assert_eq!(fingerprints.reported, ["a"], "the walk has not ended");
        assert_eq!(["b", "c", "c"].map(|fingerprint| fingerprints.note(fingerprint.to_owned(), false)), [true, true, false]);
        assert_eq!(fingerprints.reported, ["a", "b", "c"]);
    }

    #[test]
    fn a_walk_that_saw_everything_replaces_the_fingerprints_of_earlier_ones() {
        for (is_resumed, is_finished, kept) in [(false, true, vec!["b"]), (true, true, vec!["b", "a"]), (false, false, vec!["b", "a"])] {
            let mut fingerprints = fingerprints(&["a", "b"], is_resumed);
            fingerprints.note("b".to_owned(), true);
            fingerprints.end_walk(is_finished);
            assert_eq!(fingerprints.reported, kept, "{is_resumed} {is_finished}");
        }
    }

    #[test]
    fn the_number_of_fingerprints_is_limited() {
        let mut fingerprints = fingerprints(&["a"], true);
        (0..2 * MAX_SKIPPED_PER_PARTITION).for_each(|number| _ = fingerprints.note(number.to_string(), true));
        fingerprints.end_walk(true);
        assert_eq!(fingerprints.reported.len(), MAX_SKIPPED_PER_PARTITION);
        assert!(!fingerprints.reported.contains(&"a".to_owned()), "those of this walk take precedence");
    }
}
