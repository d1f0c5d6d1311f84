//! The tenant: the data that routes return, changes modify, and tests compare with.

mod block;
mod chains;
mod changes;
mod channel_members;
mod directory;
mod members;
mod message;
mod reports;
mod truth;

use std::{collections::HashMap, sync::Arc, time::Duration};

pub use block::{Block, DeltaSupport};
pub(crate) use chains::{Chain, Chains};
pub use changes::ChangeError;
pub(crate) use changes::{Change, LogEntry, channel_id};
pub use channel_members::ChannelMember;
pub use directory::{Channel, Membership, Team};
pub use members::{Member, MemberKind};
pub(crate) use message::{Body, Message, Reaction};
pub use message::{MessageId, MessageRef, Post};
pub(crate) use reports::DEVICES;
pub use truth::{MessageTruth, Truth};

use crate::{clock::Clock, encode::guid, switches::Switches, time::Time};

#[derive(Debug)]
pub struct Tenant {
    pub switches: Switches,
    pub(crate) seed: u64,
    pub(crate) id: String,
    pub(crate) teams: Vec<Team>,
    team_index: HashMap<String, usize>,
    channel_index: HashMap<String, (usize, usize)>,
    clock: Arc<Clock>,
    /// The time of changes, instead of the clock's.
    moment: Option<Time>,
    changes: u64,
    /// The serial number of the oldest valid page link.
    pub(crate) first_good_link: u64,
}

impl Tenant {
    pub(crate) fn new(seed: u64, clock: Arc<Clock>) -> Tenant {
        Tenant {
            switches: Switches::default(),
            seed,
            id: guid(seed, 0x7e4a47).to_string(),
            teams: Vec::new(),
            team_index: HashMap::new(),
            channel_index: HashMap::new(),
            clock,
            moment: None,
            changes: 0,
            first_good_link: 0,
        }
    }

    /// A GUID.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The time of changes: set by [`Tenant::at`], or else the time of the clock.
    pub fn now(&self) -> Time {
        self.moment.unwrap_or_else(|| self.clock.now())
    }

    /// The simulated clock, which changes may move.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Makes a change at another time: in the past if it becomes visible late, or at the same time as another change.
    pub fn at<R>(&mut self, time: Time, change: impl FnOnce(&mut Tenant) -> R) -> R {
        let before = self.moment.replace(time);
        let result = change(self);
        self.moment = before;
        result
    }

    /// Makes a change at `ago` before now, as [`Tenant::at`] does.
    pub fn ago<R>(&mut self, ago: Duration, change: impl FnOnce(&mut Tenant) -> R) -> R {
        let time = self.now().minus(ago);
        self.at(time, change)
    }

    /// All groups that exist, including groups without a team.
    pub fn groups(&self) -> impl Iterator<Item = &Team> {
        self.teams.iter().filter(|team| !team.gone)
    }

    pub fn teams(&self) -> impl Iterator<Item = &Team> {
        self.groups().filter(|team| team.provisioned)
    }

    /// A group, with or without a team.
    pub fn group(&self, id: &str) -> Option<&Team> {
        let index = *self.team_index.get(id)?;
        Some(&self.teams[index]).filter(|team| !team.gone)
    }

    pub fn team(&self, id: &str) -> Option<&Team> {
        self.group(id).filter(|team| team.provisioned)
    }

    pub fn channel(&self, id: &str) -> Option<&Channel> {
        let (team, channel) = *self.channel_index.get(id)?;
        Some(&self.teams[team].channels[channel]).filter(|channel| !channel.gone)
    }

    /// The team that a channel belongs to.
    pub fn team_of(&self, channel: &str) -> Option<&Team> {
        let (team, _) = *self.channel_index.get(channel)?;
        Some(&self.teams[team])
    }

    pub fn team_ids(&self) -> Vec<String> {
        self.teams().map(|team| team.id.clone()).collect()
    }

    /// The channels of a team in list order, with General first.
    pub fn channel_ids(&self, team: &str) -> Vec<String> {
        self.team(team).into_iter().flat_map(Team::channels).map(|channel| channel.id.clone()).collect()
    }

    /// The channels of all teams.
    pub fn all_channel_ids(&self) -> Vec<String> {
        self.teams().flat_map(Team::channels).map(|channel| channel.id.clone()).collect()
    }

    /// The roots of a channel, newest activity first.
    pub fn roots(&self, channel: &str) -> Vec<MessageRef> {
        let Some((team, channel)) = self.team_of(channel).zip(self.channel(channel)) else { return Vec::new() };
        channel.chains.iter().map(|chain| at(team, channel, chain.root.id, chain.root.id)).collect()
    }

    /// The replies to a root, oldest first.
    pub fn replies(&self, root: &MessageRef) -> Vec<MessageRef> {
        let Some((team, channel)) = self.team_of(&root.channel).zip(self.channel(&root.channel)) else { return Vec::new() };
        let chain = channel.chains.get(root.root);
        chain.into_iter().flat_map(|chain| &chain.replies).map(|reply| at(team, channel, root.root, reply.id)).collect()
    }

    /// Requests with a page link issued so far (`$skiptoken` or `$deltatoken`) return 400 from now on.
    pub fn expire_links(&mut self) {
        self.first_good_link = crate::server::next_link_serial();
    }

    pub(crate) fn add_team(&mut self, team: Team) {
        let team_index = self.teams.len();
        self.team_index.insert(team.id.clone(), team_index);
        for (index, channel) in team.channels.iter().enumerate() {
            self.channel_index.insert(channel.id.clone(), (team_index, index));
        }
        self.teams.push(team);
    }

    fn team_mut(&mut self, id: &str) -> Option<&mut Team> {
        let index = *self.team_index.get(id)?;
        Some(&mut self.teams[index]).filter(|team| !team.gone)
    }

    fn channel_mut(&mut self, id: &str) -> Option<&mut Channel> {
        let (team, channel) = *self.channel_index.get(id)?;
        Some(&mut self.teams[team].channels[channel]).filter(|channel| !channel.gone)
    }
}

fn at(team: &Team, channel: &Channel, root: MessageId, id: MessageId) -> MessageRef {
    MessageRef { team: team.id.clone(), channel: channel.id.clone(), root, id }
}
