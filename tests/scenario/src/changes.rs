//! Random changes of the tenant: posts, edits, reactions, deletions, removals, and new or deleted channels.

use std::time::Duration;

use graph_sim::{Awkward, DeltaSupport, MemberKind, Membership, MessageRef, Post, Tenant, Time, corpus};

use crate::{
    dice::Dice,
    ledger::{ChangeKind, Ledger, last_modified},
    plan::Plan,
};

/// The messages of the simulator's corpus without a usable time.
const TIMELESS: [&str; 4] = ["last_modified_is_null", "last_modified_in_year_one", "last_modified_is_no_date", "times_absent"];

const EMOJI: [&str; 3] = ["👍", "like", "🎉"];

/// Makes the changes of one history.
#[derive(Debug)]
pub struct Changes {
    plan: Plan,
    pub dice: Dice,
    pub ledger: Ledger,
    /// Whether messages may be removed. Not while a list is paged by offset, which a removal would shift.
    pub may_remove: bool,
    /// Whether the newest reply of a chain may be removed, so that the chain sinks. Not during a walk, which could miss the chain.
    pub may_sink: bool,
    timeless: Vec<Awkward>,
    count: u64,
}

impl Changes {
    pub fn new(plan: &Plan, dice: Dice) -> Self {
        let timeless = corpus().into_iter().filter(|awkward| TIMELESS.contains(&awkward.name.as_str())).collect();
        Self { plan: plan.clone(), dice, ledger: Ledger::default(), may_remove: true, may_sink: true, timeless, count: 0 }
    }

    /// Makes one change, or two at the same time. Returns descriptions of them.
    pub fn make(&mut self, tenant: &mut Tenant) -> Vec<String> {
        let moments = if self.dice.chance(15) { 2 } else { 1 };
        (0..moments).filter_map(|_| self.one(tenant)).collect()
    }

    fn one(&mut self, tenant: &mut Tenant) -> Option<String> {
        let channel = self.dice.pick(&tenant.all_channel_ids());
        if self.plan.directory_changes && self.dice.chance(5) {
            return self.directory(tenant, &channel);
        }
        self.count += 1;
        let text = format!("text {}", self.count);
        let now = tenant.now();
        // The change becomes visible now, but its own time may be a little earlier.
        let late = if self.dice.chance(25) {
            Duration::from_millis(self.dice.within(0..=self.plan.reach().as_millis() as u64 - 1))
        } else {
            Duration::ZERO
        };
        let time = now.minus(late);
        match self.dice.within(0..=99) {
            0..20 => {
                let at = tenant.at(time, |tenant| tenant.post(&channel, Post::text(text))).ok()?;
                self.note(ChangeKind::Post, &at, time, now)
            }
            20..42 => {
                let root = self.root(tenant, &channel)?;
                let at = tenant.at(time, |tenant| tenant.reply(&root, Post::text(text))).ok()?;
                self.note(ChangeKind::Post, &at, time, now)
            }
            42..56 => self.alter(tenant, &channel, ChangeKind::Edit, time, |tenant, at, _| tenant.edit(at, &text).is_ok()),
            56..65 => {
                let emoji = self.dice.pick(&EMOJI);
                let unreacts = self.dice.chance(30);
                self.alter(tenant, &channel, ChangeKind::Reaction, time, |tenant, at, _| {
                    if unreacts { tenant.unreact(at).is_ok() } else { tenant.react(at, emoji).is_ok() }
                })
            }
            65..75 => self.alter(tenant, &channel, ChangeKind::Deletion, time, |tenant, at, deleted| !deleted && tenant.delete(at).is_ok()),
            75..82 => {
                self.alter(tenant, &channel, ChangeKind::Undeletion, time, |tenant, at, deleted| deleted && tenant.undelete(at).is_ok())
            }
            82..88 => self.remove(tenant, &channel, now),
            88..92 => self.timeless(tenant, &channel, time),
            92..96 => self.edit_timeless(tenant, &channel, time),
            96..98 => {
                if tenant.all_channel_ids().len() >= self.plan.max_channels {
                    return None;
                }
                let team = tenant.team_of(&channel)?.id.clone();
                let new = tenant.create_channel(&team, &text, Membership::Standard).ok()?;
                Some(format!("channel {new} is created"))
            }
            98 => {
                // Every team in Graph has the General channel.
                let team = tenant.team_of(&channel)?.id.clone();
                if tenant.channel_ids(&team).first() == Some(&channel) {
                    return None;
                }
                tenant.delete_channel(&channel).ok()?;
                Some(format!("channel {channel} is deleted"))
            }
            _ if self.plan.delta_support_changes => Some(self.change_delta_support(tenant, &channel)),
            _ => None,
        }
    }

    /// Changes names and members, which the streams that are read in full each time report.
    fn directory(&mut self, tenant: &mut Tenant, channel: &str) -> Option<String> {
        let (team, name) = (tenant.team_of(channel)?.id.clone(), format!("name {}", self.count));
        let done = match self.dice.within(0..=3) {
            0 => tenant.rename_team(&team, &name),
            1 => tenant.rename_channel(channel, &name),
            2 => tenant.add_member(&team, MemberKind::AadUser, &[]).map(drop),
            _ => {
                let known = tenant.team(&team)?;
                let members: Vec<_> = known.members().iter().map(|member| member.id(tenant, known)).collect();
                // Keeps a minimum of members.
                let member = members.last().filter(|_| members.len() > 3)?.clone();
                tenant.remove_member(&team, &member)
            }
        };
        done.ok()?;
        Some(format!("the directory changes: {name}"))
    }

