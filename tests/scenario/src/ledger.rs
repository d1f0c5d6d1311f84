//! The ledger: which changes Graph reports under the simulator's switches. Changes that it does not report are excluded from the comparison.

use std::collections::HashMap;

use graph_sim::{DeltaDeletes, MessageId, MessageRef, Tenant, Time};

use crate::plan::Plan;

/// A channel and a message in it.
pub type MessageKey = (String, MessageId);

/// A change of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ChangeKind {
    Post,
    Edit,
    Reaction,
    Deletion,
    Undeletion,
}

/// Why a row may be older than the truth.
pub type Reason = &'static str;

/// The changes of one history, and which of them Graph reports.
#[derive(Debug, Default)]
pub struct Ledger {
    /// Messages whose last change Graph does not report, with the reason.
    pub unreported: HashMap<MessageKey, Reason>,
    /// Removed messages, and whether Graph reports the removal.
    pub removed: HashMap<MessageKey, bool>,
    /// When each chain last changed, whether or not that moved it to the top.
    pub changed: HashMap<MessageKey, Time>,
    /// When each chain last moved to the top.
    raised: HashMap<MessageKey, Time>,
    /// By channel, since when the stored state has had a delta link.
    delta_since: HashMap<String, Time>,
}

impl Ledger {
    /// Adds the chains that exist at the beginning.
    pub fn begin(&mut self, tenant: &Tenant) {
        tenant.visit_messages(|message| {
            let text = std::str::from_utf8(message.json).unwrap();
            let newest = self.changed.entry((message.channel, message.root)).or_insert(Time::MIN);
            *newest = last_modified(text).or_else(|| time(text, "createdDateTime")).unwrap_or(Time::MIN).max(*newest);
        });
    }

    /// Updates the channels for which the destination has a delta link.
    pub fn delta_links(&mut self, channels: &[String], now: Time) {
        self.delta_since.retain(|channel, _| channels.contains(channel));
        for channel in channels {
            self.delta_since.entry(channel.clone()).or_insert(now);
        }
    }

    /// Adds a change that becomes visible `now`. Its own `time` may be a little earlier.
    pub fn change(&mut self, plan: &Plan, kind: ChangeKind, at: &MessageRef, time: Time, now: Time) {
        let chain = (at.channel.clone(), at.root);
        let changed = self.changed.entry(chain.clone()).or_insert(Time::MIN);
        *changed = now.max(*changed);
        let switches = &plan.switches;
        let moves = match kind {
            ChangeKind::Post | ChangeKind::Edit => true,
            ChangeKind::Reaction => switches.reaction_moves_chain,
            ChangeKind::Deletion => switches.delete_moves_chain,
            ChangeKind::Undeletion => switches.undelete_moves_chain,
        };
        if moves {
            let raised = self.raised.entry(chain.clone()).or_insert(Time::MIN);
            *raised = time.max(*raised);
        }
        let key = (at.channel.clone(), at.id);
        match self.reason(plan, kind, at, moves) {
            None => drop(self.unreported.remove(&key)),
            Some(reason) => drop(self.unreported.insert(key.clone(), reason)),
        }
    }

    /// Adds a hard removal: the message disappears from the lists, a root together with its replies.
    pub fn removal(&mut self, plan: &Plan, at: &MessageRef, replies: &[MessageRef], time: Time) {
        let is_reported =
            at.is_root() && plan.delta_is_reliable() && plan.switches.delta.reports_removals && self.delta_since.contains_key(&at.channel);
        self.removed.insert((at.channel.clone(), at.id), is_reported);
        for reply in replies.iter().filter(|_| at.is_root()) {
            self.removed.insert((reply.channel.clone(), reply.id), false);
        }
        let changed = self.changed.entry((at.channel.clone(), at.root)).or_insert(Time::MIN);
        *changed = time.max(*changed);
    }

    /// Why Graph does not report a change. [`None`] if it does.
    fn reason(&self, plan: &Plan, kind: ChangeKind, at: &MessageRef, moves: bool) -> Option<Reason> {
        let switches = &plan.switches;
        let is_visible = match kind {
            ChangeKind::Post | ChangeKind::Edit => true,
            ChangeKind::Reaction => switches.reaction_modifies,
            ChangeKind::Deletion => switches.delete_modifies || switches.deleted_stamp,
            ChangeKind::Undeletion => switches.undelete_modifies,
        };
        // A full refresh reads everything. A walk finds changes that move the chain and show in the message's own times.
        if plan.full_refresh || moves && is_visible {
            return None;
        }
        let in_delta = match kind {
            ChangeKind::Post | ChangeKind::Edit => true,
            ChangeKind::Reaction => switches.delta.reports_reactions,
            ChangeKind::Deletion | ChangeKind::Undeletion => switches.delta.reports_deletes != DeltaDeletes::Silent,
        };
        if !at.is_root() {
            return Some("a change of a reply that does not move its chain: delta reports only roots");
        }
        if !plan.follows_delta() || !in_delta {
            return Some("a change that does not move its chain, and delta is disabled or does not report it");
        }
        if !plan.delta_is_reliable() {
            return Some("a change that only delta reports, but its token may have expired or it drops changes");
        }
        let Some(since) = self.delta_since.get(&at.channel) else {
            return Some("a change that only delta reports, before its first round was stored");
        };
        // Delta keeps the filter of its first request: a chain that has not moved since then stays below it.
        let is_above = self.raised.get(&(at.channel.clone(), at.root)).is_some_and(|raised| raised > since);
        (!is_above).then_some("a change that only delta reports, of a chain below its filter")
    }
}

/// The lastModifiedDateTime of a message, if it is usable.
pub fn last_modified(json: &str) -> Option<Time> {
    time(json, "lastModifiedDateTime")
}

fn time(json: &str, name: &str) -> Option<Time> {
    let (_, rest) = json.split_once(&format!("\"{name}\":\""))?;
    Time::parse(rest.split_once('"')?.0).filter(|time| time.secs() > -62_000_000_000)
}
