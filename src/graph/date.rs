//! When Graph answered, and how far that can be believed.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// So far beyond Graph's clock a message may be: its machines differ. What is further in the future says nothing of the time.
pub const SKEW: TimeDelta = TimeDelta::minutes(5);

/// When Graph answered: its own date, and our clock when it was asked.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnswerDate {
    stated: DateTime<Utc>,
    asked: DateTime<Utc>,
}

impl AnswerDate {
    /// Of an answer with this `Date`, to what was asked at that time of our own clock. Without a `Date` our own clock must do.
    pub fn new(stated: Option<DateTime<Utc>>, asked: DateTime<Utc>) -> Self {
        Self { stated: stated.unwrap_or(asked), asked }
    }

    /// The date as Graph wrote it.
    pub fn stated(self) -> DateTime<Utc> {
        self.stated
    }

    /// Graph's clock as far as it can be believed: a date ahead of our own clock counts only up to `shown`, the time of the newest message. If
    /// a run trusts a date of the future, the next ones take what was written since for read; a time that is too early costs a repeat.
    pub fn believed(self, shown: Option<DateTime<Utc>>) -> DateTime<Utc> {
        let is_possible = |shown: &DateTime<Utc>| *shown - self.stated <= SKEW;
        let latest = shown.filter(is_possible).map_or(self.asked, |shown| shown.max(self.asked));
        // In whole seconds, as Graph's dates are: states are shorter by that.
        self.stated.min(latest.trunc_subsecs(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_believed_as_far_as_our_own_clock_or_a_message_has_come() {
        let time = |hour: u32| format!("2026-11-20T{hour:02}:00:00Z").parse().unwrap();
        let believed = |stated: u32, own: u32, shown: Option<u32>| AnswerDate::new(Some(time(stated)), time(own)).believed(shown.map(time));
        assert_eq!(believed(10, 10, None), time(10));
        assert_eq!(believed(10, 23, Some(23)), time(10), "our own clock is ahead");
        assert_eq!(believed(23, 10, None), time(10), "the date is ahead");
        assert_eq!(believed(23, 10, Some(9)), time(10));
        assert_eq!(believed(23, 10, Some(22)), time(22), "our own clock is late: a message shows it");
        assert_eq!(believed(22, 10, Some(23)), time(10), "no message can be so new");
        let moment = TimeDelta::milliseconds(999);
        assert_eq!(AnswerDate::new(Some(time(23)), time(10) + moment).believed(Some(time(11) + moment)), time(11));
        assert_eq!(AnswerDate::new(None, time(10)).believed(Some(time(22))), time(10));
    }
}
