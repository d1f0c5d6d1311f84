//! The minimum for a run: how many requests a tenant needs, and how long they take under Graph's documented limits.

use serde::Deserialize;

/// The maximum page sizes of messages or replies, and of groups.
const PAGE_ITEMS: u64 = 50;
const PAGE_GROUPS: u64 = 999;

/// The share of each limit that Graph allows over a longer time, and the limits in requests per second.
const SUSTAINED: f64 = 0.83;
const MESSAGES_A_SECOND: f64 = 20.0 * SUSTAINED;
const REPLIES_A_SECOND: f64 = 30.0 * SUSTAINED;
const TEAM_A_SECOND: f64 = 4.0 * SUSTAINED;
const CHANNEL_A_SECOND: f64 = 1.0 * SUSTAINED;

/// Groups of the simulator that have no team; each costs one request.
const GROUPS_WITHOUT_TEAM: u64 = 1;

/// The size of a tenant.
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
    /// The number of replies of each thread that is too long to be expanded.
    pub(crate) long_threads: Vec<u64>,
}

/// How many replies are expanded in a message, and how many are on each further page.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Paging {
    pub(crate) inline_replies: u64,
    pub(crate) replies_page: u64,
}

/// The minimum for a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Minimum {
    pub(crate) requests: u64,
    /// The time that the limits allow for these requests, in Graph's seconds.
    pub(crate) seconds: f64,
}

/// The requests for a channel, by limit.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Requests {
    messages: u64,
    replies: u64,
}

impl Requests {
    fn total(self) -> u64 {
        self.messages + self.replies
    }
}

impl Channel {
    /// Requests of a first run: the pages, one more pass if there were several, and the remaining replies of each long thread by the
    /// cheaper way: after the expanded replies, or from the beginning of the thread.
    fn first_run(&self, paging: Paging) -> Requests {
        let pages = self.roots.div_ceil(PAGE_ITEMS).max(1);
        let rest = |replies: &u64| (replies - paging.inline_replies).div_ceil(paging.replies_page).min(replies.div_ceil(PAGE_ITEMS));
        Requests { messages: pages + u64::from(pages > 1), replies: self.long_threads.iter().map(rest).sum() }
    }

    /// Requests of a run that finds no changes: one of the walk, and one of delta if the channel has messages.
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

    /// Messages and replies.
    pub(crate) fn records(&self) -> u64 {
        self.roots() + self.channels().map(|channel| channel.replies).sum::<u64>()
    }

    pub(crate) fn first_run(&self) -> Minimum {
        self.minimum(|channel| channel.first_run(self.paging))
    }

    pub(crate) fn idle_run(&self) -> Minimum {
        self.minimum(Channel::idle_run)
    }

    /// The time that the limit of a channel allows for its first run, in Graph's seconds.
    pub(crate) fn channel_seconds(&self, channel: &Channel) -> f64 {
        channel.first_run(self.paging).total() as f64 / CHANNEL_A_SECOND
    }

    fn minimum(&self, channel_requests: impl Fn(&Channel) -> Requests) -> Minimum {
        // The team, its channels and its members.
        let team_requests = |team: &Team| 3 + team.channels.iter().map(|channel| channel_requests(channel).total()).sum::<u64>();
        let messages: u64 = self.channels().map(|channel| channel_requests(channel).messages).sum();
        let replies: u64 = self.channels().map(|channel| channel_requests(channel).replies).sum();
        let groups = (self.teams.len() as u64 + GROUPS_WITHOUT_TEAM).div_ceil(PAGE_GROUPS);
        let requests = 1 + groups + GROUPS_WITHOUT_TEAM + self.teams.iter().map(team_requests).sum::<u64>();
        let teams = self.teams.iter().map(|team| team_requests(team) as f64 / TEAM_A_SECOND);
        let channels = self.channels().map(|channel| channel_requests(channel).total() as f64 / CHANNEL_A_SECOND);
        let classes = [messages as f64 / MESSAGES_A_SECOND, replies as f64 / REPLIES_A_SECOND];
        let seconds = teams.chain(channels).chain(classes).fold(0.0, f64::max);
        Minimum { requests, seconds }
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
        assert_eq!([0, 5].map(|roots| channel(roots, &[]).idle_run().total()), [1, 2]);
    }

    #[test]
    fn the_tightest_limit_counts() {
        let tenant = |teams: usize, channels: usize, roots| {
            let team = Team { id: String::new(), channels: vec![channel(roots, &[]); channels] };
            Tenant { teams: vec![team; teams], paging: PAGING }.first_run()
        };
        assert_eq!(tenant(6, 6, 300), Minimum { requests: 3 + 6 * 3 + 36 * 7, seconds: 36.0 * 7.0 / (20.0 * 0.83) });
        assert_eq!(tenant(1, 6, 300).seconds, (3.0 + 6.0 * 7.0) / (4.0 * 0.83));
        assert_eq!(tenant(1, 1, 3000).seconds, 61.0 / 0.83);
    }
}
