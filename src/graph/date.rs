//! The date of a response, limited to what the local clock and the messages make plausible.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// How far the time of a message may be ahead of Graph's clock, because the clocks of Graph's machines differ. Later times are ignored.
pub const MAX_CLOCK_SKEW: TimeDelta = TimeDelta::minutes(5);

/// The date of a response: Graph's `Date`, and the time of the request according to the local clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResponseDate {
    sent: DateTime<Utc>,
    requested_at: DateTime<Utc>,
}

impl ResponseDate {
    /// Uses the local clock if there is no `Date` header.
    pub fn new(sent: Option<DateTime<Utc>>, requested_at: DateTime<Utc>) -> Self {
        Self { sent: sent.unwrap_or(requested_at), requested_at }
    }

    /// The `Date` header as sent by Graph.
    pub fn as_sent(self) -> DateTime<Utc> {
        self.sent
    }

    /// The `Date` header, limited to the later of the local clock and `newest`, the time of the newest message. A time in the future would
    /// make later runs skip messages, whereas a time that is too early only makes them read some messages again.
    pub fn trusted(self, newest: Option<DateTime<Utc>>) -> DateTime<Utc> {
        let is_plausible = |newest: &DateTime<Utc>| *newest - self.sent <= MAX_CLOCK_SKEW;
        let latest = newest.filter(is_plausible).map_or(self.requested_at, |newest| newest.max(self.requested_at));
        // Whole seconds, as in Graph's dates, keep states short.
        self.sent.min(latest.trunc_subsecs(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_limited_to_the_local_clock_or_the_newest_message() {
        let time = |hour: u32| format!("2026-11-20T{hour:02}:00:00Z").parse().unwrap();
        let trusted =
            |sent: u32, local: u32, newest: Option<u32>| ResponseDate::new(Some(time(sent)), time(local)).trusted(newest.map(time));
        assert_eq!(trusted(10, 10, None), time(10));
        assert_eq!(trusted(10, 23, Some(23)), time(10), "the local clock is ahead");
        assert_eq!(trusted(23, 10, None), time(10), "the date is ahead");
        assert_eq!(trusted(23, 10, Some(9)), time(10));
        assert_eq!(trusted(23, 10, Some(22)), time(22), "a message shows that the local clock is behind");
        assert_eq!(trusted(22, 10, Some(23)), time(10), "no message can be that new");
        let fraction = TimeDelta::milliseconds(999);
        assert_eq!(ResponseDate::new(Some(time(23)), time(10) + fraction).trusted(Some(time(11) + fraction)), time(11));
        assert_eq!(ResponseDate::new(None, time(10)).trusted(Some(time(22))), time(10));
    }
}
