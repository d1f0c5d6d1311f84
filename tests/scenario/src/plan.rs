//! The plan of a history: everything that its seed decides in advance.

use std::time::Duration;

use graph_sim::{
    DeletedBody, DeltaDeletes, DeltaSwitches, DeltaTop, Excess, ExpiredToken, GraphSim, Limits, LinkStyle, Options, Overflow, Paging,
    RepliesOrder, START, Switches, TenantSpec, Time,
};
use serde_json::{Value, json};

use crate::{Protocol, STREAMS, destination::Habits, dice::Dice};

/// The fixed parameters of a history.
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
    /// The percentage of requests before which the tenant changes.
    pub change_percent: u64,
    /// The percentage of requests that fail.
    pub fault_percent: u64,
    /// The maximum number of microseconds that the clock advances before a request.
    pub max_clock_step: u64,
    /// Links and delta tokens expire, and delta support changes, between and during runs.
    pub links_expire: bool,
    pub delta_expires: bool,
    pub delta_support_changes: bool,
    /// Graph refuses channels for a while.
    pub blocks: bool,
    /// Runs have different configurations, except for the last ones.
    pub reconfigures: bool,
    /// The `start_date` of a run, in days before the start of the history.
    pub start_date: Option<u64>,
    /// Simulated seconds per second. With 0, only the history advances the clock.
    pub clock_speed: u32,
    /// Enforces Graph's limits sped up by this factor, with the tap at the same pace. With 0 there are no limits.
    pub pace: u32,
    /// Includes faults after which the tap waits for a long time.
    pub any_fault: bool,
    /// Names of teams and channels, and members, change.
    pub directory_changes: bool,
    /// No more channels are created once there are this many.
    pub max_channels: usize,
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
        let max_messages = dice.pick(&[0, 3, 12, 12, 40, 40, 130]);
        let mut tenant =
            TenantSpec::uniform(dice.within(1..=2) as usize, dice.within(1..=3) as usize, dice.within(0..=max_messages) as usize)
                .seed(seed);
        tenant.replies = dice.within(0..=3) as usize;
        tenant.long_threads = usize::from(dice.chance(5) && tenant.messages > 0);
        tenant.skew = dice.chance(30);
        tenant.members = 1;
        tenant.groups_without_team = 0;
        tenant.history_days = dice.pick(&[1, 20, 200, 900]);
        let max_clock_step = dice.pick(&[1_000, 1_000_000, 20_000_000, 300_000_000]);
        if max_clock_step > 20_000_000 {
            // Otherwise a fresh token could expire before it is used, because requests run concurrently.
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
            // Up to 231 days before or after the simulator's default start.
            start: START.secs() + dice.within(0..=40_000_000) as i64 - 20_000_000,
            switches,
            habits: Habits {
                skips_states: dice.pick(&[0, 0, 30, 70]),
                stores_one_stream: dice.pick(&[0, 0, 30]),
                merges: dice.chance(40),
                keeps_uncovered: dice.chance(20),
            },
            change_percent: dice.pick(&[0, 10, 30, 60]),
            fault_percent: dice.pick(&[0, 0, 3, 10]),
            max_clock_step,
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
            max_channels: usize::MAX,
        }
    }

    /// A plan for the soak test, in which everything happens for as long as it runs.
    pub fn soak(seed: u64) -> Self {
        let drawn = Self::new(seed);
        let mut tenant = TenantSpec::uniform(3, 4, 40).seed(seed);
        (tenant.long_threads, tenant.skew, tenant.members, tenant.history_days) = (1, true, 8, 300);
        // Graph reports every change, so that every difference is an error.
        let reported = Switches {
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
            switches: Switches { token_lifetime: 60, link_lifetime: Some(300), opaque_tokens: false, ..reported },
            habits: Habits {
                skips_states: 20,
                stores_one_stream: 20,
                merges: seed.is_multiple_of(2),
                keeps_uncovered: seed.is_multiple_of(3),
            },
            change_percent: 20,
            fault_percent: 10,
            // The clock advances by itself.
            max_clock_step: 0,
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
            max_channels: 16,
            ..drawn
        }
    }

    /// The plan of the next run, which differs if the history reconfigures its runs.
    pub fn for_run(&self, dice: &mut Dice) -> Self {
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
        // In debug builds, compression would take most of the time.
        options.gzip = !cfg!(debug_assertions);
        options.workers = 1;
        options
    }

    pub fn config(&self, sim: &GraphSim) -> Value {
        let mut config = sim.config();
        config["pace"] = self.pace.into();
        config.as_object_mut().unwrap().extend(self.settings().as_object().unwrap().clone());
        config
    }

    /// The settings of a run without the simulator's.
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

    /// Whether any run uses delta.
    pub fn follows_delta(&self) -> bool {
        (self.use_delta || self.reconfigures) && self.selects("messages") && !self.full_refresh
    }

    /// Whether delta reports its changes reliably: no token expires, and no change is dropped.
    pub fn delta_is_reliable(&self) -> bool {
        let Switches { link_lifetime, delta, .. } = &self.switches;
        self.follows_delta()
            && !(self.links_expire || self.delta_expires || self.delta_support_changes || self.reconfigures)
            && (link_lifetime, delta.token_lifetime, delta.skips_every) == (&None, None, 0)
    }

    /// Whether a stored link may expire in this history.
    pub fn loses_links(&self) -> bool {
        self.links_expire || self.switches.link_lifetime.is_some()
    }

    /// The `start_date` as a time.
    pub fn start_time(&self) -> Option<Time> {
        self.start_date.map(|days| Time::from_secs(self.start - 86_400 * days as i64))
    }

    /// How far an incremental run reads back, and therefore how late a message may become visible.
    pub fn reach(&self) -> Duration {
        Duration::from_secs(self.lookback.max(2))
    }
}

fn top(dice: &mut Dice) -> Option<u64> {
    dice.chance(75).then(|| dice.pick(&[3, 4, 5, 7, 10, 20, 50]))
}

/// Random switches, except those for other streams. Three combinations are avoided, because no reader of the list could know where to stop: a
/// chain would be higher in the list than any of its times suggest.
fn switches(dice: &mut Dice) -> Switches {
    let mut flip = |percent| dice.chance(percent);
    let (delete_moves_chain, undelete_moves_chain, reaction_moves_chain) = (flip(70), flip(70), flip(70));
    let (mut delete_modifies, mut undelete_modifies, mut reaction_modifies) = (flip(70), flip(70), flip(70));
    let (removal_reorders, deleted_from_null, trailing_link, opaque_tokens) = (flip(70), flip(30), flip(30), flip(30));
    let mut deleted_stamp = flip(80);
    let delta = delta_switches(dice);
    if delta.reports_deletes == DeltaDeletes::Removed {
        // Otherwise the truth does not show which messages may be tombstones.
        deleted_stamp = true;
    }
    if delete_moves_chain && !deleted_stamp {
        delete_modifies = true;
    }
    // The same applies to a deletion that only its own timestamp shows: after it is undone, the chain stays where the timestamp put it.
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
