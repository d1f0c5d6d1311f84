//! Changes to the tenant, as users, owners and retention policies make them.

use fastrand::Rng;
use serde_json::Value;

use super::{
    Tenant,
    block::{Block, DeltaSupport},
    channel_members::{self, ChannelMember},
    directory::{Channel, Membership, Team},
    members::{Member, MemberKind},
    message::{Body, Extra, Message, MessageId, MessageRef, Post, Reaction},
};
use crate::{
    encode::guid,
    rng::{Draw, hash, mix},
    time::Time,
};

/// The reason why a change is not possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    #[error("there is no team {0}")]
    NoTeam(String),
    #[error("there is no channel {0}")]
    NoChannel(String),
    #[error("there is no message {id} in thread {root} of channel {channel}")]
    NoMessage { channel: String, root: MessageId, id: MessageId },
    #[error("channel {0} is a standard channel: its members are the members of its team")]
    Standard(String),
    #[error("message {0} is raw JSON; use replace_raw instead")]
    Raw(MessageId),
}

/// A change that delta may report.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogEntry {
    pub(crate) root: MessageId,
    pub(crate) reply: bool,
    pub(crate) what: Change,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Post,
    Edit,
    Reaction,
    Delete,
    Undelete,
    Removal,
}

/// What a change does to the message and its chain.
#[derive(Clone, Copy)]
struct Effect {
    modifies: bool,
    moves: bool,
}

const FULL: Effect = Effect { modifies: true, moves: true };

/// Changes to messages.
impl Tenant {
    /// Posts a root message.
    pub fn post(&mut self, channel: &str, post: Post) -> Result<MessageRef, ChangeError> {
        let now = self.now();
        let requested = requested_id(&post, now);
        let id = self.expect_channel(channel)?.chains.free_id(requested);
        let at = MessageRef { team: self.expect_team_of(channel)?, channel: channel.to_owned(), root: id, id };
        let message = self.compose(post, &at, now);
        let channel = self.expect_channel(channel)?;
        let activity = message.modified;
        channel.chains.insert(message, activity);
        channel.log.push(LogEntry { root: id, reply: false, what: Change::Post });
        Ok(at)
    }

    /// Posts a reply in the chain of `at`, which may be its root or another reply.
    pub fn reply(&mut self, at: &MessageRef, post: Post) -> Result<MessageRef, ChangeError> {
        let now = self.now();
        let requested = requested_id(&post, now);
        let chains = &self.expect_channel(&at.channel)?.chains;
        if chains.get(at.root).is_none() {
            return Err(no_message(at));
        }
        let id = chains.free_id(requested);
        let reply = MessageRef { id, ..at.clone() };
        let message = self.compose(post, &reply, now);
        let channel = self.expect_channel(&at.channel)?;
        channel.chains.insert_reply(at.root, message);
        channel.log.push(LogEntry { root: at.root, reply: true, what: Change::Post });
        Ok(reply)
    }

    /// Replaces the text of a message.
    pub fn edit(&mut self, at: &MessageRef, text: &str) -> Result<(), ChangeError> {
        let content = text.into();
        self.change(at, Change::Edit, FULL, |extra, now| {
            extra.edited = Some(now);
            extra.body = Some(Body { html: false, content });
        })
    }

    /// Edits a message that was posted as raw JSON.
    pub fn replace_raw(&mut self, at: &MessageRef, json: impl Into<Box<str>>) -> Result<(), ChangeError> {
        self.expect_message(at)?.extra_mut().raw = None;
        self.change(at, Change::Edit, FULL, |extra, _| extra.raw = Some(json.into()))
    }

    /// Serves this JSON for a message from now on, or the generated JSON with `None`. Does not affect times, order and delta.
    pub fn set_raw(&mut self, at: &MessageRef, json: Option<&str>) -> Result<(), ChangeError> {
        self.expect_message(at)?.extra_mut().raw = json.map(Box::from);
        Ok(())
    }

    pub fn react(&mut self, at: &MessageRef, kind: &str) -> Result<(), ChangeError> {
        let user = (mix(self.changes, at.id) % 97) as u32;
        let effect = self.reaction_effect();
        self.change(at, Change::Reaction, effect, |extra, now| extra.reactions.push(Reaction { kind: kind.into(), user, at: now }))
    }

