//! A plan: what a seed decides before a history begins.

use std::time::Duration;

use graph_sim::{
    DeletedBody, DeltaDeletes, DeltaSwitches, DeltaTop, Excess, ExpiredToken, GraphSim, Limits, LinkStyle, Options, Overflow, Paging,
    RepliesOrder, START, Switches, TenantSpec, Time,
};
use serde_json::{Value, json};

use crate::{Protocol, STREAMS, destination::Habits, dice::Dice};

/// Everything about a history but its chances.
#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub protocol: Protocol,
    pub streams: Vec<&'static str>,
    pub full_refresh: bool,
    pub use_delta: bool,
    pub lookback: u64,
    pub top: Option<u64>,
    pub pages_per_batch: u64,
    pub concurrency: u64,
    pub runs: u64,
    pub tenant: TenantSpec,
    pub start: i64,
    pub switches: Switches,
    pub habits: Habits,
    /// Before so many requests of a hundred the tenant changes.
    pub change_percent: u64,
    /// So many requests of a hundred meet a fault.
    pub fault_percent: u64,
    /// The clock moves so many microseconds at most before a request.
    pub longest_step: u64,
    /// Links, delta tokens and what delta supports end or change between and during runs.
    pub links_expire: bool,
    pub delta_expires: bool,
    pub delta_support_changes: bool,
    /// Channels are refused for a while.
    pub blocks: bool,
    /// Each run but the last ones is configured in another way.
    pub reconfigures: bool,
    /// How many days before the beginning the reading starts, in runs that are configured so.
    pub start_date: Option<u64>,
    /// Simulated seconds a second; 0: time stands still but where the history moves it.
    pub clock_speed: u32,
    /// Graph's limits are enforced, on a clock that is so many times faster than ours, and the tap keeps a pace that is sped up alike; 0:
    /// there are no limits.
    pub pace: u32,
    /// Every kind of fault happens, also those after which the tap waits long.
    pub any_fault: bool,
    /// Names of teams and channels change, and members.
    pub directory_changes: bool,
    /// No channel is created where there are so many.
    pub most_channels: usize,
}

