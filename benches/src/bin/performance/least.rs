//! The least possible: how many requests a tenant needs, and how long Graph's documented limits make them take.

use serde::Deserialize;

/// Items that Graph gives a page of messages or replies at most, and groups a page.
const PAGE: u64 = 50;
const GROUPS: u64 = 999;

/// What Graph allows of each figure in the long run, and the figures: requests a second on each thing.
const SUSTAINED: f64 = 0.83;
const MESSAGES_A_SECOND: f64 = 20.0 * SUSTAINED;
const REPLIES_A_SECOND: f64 = 30.0 * SUSTAINED;
const TEAM_A_SECOND: f64 = 4.0 * SUSTAINED;
const CHANNEL_A_SECOND: f64 = 1.0 * SUSTAINED;

/// Groups that the simulator has beside the teams: one request tells that there is no team behind.
const GROUPS_WITHOUT_TEAM: u64 = 1;

/// The truth about a tenant's size.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    pub(crate) teams: Vec<Team>,
    pub(crate) paging: Paging,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Team {
    pub(crate) id: String,
    pub(crate) channels: Vec<Channel>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Channel {
    pub(crate) roots: u64,
    pub(crate) replies: u64,
    /// Replies of each thread that does not fit into its root.
    pub(crate) long_threads: Vec<u64>,
}

/// How many replies come with their root, and on each page behind them.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Paging {
    pub(crate) inline_replies: u64,
    pub(crate) replies_page: u64,
}

/// The least for a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Least {
    pub(crate) requests: u64,
    /// What the limits make of them, in Graph's seconds.
    pub(crate) seconds: f64,
}

/// The requests for a channel, by what they count against.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Requests {
    messages: u64,
    replies: u64,
}

impl Requests {
    fn all(self) -> u64 {
        self.messages + self.replies
    }
}

impl Channel {
    /// Requests of a first run: its pages, one more pass where there were several, and the rest of each long thread by the way that
    /// takes fewer requests: behind what came with the root, or from its beginning.
    fn first_run(&self, paging: Paging) -> Requests {
        let pages = self.roots.div_ceil(PAGE).max(1);
        let rest = |replies: &u64| (replies - paging.inline_replies).div_ceil(paging.replies_page).min(replies.div_ceil(PAGE));
        Requests { messages: pages + u64::from(pages > 1), replies: self.long_threads.iter().map(rest).sum() }
    }

    /// Requests of a run that finds nothing changed: one of the walk, and one of delta where there is anything to follow.
    fn idle_run(&self) -> Requests {
        Requests { messages: 1 + u64::from(self.roots > 0), replies: 0 }
    }
}

impl Tenant {
    pub(crate) fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.teams.iter().flat_map(|team| &team.channels)
    }

    pub(crate) fn roots(&self) -> u64 {
        self.channels().map(|channel| channel.roots).sum()
    }

    /// Roots and replies.
    pub(crate) fn records(&self) -> u64 {
        self.roots() + self.channels().map(|channel| channel.replies).sum::<u64>()
    }

    pub(crate) fn first_run(&self) -> Least {
        self.least(|channel| channel.first_run(self.paging))
    }

    pub(crate) fn idle_run(&self) -> Least {
        self.least(Channel::idle_run)
    }

    /// What the limit of a channel makes of its first run, in Graph's seconds.
    pub(crate) fn seconds_of(&self, channel: &Channel) -> f64 {
        channel.first_run(self.paging).all() as f64 / CHANNEL_A_SECOND
    }

    fn least(&self, of_channel: impl Fn(&Channel) -> Requests) -> Least {
        // The team, its channels and its members.
        let of_team = |team: &Team| 3 + team.channels.iter().map(|channel| of_channel(channel).all()).sum::<u64>();
        let messages: u64 = self.channels().map(|channel| of_channel(channel).messages).sum();
        let replies: u64 = self.channels().map(|channel| of_channel(channel).replies).sum();
        let groups = (self.teams.len() as u64 + GROUPS_WITHOUT_TEAM).div_ceil(GROUPS);
        let requests = 1 + groups + GROUPS_WITHOUT_TEAM + self.teams.iter().map(of_team).sum::<u64>();
        let of_teams = self.teams.iter().map(|team| of_team(team) as f64 / TEAM_A_SECOND);
        let of_channels = self.channels().map(|channel| of_channel(channel).all() as f64 / CHANNEL_A_SECOND);
        let of_classes = [messages as f64 / MESSAGES_A_SECOND, replies as f64 / REPLIES_A_SECOND];
        let seconds = of_teams.chain(of_channels).chain(of_classes).fold(0.0, f64::max);
        Least { requests, seconds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGING: Paging = Paging { inline_replies: 200, replies_page: 20 };

    fn channel(roots: u64, long_threads: &[u64]) -> Channel {
        Channel { roots, replies: 0, long_threads: long_threads.to_vec() }
    }

    #[test]
    fn a_channel_needs_its_pages_a_closing_pass_and_its_long_threads() {
        let requests =
            [(0, &[][..]), (50, &[]), (51, &[]), (300, &[]), (10, &[201, 450])].map(|(roots, long)| channel(roots, long).first_run(PAGING));
        assert_eq!(requests.map(|requests| requests.messages), [1, 1, 3, 7, 1]);
        assert_eq!(requests.map(|requests| requests.replies), [0, 0, 0, 0, 1 + 9]);
        assert_eq!([0, 5].map(|roots| channel(roots, &[]).idle_run().all()), [1, 2]);
    }

    #[test]
    fn the_tightest_limit_counts() {
        let tenant = |teams: usize, channels: usize, roots| {
            let team = Team { id: String::new(), channels: vec![channel(roots, &[]); channels] };
            Tenant { teams: vec![team; teams], paging: PAGING }.first_run()
        };
        assert_eq!(tenant(6, 6, 300), Least { requests: 3 + 6 * 3 + 36 * 7, seconds: 36.0 * 7.0 / (20.0 * 0.83) });
        assert_eq!(tenant(1, 6, 300).seconds, (3.0 + 6.0 * 7.0) / (4.0 * 0.83));
        assert_eq!(tenant(1, 1, 3000).seconds, 61.0 / 0.83);
    }
}
