//! The ledger: which changes Graph tells under the switches of a history, and how. What it does not tell is left out of the comparison.

use std::collections::HashMap;

use graph_sim::{DeltaDeletes, MessageId, MessageRef, Tenant, Time};

use crate::plan::Plan;

/// A message of a channel.
pub type At = (String, MessageId);

/// What happens to a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    Post,
    Edit,
    Reaction,
    Deletion,
    Undeletion,
}

/// Why the contents of a row may be older than the truth.
pub type Reason = &'static str;

/// What was changed in one history, and what of it is told.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Messages whose last change was not told, and why.
    pub untold: HashMap<At, Reason>,
    /// Messages that were removed, and whether their removal is told.
    pub removed: HashMap<At, bool>,
    /// When each chain changed last, whether that moved it or not.
    pub changed: HashMap<At, Time>,
    /// When each chain was moved to the top in this history.
    raised: HashMap<At, Time>,
    /// Since when the stored state has a delta link, by channel.
    delta_since: HashMap<String, Time>,
}

impl Ledger {
    /// Notes the chains that there are at the beginning.
    pub fn begin(&mut self, tenant: &Tenant) {
        tenant.visit_messages(|message| {
            let text = std::str::from_utf8(message.json).unwrap();
            let newest = self.changed.entry((message.channel, message.root)).or_insert(Time::MIN);
            *newest = last_modified(text).or_else(|| time(text, "createdDateTime")).unwrap_or(Time::MIN).max(*newest);
        });
    }

    /// Notes since when the destination holds a delta link of a channel.
    pub fn delta_links(&mut self, channels: &[String], now: Time) {
        self.delta_since.retain(|channel, _| channels.contains(channel));
        for channel in channels {
            self.delta_since.entry(channel.clone()).or_insert(now);
        }
    }

    /// Notes a change that becomes visible `now` and whose own time may lie a little back.
    pub fn change(&mut self, plan: &Plan, kind: Kind, at: &MessageRef, time: Time, now: Time) {
        let chain = (at.channel.clone(), at.root);
        let changed = self.changed.entry(chain.clone()).or_insert(Time::MIN);
        *changed = now.max(*changed);
        let switches = &plan.switches;
        let moves = match kind {
            Kind::Post | Kind::Edit => true,
            Kind::Reaction => switches.reaction_moves_chain,
            Kind::Deletion => switches.delete_moves_chain,
            Kind::Undeletion => switches.undelete_moves_chain,
        };
        if moves {
            let raised = self.raised.entry(chain.clone()).or_insert(Time::MIN);
            *raised = time.max(*raised);
        }
        let key = (at.channel.clone(), at.id);
        match self.reason(plan, kind, at, moves) {
            None => drop(self.untold.remove(&key)),
            Some(reason) => drop(self.untold.insert(key.clone(), reason)),
        }
    }

    /// Notes a hard removal: the message vanishes from the lists, a root with its replies.
    pub fn removal(&mut self, plan: &Plan, at: &MessageRef, replies: &[MessageRef], time: Time) {
        let is_told =
            at.is_root() && plan.delta_is_sure() && plan.switches.delta.reports_removals && self.delta_since.contains_key(&at.channel);
        self.removed.insert((at.channel.clone(), at.id), is_told);
        for reply in replies.iter().filter(|_| at.is_root()) {
            self.removed.insert((reply.channel.clone(), reply.id), false);
        }
        let changed = self.changed.entry((at.channel.clone(), at.root)).or_insert(Time::MIN);
        *changed = time.max(*changed);
    }

    /// Why a change is not told; none if it is.
    fn reason(&self, plan: &Plan, kind: Kind, at: &MessageRef, moves: bool) -> Option<Reason> {
        let switches = &plan.switches;
        let is_seen = match kind {
            Kind::Post | Kind::Edit => true,
            Kind::Reaction => switches.reaction_modifies,
            Kind::Deletion => switches.delete_modifies || switches.deleted_stamp,
            Kind::Undeletion => switches.undelete_modifies,
        };
        // A whole reading tells everything; a walk tells what moves a chain and shows in the message's own times.
        if plan.full_refresh || moves && is_seen {
            return None;
        }
        let in_delta = match kind {
            Kind::Post | Kind::Edit => true,
            Kind::Reaction => switches.delta.reports_reactions,
            Kind::Deletion | Kind::Undeletion => switches.delta.reports_deletes != DeltaDeletes::Silent,
        };
        if !at.is_root() {
            return Some("a change of a reply that does not move its chain: delta tells of roots only");
        }
        if !plan.follows_delta() || !in_delta {
            return Some("a change that does not move its chain, and delta is not asked or silent about it");
        }
        if !plan.delta_is_sure() {
            return Some("a change that only delta tells, whose token may have ended or which forgets");
        }
        let Some(since) = self.delta_since.get(&at.channel) else {
            return Some("a change that only delta tells, before its first round was stored");
        };
        // The filter that delta was opened with goes on for ever: a chain that has not moved since then stays below it.
        let is_above = self.raised.get(&(at.channel.clone(), at.root)).is_some_and(|raised| raised > since);
        (!is_above).then_some("a change that only delta tells, of a chain below the filter of its opening")
    }
}

/// The lastModifiedDateTime of a message, where it has one that says anything.
pub fn last_modified(json: &str) -> Option<Time> {
    time(json, "lastModifiedDateTime")
}

fn time(json: &str, name: &str) -> Option<Time> {
    let (_, rest) = json.split_once(&format!("\"{name}\":\""))?;
    Time::parse(rest.split_once('"')?.0).filter(|time| time.secs() > -62_000_000_000)
}