impl Plan {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed ^ 0x5eed);
        let protocol = if seed.is_multiple_of(2) { Protocol::Airbyte } else { Protocol::Singer };
        let streams = match dice.within(0..=9) {
            0..=4 => STREAMS.to_vec(),
            5..=7 => vec![STREAMS[0]],
            _ => vec![STREAMS[1]],
        };
        let mut switches = switches(&mut dice);
        let most = dice.pick(&[0, 3, 12, 12, 40, 40, 130]);
        let mut tenant =
            TenantSpec::uniform(dice.within(1..=2) as usize, dice.within(1..=3) as usize, dice.within(0..=most) as usize).seed(seed);
        tenant.replies = dice.within(0..=3) as usize;
        tenant.long_threads = usize::from(dice.chance(5) && tenant.messages > 0);
        tenant.skew = dice.chance(30);
        tenant.members = 1;
        tenant.groups_without_team = 0;
        tenant.history_days = dice.pick(&[1, 20, 200, 900]);
        let longest_step = dice.pick(&[1_000, 1_000_000, 20_000_000, 300_000_000]);
        if longest_step > 20_000_000 {
            // Else a fresh token could end before it is used, requests being side by side.
            switches.token_lifetime = 3599;
        }
        Self {
            seed,
            protocol,
            streams,
            full_refresh: dice.chance(6),
            use_delta: dice.chance(60),
            lookback: dice.pick(&[0, 0, 2, 30, 300, 300, 3600]),
            top: top(&mut dice),
            pages_per_batch: dice.within(1..=5),
            concurrency: if dice.chance(70) { 1 } else { dice.within(2..=8) },
            runs: dice.within(3..=8),
            tenant,
            // Days around the simulator's own beginning.
            start: START.secs() + dice.within(0..=40_000_000) as i64 - 20_000_000,
            switches,
            habits: Habits {
                passes_over: dice.pick(&[0, 0, 30, 70]),
                stores_one_stream: dice.pick(&[0, 0, 30]),
                merges: dice.chance(40),
                keeps_uncovered: dice.chance(20),
            },
            change_percent: dice.pick(&[0, 10, 30, 60]),
            fault_percent: dice.pick(&[0, 0, 3, 10]),
            longest_step,
            links_expire: dice.chance(15),
            delta_expires: dice.chance(20),
            delta_support_changes: dice.chance(15),
            blocks: dice.chance(10),
            reconfigures: dice.chance(20),
            start_date: None,
            clock_speed: 0,
            pace: 0,
            any_fault: false,
            directory_changes: false,
            most_channels: usize::MAX,
        }
    }

    /// A tenant in which all happens that can, for as long as one likes.
    pub fn soak(seed: u64) -> Self {
        let drawn = Self::new(seed);
        let mut tenant = TenantSpec::uniform(3, 4, 40).seed(seed);
        (tenant.long_threads, tenant.skew, tenant.members, tenant.history_days) = (1, true, 8, 300);
        // A deletion that moves its chain is seen, and so is all else: what Graph does not tell, no run could bring.
        let told = Switches {
            delete_moves_chain: true,
            delete_modifies: true,
            undelete_moves_chain: true,
            undelete_modifies: true,
            reaction_moves_chain: true,
            reaction_modifies: true,
            removal_reorders: true,
            deleted_stamp: true,
            ..drawn.switches.clone()
        };
        Self {
            streams: STREAMS.to_vec(),
            full_refresh: false,
            use_delta: true,
            lookback: 30,
            top: Some(10),
            pages_per_batch: 2,
            concurrency: 16,
            tenant,
            switches: Switches { token_lifetime: 60, link_lifetime: Some(300), opaque_tokens: false, ..told },
            habits: Habits {
                passes_over: 20,
                stores_one_stream: 20,
                merges: seed.is_multiple_of(2),
                keeps_uncovered: seed.is_multiple_of(3),
            },
            change_percent: 20,
            fault_percent: 10,
            // The clock runs by itself.
            longest_step: 0,
            links_expire: true,
            delta_expires: true,
            delta_support_changes: true,
            blocks: false,
            reconfigures: false,
            start_date: None,
            clock_speed: 10,
            pace: 60,
            any_fault: true,
            directory_changes: true,
            most_channels: 16,
            ..drawn
        }
    }

    /// The same plan as one run has it, where runs differ.
    pub fn of_run(&self, dice: &mut Dice) -> Self {
        if !self.reconfigures {
            return self.clone();
        }
        let streams = if dice.chance(70) { self.streams.clone() } else { vec![dice.pick(&self.streams)] };
        Self {
            streams,
            use_delta: dice.chance(60),
            top: top(dice),
            pages_per_batch: dice.within(1..=5),
            concurrency: dice.within(1..=4),
            start_date: dice.chance(30).then(|| dice.within(0..=u64::from(self.tenant.history_days))),
            ..self.clone()
        }
    }

    pub fn options(&self) -> Options {
        let mut options = Options::new(self.tenant.clone());
        options.clock_speed = self.clock_speed.into();
        if self.pace > 0 {
            options.limits = Some(Limits::sped_up(f64::from(self.pace) / f64::from(self.clock_speed)));
        }
        options.switches = self.switches.clone();
        options.start = graph_sim::Time::from_secs(self.start);
        // In debug builds compression would take most of the time.
        options.gzip = !cfg!(debug_assertions);
        options.workers = 1;
        options
    }

    /// The configuration of a run.
    pub fn config(&self, sim: &GraphSim) -> Value {
        let mut config = sim.config();
        config["pace"] = self.pace.into();
        config.as_object_mut().unwrap().extend(self.settings().as_object().unwrap().clone());
        config
    }

    /// The settings of a run.
    pub fn settings(&self) -> Value {
        let mut settings = json!({
            "fetch_all_teams": true, "fetch_all_channels": true, "fetch_all_messages": true,
            "use_delta_api": self.use_delta, "lookback_seconds": self.lookback,
            "max_pages_per_batch": self.pages_per_batch, "max_concurrent_threads": self.concurrency,
        });
        if let Some(start) = self.start_time() {
            settings["start_date"] = start.to_string().into();
        }
        if let Some(top) = self.top {
            settings["top"] = top.into();
        }
        settings
    }

    pub fn selects(&self, stream: &str) -> bool {
        self.streams.contains(&stream)
    }

    /// Delta is asked at all.
    pub fn follows_delta(&self) -> bool {
        (self.use_delta || self.reconfigures) && self.selects("messages") && !self.full_refresh
    }

    /// What delta tells, it tells surely: no token ends, nothing is forgotten.
    pub fn delta_is_sure(&self) -> bool {
        let Switches { link_lifetime, delta, .. } = &self.switches;
        self.follows_delta()
            && !(self.links_expire || self.delta_expires || self.delta_support_changes || self.reconfigures)
            && (link_lifetime, delta.token_lifetime, delta.skips_every) == (&None, None, 0)
    }

    /// A resume link of this history may be refused.
    pub fn loses_links(&self) -> bool {
        self.links_expire || self.switches.link_lifetime.is_some()
    }

    /// From when on messages are wanted.
    pub fn start_time(&self) -> Option<Time> {
        self.start_date.map(|days| Time::from_secs(self.start - 86_400 * days as i64))
    }

    /// How far an incremental run reaches back behind what was read, and so how late a message may become visible.
    pub fn reach(&self) -> Duration {
        Duration::from_secs(self.lookback.max(2))
    }
}

