//! What happens to the tenant: users write, edit, react and delete, owners and policies remove, channels come and go.

use std::time::Duration;

use graph_sim::{Awkward, DeltaSupport, MemberKind, Membership, MessageRef, Post, Tenant, Time, corpus};

use crate::{
    dice::Dice,
    ledger::{Kind, Ledger, last_modified},
    plan::Plan,
};

/// The kinds of the simulator's corpus whose time says nothing.
const TIMELESS: [&str; 4] = ["last_modified_is_null", "last_modified_in_year_one", "last_modified_is_no_date", "times_absent"];

const EMOJI: [&str; 3] = ["👍", "like", "🎉"];

/// Changes of one history.
#[derive(Debug)]
pub struct Changes {
    plan: Plan,
    pub dice: Dice,
    pub ledger: Ledger,
    /// Messages are removed now: no list is being paged by offsets, which a removal would shift.
    pub may_remove: bool,
    /// No walk is under way that would pass a chain by which sinks, since a reply of it is removed.
    pub may_sink: bool,
    timeless: Vec<Awkward>,
    count: u64,
}

impl Changes {
    pub fn new(plan: &Plan, dice: Dice) -> Self {
        let timeless = corpus().into_iter().filter(|awkward| TIMELESS.contains(&awkward.name.as_str())).collect();
        Self { plan: plan.clone(), dice, ledger: Ledger::default(), may_remove: true, may_sink: true, timeless, count: 0 }
    }

    /// Changes something, or two things at one moment. Gives what happened in words.
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
        // It becomes visible now, and its own time lies a little back.
        let late = if self.dice.chance(25) {
            Duration::from_millis(self.dice.within(0..=self.plan.reach().as_millis() as u64 - 1))
        } else {
            Duration::ZERO
        };
        let time = now.minus(late);
        match self.dice.within(0..=99) {
            0..20 => {
                let at = tenant.at(time, |tenant| tenant.post(&channel, Post::text(text))).ok()?;
                self.note(Kind::Post, &at, time, now)
            }
            20..42 => {
                let root = self.root(tenant, &channel)?;
                let at = tenant.at(time, |tenant| tenant.reply(&root, Post::text(text))).ok()?;
                self.note(Kind::Post, &at, time, now)
            }
            42..56 => self.alter(tenant, &channel, Kind::Edit, time, |tenant, at, _| tenant.edit(at, &text).is_ok()),
            56..65 => {
                let emoji = self.dice.pick(&EMOJI);
                let unreacts = self.dice.chance(30);
                self.alter(tenant, &channel, Kind::Reaction, time, |tenant, at, _| {
                    if unreacts { tenant.unreact(at).is_ok() } else { tenant.react(at, emoji).is_ok() }
                })
            }
            65..75 => self.alter(tenant, &channel, Kind::Deletion, time, |tenant, at, deleted| !deleted && tenant.delete(at).is_ok()),
            75..82 => self.alter(tenant, &channel, Kind::Undeletion, time, |tenant, at, deleted| deleted && tenant.undelete(at).is_ok()),
            82..88 => self.remove(tenant, &channel, now),
            88..92 => self.timeless(tenant, &channel, time),
            92..96 => self.edit_timeless(tenant, &channel, time),
            96..98 => {
                if tenant.all_channel_ids().len() >= self.plan.most_channels {
                    return None;
                }
                let team = tenant.team_of(&channel)?.id.clone();
                let new = tenant.create_channel(&team, &text, Membership::Standard).ok()?;
                Some(format!("channel {new} is created"))
            }
            98 => {
                // General stays: Graph has no team without it.
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

    /// Another name, another member: what the streams tell that are read in full each time.
    fn directory(&mut self, tenant: &mut Tenant, channel: &str) -> Option<String> {
        let (team, name) = (tenant.team_of(channel)?.id.clone(), format!("name {}", self.count));
        let done = match self.dice.within(0..=3) {
            0 => tenant.rename_team(&team, &name),
            1 => tenant.rename_channel(channel, &name),
            2 => tenant.add_member(&team, MemberKind::AadUser, &[]).map(drop),
            _ => {
                let known = tenant.team(&team)?;
                let members: Vec<_> = known.members().iter().map(|member| member.id(tenant, known)).collect();
                // Else a team would grow or vanish.
                let member = members.last().filter(|_| members.len() > 3)?.clone();
                tenant.remove_member(&team, &member)
            }
        };
        done.ok()?;
        Some(format!("the directory changes: {name}"))
    }

    /// Makes delta of a channel work, or refuses it in one of the ways that were seen.
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

    /// A root at the top, at the bottom, or anywhere.
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

    /// Changes a message; nothing happens to one that has changed since `time`.
    fn alter(
        &mut self,
        tenant: &mut Tenant,
        channel: &str,
        kind: Kind,
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
        // Without its newest reply a chain would stand higher than any time in it says; or it would sink, and with it a deletion that only
        // its own stamp shows.
        let sinks_well = switches.removal_reorders && (switches.delete_modifies || !switches.delete_moves_chain);
        let may_sink = at.is_root() || sinks_well && self.may_sink;
        if !self.may_remove || !may_sink {
            return None;
        }
        let replies = tenant.replies(&at);
        tenant.remove(&at).ok()?;
        self.ledger.removal(&self.plan, &at, &replies, now);
        Some(format!("removed {}", name(&at)))
    }

    /// A message whose time is null, of the year 1, or no time at all.
    fn timeless(&mut self, tenant: &mut Tenant, channel: &str, time: Time) -> Option<String> {
        let (awkward, now) = (self.dice.pick(&self.timeless), tenant.now());
        let at = if self.dice.chance(50) {
            tenant.at(time, |tenant| tenant.post(channel, awkward.root)).ok()?
        } else {
            let root = self.root(tenant, channel)?;
            tenant.at(time, |tenant| tenant.reply(&root, awkward.reply)).ok()?
        };
        self.note(Kind::Post, &at, time, now).map(|said| format!("{said} ({})", awkward.name))
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
            // Where Graph knows when a message was created, it knows when it was changed.
            let (before, rest) = json.split_once("\"lastModifiedDateTime\":")?;
            let (_, after) = rest.split_once(',')?;
            json = format!("{before}\"lastModifiedDateTime\":\"{time}\",{after}");
        }
        tenant.at(time, |tenant| tenant.replace_raw(&at, json)).ok()?;
        self.note(Kind::Edit, &at, time, now)
    }

    fn note(&mut self, kind: Kind, at: &MessageRef, time: Time, now: Time) -> Option<String> {
        self.ledger.change(&self.plan, kind, at, time, now);
        let untold = self.ledger.untold.get(&(at.channel.clone(), at.id)).map(|reason| format!(" [untold: {reason}]"));
        Some(format!("{kind:?} {} of {time}{}", name(at), untold.unwrap_or_default()))
    }
}

fn name(at: &MessageRef) -> String {
    if at.is_root() { format!("{}/{}", at.channel, at.id) } else { format!("{}/{}/{}", at.channel, at.root, at.id) }
}
