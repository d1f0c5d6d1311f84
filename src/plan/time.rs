//! How long the requests of a run take: the longest that one of the limits makes of them.

use crate::{
    graph::{Budget, Class, Rates},
    level::{CHANNEL, TEAM},
};

/// The requests of a run, by what they count against.
#[derive(Clone, Debug, Default)]
pub(super) struct Load {
    pub(super) groups: f64,
    pub(super) teams: f64,
    pub(super) channels: f64,
    pub(super) members: f64,
    /// Of root messages and delta.
    pub(super) messages: f64,
    pub(super) replies: f64,
    pub(super) all: f64,
    /// Of the team, and of the channel, that has most; and where it stands among those that were looked at.
    pub(super) of_team: (f64, usize),
    pub(super) of_channel: (f64, usize),
    /// Channels that are opened.
    pub(super) opened: f64,
    /// Requests that follow each other before the first channel is asked.
    pub(super) chain: f64,
}

/// How long, and why.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Time {
    pub(super) seconds: f64,
    pub(super) by: Budget,
}

impl Load {
    /// The requests that count against a budget.
    pub(super) fn requests(&self, budget: Budget) -> f64 {
        match budget {
            Budget::Of(class) => self.by_class().into_iter().filter(|(known, _)| *known == class).map(|(_, requests)| requests).sum(),
            Budget::One(level) if *level == CHANNEL => self.of_channel.0,
            Budget::One(_) => self.of_team.0,
            Budget::All => self.all,
        }
    }

    fn by_class(&self) -> [(&'static Class, f64); 6] {
        [
            (&Class::GROUPS, self.groups),
            (&Class::TEAM, self.teams),
            (&Class::CHANNELS, self.channels),
            (&Class::MEMBERS, self.members),
            (&Class::MESSAGES, self.messages),
            (&Class::OTHER, self.replies),
        ]
    }

    /// The time of all of it. Channels are opened one after the other, and which of them is the longest nobody knows before: it is opened
    /// when half of the others are.
    pub(super) fn time(&self, rates: &Rates) -> Time {
        let late = rates.seconds(Budget::Of(&Class::MESSAGES), self.opened / 2.0);
        let one_channel = Time { seconds: late + rates.seconds_in_a_row(&CHANNEL, self.of_channel.0), by: Budget::One(&CHANNEL) };
        let of = |by: Budget| Time { seconds: rates.seconds(by, self.requests(by)), by };
        let classes = self.by_class().map(|(class, _)| Budget::Of(class));
        let others = [Budget::One(&TEAM)].into_iter().chain(classes).chain([Budget::All]).map(of);
        let longest = [one_channel]
            .into_iter()
            .chain(others)
            .fold(Time { seconds: 0.0, by: Budget::All }, |longest, time| if time.seconds > longest.seconds { time } else { longest });
        // The chain before, and the last answer.
        Time { seconds: longest.seconds + (self.chain + 1.0) * rates.latency().as_secs_f64(), ..longest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Pace, Rates};

    fn rates(latency: f64) -> Rates {
        Rates::at(Pace { speed: 1.0, total: None, in_flight: 30 }, std::time::Duration::from_secs_f64(latency))
    }

    #[test]
    fn the_tightest_limit_decides() {
        let (load, rates) =
            (Load { messages: 400.0, of_team: (100.0, 0), of_channel: (20.0, 0), all: 500.0, ..Load::default() }, rates(0.0));
        assert_eq!(load.time(&rates), Time { seconds: rates.seconds(Budget::One(&TEAM), 100.0), by: Budget::One(&TEAM) });
        assert_eq!(Load { messages: 600.0, ..load.clone() }.time(&rates).by, Budget::Of(&Class::MESSAGES));
        assert_eq!(Load { replies: 800.0, ..load.clone() }.time(&rates).by, Budget::Of(&Class::OTHER));
        let of_channel = Time { seconds: rates.seconds(Budget::One(&CHANNEL), 30.0), by: Budget::One(&CHANNEL) };
        assert_eq!(Load { of_channel: (30.0, 0), ..load.clone() }.time(&rates), of_channel);
        assert_eq!(Load::default().time(&rates).seconds, 0.0);
    }

    #[test]
    fn the_longest_channel_is_opened_among_the_others_and_behind_what_leads_to_it() {
        let load = Load { of_channel: (100.0, 0), opened: 200.0, chain: 3.0, ..Load::default() };
        let late = rates(0.0).seconds(Budget::Of(&Class::MESSAGES), 100.0);
        assert_eq!(load.time(&rates(0.0)).seconds, late + rates(0.0).seconds(Budget::One(&CHANNEL), 100.0));
        // Answers of two seconds: one after the other in the channel, and three before and the last one behind.
        assert_eq!(load.time(&rates(2.0)).seconds, late + 200.0 + 4.0 * 2.0);
    }
}