fn top(dice: &mut Dice) -> Option<u64> {
    dice.chance(75).then(|| dice.pick(&[3, 4, 5, 7, 10, 20, 50]))
}

/// Every switch, except those that concern other streams. Three settings are not drawn, since under them no reader of this list could know
/// where to stop: a chain that stands higher than any time in it says.
fn switches(dice: &mut Dice) -> Switches {
    let mut flip = |percent| dice.chance(percent);
    let (delete_moves_chain, undelete_moves_chain, reaction_moves_chain) = (flip(70), flip(70), flip(70));
    let (mut delete_modifies, mut undelete_modifies, mut reaction_modifies) = (flip(70), flip(70), flip(70));
    let (removal_reorders, deleted_from_null, trailing_link, opaque_tokens) = (flip(70), flip(30), flip(30), flip(30));
    let mut deleted_stamp = flip(80);
    let delta = delta_switches(dice);
    if delta.reports_deletes == DeltaDeletes::Removed {
        // Else nothing in the truth says which messages may be tombstones.
        deleted_stamp = true;
    }
    if delete_moves_chain && !deleted_stamp {
        delete_modifies = true;
    }
    // Also after a deletion that only its own stamp shows: taken back, it leaves the chain where the stamp had put it.
    if undelete_moves_chain || delete_moves_chain && !delete_modifies {
        undelete_modifies = true;
    }
    if reaction_moves_chain {
        reaction_modifies = true;
    }
    Switches {
        delete_moves_chain,
        delete_modifies,
        undelete_moves_chain,
        undelete_modifies,
        reaction_moves_chain,
        reaction_modifies,
        removal_reorders,
        deleted_body: dice.pick(&[DeletedBody::Empty, DeletedBody::Null, DeletedBody::Kept]),
        deleted_from_null,
        deleted_stamp,
        paging: dice.pick(&[Paging::Position, Paging::Position, Paging::Offset]),
        link_style: dice.pick(&[None, Some(LinkStyle::FunctionEncoded), Some(LinkStyle::Function), Some(LinkStyle::Slash)]),
        empty_pages: dice.pick(&[0, 0, 0, 3, 5, 7]),
        trailing_link,
        link_lifetime: dice.pick(&[None, None, None, None, None, None, None, Some(900)]),
        replies_order: dice.pick(&[RepliesOrder::NewestFirst, RepliesOrder::OldestFirst]),
        replies_page: dice.pick(&[1, 3, 20]),
        inline_replies: dice.pick(&[0, 1, 3, 10, 200]),
        overflow: dice.pick(&[Overflow::CountAndLink, Overflow::CountAndLink, Overflow::Link, Overflow::CountOfAll]),
        expands_replies: !dice.chance(6),
        unmodified_is_null: dice.chance(15),
        top_over_maximum: dice.pick(&[Excess::Reject, Excess::Clamp]),
        channels_page: dice.pick(&[0, 0, 1, 2]),
        token_lifetime: dice.pick(&[3599, 3599, 900]),
        opaque_tokens,
        delta,
        ..Switches::default()
    }
}

fn delta_switches(dice: &mut Dice) -> DeltaSwitches {
    DeltaSwitches {
        page: dice.pick(&[1, 2, 5, 20]),
        top: dice.pick(&[DeltaTop::Accept, DeltaTop::Reject, DeltaTop::Break]),
        reports_reactions: dice.chance(40),
        reports_deletes: dice.pick(&[DeltaDeletes::Item, DeltaDeletes::Item, DeltaDeletes::Removed, DeltaDeletes::Silent]),
        reports_replies: dice.chance(70),
        reports_removals: dice.chance(40),
        skips_every: dice.pick(&[0, 0, 0, 1, 3]),
        shuffle: dice.chance(40),
        repeats: dice.chance(40),
        empty_first_page: dice.chance(30),
        empty_channel_quirk: dice.chance(70),
        token_lifetime: dice.pick(&[None, None, None, None, None, Some(86_400)]),
        expired: dice.pick(&[
            ExpiredToken::Gone,
            ExpiredToken::SyncStateNotFound,
            ExpiredToken::SyncStateInvalid,
            ExpiredToken::ResyncRequired,
            ExpiredToken::NotSupported,
        ]),
    }
}