    /// Removes the last reaction.
    pub fn unreact(&mut self, at: &MessageRef) -> Result<(), ChangeError> {
        let effect = self.reaction_effect();
        self.change(at, Change::Reaction, effect, |extra, _| drop(extra.reactions.pop()))
    }

    /// Soft deletion: the message remains in the lists.
    pub fn delete(&mut self, at: &MessageRef) -> Result<(), ChangeError> {
        let effect = Effect { modifies: self.switches.delete_modifies, moves: self.switches.delete_moves_chain };
        self.change(at, Change::Delete, effect, |extra, now| extra.deleted = Some(now))
    }

    pub fn undelete(&mut self, at: &MessageRef) -> Result<(), ChangeError> {
        let effect = Effect { modifies: self.switches.undelete_modifies, moves: self.switches.undelete_moves_chain };
        self.change(at, Change::Undelete, effect, |extra, _| extra.deleted = None)
    }

    /// Hard removal: the message disappears, and the replies of a root with it.
    pub fn remove(&mut self, at: &MessageRef) -> Result<(), ChangeError> {
        self.expect_message(at)?;
        let reorder = self.switches.removal_reorders;
        let channel = self.expect_channel(&at.channel)?;
        channel.chains.remove(at.root, at.id, reorder);
        channel.log.push(LogEntry { root: at.root, reply: !at.is_root(), what: Change::Removal });
        Ok(())
    }

    fn change(&mut self, at: &MessageRef, what: Change, effect: Effect, apply: impl FnOnce(&mut Extra, Time)) -> Result<(), ChangeError> {
        let now = self.now();
        self.changes += 1;
        let message = self.expect_message(at)?;
        if message.raw().is_some() {
            return Err(ChangeError::Raw(at.id));
        }
        apply(message.extra_mut(), now);
        if effect.modifies {
            message.modified = now;
        }
        let channel = self.expect_channel(&at.channel)?;
        if effect.moves {
            channel.chains.rise(at.root, now);
        }
        channel.log.push(LogEntry { root: at.root, reply: !at.is_root(), what });
        Ok(())
    }

    fn reaction_effect(&self) -> Effect {
        Effect { modifies: self.switches.reaction_modifies, moves: self.switches.reaction_moves_chain }
    }

    fn compose(&mut self, post: Post, at: &MessageRef, now: Time) -> Message {
        self.changes += 1;
        // The creation time has the milliseconds of the id (graph.md 2.7). Raw messages are placed at exactly the given time.
        let time = if post.raw.is_some() { now } else { Time::from_millis(now.millis()) };
        let raw = post.raw.map(|json| if post.fill { fill(&json, at, time).into() } else { json });
        let extra = (post.body.is_some() || post.subject.is_some() || raw.is_some())
            .then(|| Box::new(Extra { body: post.body, subject: post.subject, raw, ..Extra::default() }));
        let seed = post.seed.unwrap_or_else(|| mix(self.changes, at.id) as u32);
        Message { id: at.id, created: time, modified: time, seed, flavour: post.flavour, extra }
    }
}

fn requested_id(post: &Post, now: Time) -> MessageId {
    post.id.unwrap_or_else(|| u64::try_from(now.millis()).unwrap_or(0))
}

fn fill(json: &str, at: &MessageRef, time: Time) -> String {
    json.replace("$ID$", &at.id_text())
        .replace("$ROOT$", &at.root.to_string())
        .replace("$TIME$", &time.to_string())
        .replace("$TEAM$", &at.team)
        .replace("$CHANNEL$", &at.channel)
}

/// Changes to teams, channels and members.
impl Tenant {
    /// Creates a team with a General channel; returns its id.
    pub fn create_team(&mut self, name: &str) -> String {
        let now = self.now();
        self.changes += 1;
        let seed = mix(self.seed, hash(name) ^ self.changes);
        let id = guid(seed, 1).to_string();
        let mut team = Team::new(id.clone(), name.to_owned(), self.id.clone(), seed, now);
        team.archived = false;
        team.channels.push(Channel::new(channel_id(mix(seed, 2)), "General".to_owned(), Membership::Standard, &[], seed, now));
        team.members.push(Member { kind: MemberKind::AadUser, roles: vec!["owner".to_owned()], user: 0 });
        self.add_team(team);
        id
    }