    /// Makes delta of a channel work, or fail in one of the known ways.
    pub fn change_delta_support(&mut self, tenant: &mut Tenant, channel: &str) -> String {
        let support = self.dice.pick(&[
            DeltaSupport::Supported,
            DeltaSupport::NotSupported,
            DeltaSupport::NoFilter,
            DeltaSupport::NoDeltaToken,
            DeltaSupport::NeedsFilter,
        ]);
        let _ = tenant.set_delta_support(channel, support);
        format!("delta of {channel}: {support:?}")
    }

    /// A root near the top, near the bottom, or anywhere.
    fn root(&mut self, tenant: &Tenant, channel: &str) -> Option<MessageRef> {
        let roots = tenant.roots(channel);
        let last = roots.len().checked_sub(1)? as u64;
        let place = match self.dice.within(0..=2) {
            0 => self.dice.within(0..=last.min(3)),
            1 => last - self.dice.within(0..=last.min(3)),
            _ => self.dice.within(0..=last),
        };
        Some(roots[place as usize].clone())
    }

    fn message(&mut self, tenant: &Tenant, channel: &str) -> Option<MessageRef> {
        let root = self.root(tenant, channel)?;
        let replies = tenant.replies(&root);
        if replies.is_empty() || self.dice.chance(55) { Some(root) } else { Some(self.dice.pick(&replies)) }
    }

    /// Changes a random message, unless it has changed since `time`.
    fn alter(
        &mut self,
        tenant: &mut Tenant,
        channel: &str,
        kind: ChangeKind,
        time: Time,
        change: impl FnOnce(&mut Tenant, &MessageRef, bool) -> bool,
    ) -> Option<String> {
        let (at, now) = (self.message(tenant, channel)?, tenant.now());
        let json = tenant.message_truth(&at)?.json;
        if last_modified(&json).is_none_or(|modified| modified > time) {
            return None;
        }
        let is_deleted = !json.contains("\"deletedDateTime\":null") || json.contains("\"content\":\"\"}");
        tenant.at(time, |tenant| change(tenant, &at, is_deleted)).then(|| self.note(kind, &at, time, now))?
    }

    fn remove(&mut self, tenant: &mut Tenant, channel: &str, now: Time) -> Option<String> {
        let at = self.message(tenant, channel)?;
        let switches = &self.plan.switches;
        // Without its newest reply, a chain would be higher in the list than any of its times suggest. Or it would sink, together with a
        // deletion that only its own timestamp shows.
        let can_sink = switches.removal_reorders && (switches.delete_modifies || !switches.delete_moves_chain);
        let may_sink = at.is_root() || can_sink && self.may_sink;
        if !self.may_remove || !may_sink {
            return None;
        }
        let replies = tenant.replies(&at);
        tenant.remove(&at).ok()?;
        self.ledger.removal(&self.plan, &at, &replies, now);
        Some(format!("removed {}", name(&at)))
    }

    /// Posts a message whose time is null, in year 1, or invalid.
    fn timeless(&mut self, tenant: &mut Tenant, channel: &str, time: Time) -> Option<String> {
        let (awkward, now) = (self.dice.pick(&self.timeless), tenant.now());
        let at = if self.dice.chance(50) {
            tenant.at(time, |tenant| tenant.post(channel, awkward.root)).ok()?
        } else {
            let root = self.root(tenant, channel)?;
            tenant.at(time, |tenant| tenant.reply(&root, awkward.reply)).ok()?
        };
        self.note(ChangeKind::Post, &at, time, now).map(|description| format!("{description} ({})", awkward.name))
    }

    fn edit_timeless(&mut self, tenant: &mut Tenant, channel: &str, time: Time) -> Option<String> {
        let (at, now) = (self.message(tenant, channel)?, tenant.now());
        let json = tenant.message_truth(&at)?.json;
        if last_modified(&json).is_some() || self.plan.switches.unmodified_is_null {
            return None;
        }
        let (before, rest) = json.split_once("\"content\":\"")?;
        let (_, after) = rest.split_once('"')?;
        let mut json = format!("{before}\"content\":\"again {}\"{after}", self.count);
        if json.contains("\"createdDateTime\":\"") {
            // If Graph knows when a message was created, it also knows when it was changed.
            let (before, rest) = json.split_once("\"lastModifiedDateTime\":")?;
            let (_, after) = rest.split_once(',')?;
            json = format!("{before}\"lastModifiedDateTime\":\"{time}\",{after}");
        }
        tenant.at(time, |tenant| tenant.replace_raw(&at, json)).ok()?;
        self.note(ChangeKind::Edit, &at, time, now)
    }

    fn note(&mut self, kind: ChangeKind, at: &MessageRef, time: Time, now: Time) -> Option<String> {
        self.ledger.change(&self.plan, kind, at, time, now);
        let unreported = self.ledger.unreported.get(&(at.channel.clone(), at.id)).map(|reason| format!(" [not reported: {reason}]"));
        Some(format!("{kind:?} {} at {time}{}", name(at), unreported.unwrap_or_default()))
    }
}

fn name(at: &MessageRef) -> String {
    if at.is_root() { format!("{}/{}", at.channel, at.id) } else { format!("{}/{}/{}", at.channel, at.root, at.id) }
}