    /// Creates a group that matches the filter for teams but has no team (graph.md 2.1); returns its id.
    pub fn create_group_without_team(&mut self, name: &str) -> String {
        let id = self.create_team(name);
        if let Some(team) = self.team_mut(&id) {
            team.provisioned = false;
        }
        id
    }

    pub fn delete_team(&mut self, id: &str) -> Result<(), ChangeError> {
        let team = self.expect_team(id)?;
        team.gone = true;
        team.channels.iter_mut().for_each(|channel| channel.gone = true);
        Ok(())
    }

    pub fn rename_team(&mut self, id: &str, name: &str) -> Result<(), ChangeError> {
        self.expect_team(id)?.display_name = name.to_owned();
        Ok(())
    }

    pub fn create_channel(&mut self, team: &str, name: &str, membership: Membership) -> Result<String, ChangeError> {
        let now = self.now();
        self.changes += 1;
        let seed = mix(self.seed, hash(name) ^ hash(team) ^ self.changes);
        let team_index = *self.team_index.get(team).ok_or_else(|| ChangeError::NoTeam(team.to_owned()))?;
        let id = channel_id(seed);
        let team = self.expect_team(team)?;
        let index = team.channels.len();
        let channel = Channel::new(id.clone(), name.to_owned(), membership, &team.members, seed, now);
        team.channels.push(channel);
        self.channel_index.insert(id.clone(), (team_index, index));
        Ok(id)
    }

    pub fn delete_channel(&mut self, id: &str) -> Result<(), ChangeError> {
        self.expect_channel(id)?.gone = true;
        Ok(())
    }

    pub fn rename_channel(&mut self, id: &str, name: &str) -> Result<(), ChangeError> {
        self.expect_channel(id)?.display_name = name.to_owned();
        Ok(())
    }

    pub fn set_membership(&mut self, channel: &str, membership: Membership) -> Result<(), ChangeError> {
        let team = self.team_of(channel).map(|team| team.members.clone()).unwrap_or_default();
        let channel = self.expect_channel(channel)?;
        channel.membership = membership;
        channel.members = channel_members::draw(membership, &team, channel.seed);
        Ok(())
    }

    /// Adds a user of the tenant to a private or shared channel; returns the membership id.
    pub fn add_channel_member(&mut self, channel: &str, roles: &[&str]) -> Result<String, ChangeError> {
        let members = &mut self.expect_own_members(channel)?;
        let user = members.iter().map(|member| member.member.user + 1).max().unwrap_or(0);
        let member = ChannelMember::direct(user, roles);
        members.push(member.clone());
        let (team, channel) = self.team_of(channel).zip(self.channel(channel)).ok_or_else(|| ChangeError::NoChannel(channel.to_owned()))?;
        Ok(member.id(self, team, channel))
    }

    pub fn remove_channel_member(&mut self, channel: &str, member: &str) -> Result<(), ChangeError> {
        self.expect_own_members(channel)?;
        let index = self
            .team_of(channel)
            .zip(self.channel(channel))
            .and_then(|(team, known)| known.members.iter().position(|have| have.id(self, team, known) == member));
        if let Some(index) = index {
            self.expect_own_members(channel)?.remove(index);
        }
        Ok(())
    }

    /// Adds a user who is not in the team yet; returns the membership id.
    pub fn add_member(&mut self, team: &str, kind: MemberKind, roles: &[&str]) -> Result<String, ChangeError> {
        let members = &mut self.expect_team(team)?.members;
        let user = members.iter().map(|member| member.user + 1).max().unwrap_or(0);
        let member = Member { kind, roles: roles.iter().map(|&role| role.to_owned()).collect(), user };
        members.push(member.clone());
        let team = self.group(team).ok_or_else(|| ChangeError::NoTeam(team.to_owned()))?;
        Ok(member.id(self, team))
    }

    /// Removes a member from a team and from its private channels.
    pub fn remove_member(&mut self, team: &str, member: &str) -> Result<(), ChangeError> {
        let known = self.group(team).ok_or_else(|| ChangeError::NoTeam(team.to_owned()))?;
        let index = known.members.iter().position(|have| have.id(self, known) == member);
        if let Some(index) = index {
            let team = self.expect_team(team)?;
            let gone = team.members.remove(index).user;
            let private = team.channels.iter_mut().filter(|channel| channel.membership == Membership::Private);
            private.for_each(|channel| channel.members.retain(|member| member.member.user != gone));
        }
        Ok(())
    }

    /// Sets a property of the team's JSON, known or unknown to Graph.
    pub fn set_team_property(&mut self, team: &str, name: &str, value: Value) -> Result<(), ChangeError> {
        self.expect_team(team)?.extra.insert(name.to_owned(), value);
        Ok(())
    }

    pub fn set_channel_property(&mut self, channel: &str, name: &str, value: Value) -> Result<(), ChangeError> {
        self.expect_channel(channel)?.extra.insert(name.to_owned(), value);
        Ok(())
    }

    /// Makes all requests below a team return an error, or none any more.
    pub fn block_team(&mut self, team: &str, block: impl Into<Option<Block>>) -> Result<(), ChangeError> {
        self.expect_team(team)?.block = block.into();
        Ok(())
    }

    pub fn block_channel(&mut self, channel: &str, block: impl Into<Option<Block>>) -> Result<(), ChangeError> {
        self.expect_channel(channel)?.block = block.into();
        Ok(())
    }

    /// Marks the group of a team as a team or not. The list of teams omits groups that are not marked.
    pub fn mark_team(&mut self, team: &str, is_marked: bool) -> Result<(), ChangeError> {
        self.expect_team(team)?.unmarked = !is_marked;
        Ok(())
    }

    /// Shows a channel in the list of its team or hides it.
    pub fn list_channel(&mut self, channel: &str, is_listed: bool) -> Result<(), ChangeError> {
        self.expect_channel(channel)?.unlisted = !is_listed;
        Ok(())
    }

    pub fn set_delta_support(&mut self, channel: &str, support: DeltaSupport) -> Result<(), ChangeError> {
        self.expect_channel(channel)?.delta = support;
        Ok(())
    }

    /// Makes the delta tokens of a channel expire. A switch sets the response to expired tokens.
    pub fn expire_delta(&mut self, channel: &str) -> Result<(), ChangeError> {
        self.expect_channel(channel)?.first_good_delta = crate::server::next_link_serial();
        Ok(())
    }

    /// Makes the delta tokens of all channels expire.
    pub fn expire_all_delta(&mut self) {
        let serial = crate::server::next_link_serial();
        self.teams.iter_mut().flat_map(|team| &mut team.channels).for_each(|channel| channel.first_good_delta = serial);
    }

    fn expect_team(&mut self, id: &str) -> Result<&mut Team, ChangeError> {
        self.team_mut(id).ok_or_else(|| ChangeError::NoTeam(id.to_owned()))
    }

    fn expect_channel(&mut self, id: &str) -> Result<&mut Channel, ChangeError> {
        self.channel_mut(id).ok_or_else(|| ChangeError::NoChannel(id.to_owned()))
    }

    fn expect_own_members(&mut self, channel: &str) -> Result<&mut Vec<ChannelMember>, ChangeError> {
        let known = self.expect_channel(channel)?;
        if known.membership == Membership::Standard {
            return Err(ChangeError::Standard(channel.to_owned()));
        }
        Ok(&mut known.members)
    }

    fn expect_team_of(&self, channel: &str) -> Result<String, ChangeError> {
        self.team_of(channel).map(|team| team.id.clone()).ok_or_else(|| ChangeError::NoChannel(channel.to_owned()))
    }

    fn expect_message(&mut self, at: &MessageRef) -> Result<&mut Message, ChangeError> {
        let chain = self.expect_channel(&at.channel)?.chains.get_mut(at.root);
        chain.and_then(|chain| chain.message_mut(at.id)).ok_or_else(|| no_message(at))
    }
}

fn no_message(at: &MessageRef) -> ChangeError {
    ChangeError::NoMessage { channel: at.channel.clone(), root: at.root, id: at.id }
}

/// Ids of newer channels end in `.tacv2`, those of older ones in `.skype` (graph.md, introduction).
pub(crate) fn channel_id(seed: u64) -> String {
    let mut rng = Rng::with_seed(seed);
    let (high, low) = (rng.u64(..), rng.u64(..));
    let domain = if rng.chance(15) { "thread.skype" } else { "thread.tacv2" };
    format!("19:{high:016x}{low:016x}@{domain}")
}
