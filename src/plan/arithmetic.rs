//! From what the first pages of a channel tell to what reading it will take: pure arithmetic over what was seen.
//!
//! Chains stand in the order of their activity. A page therefore shows every root that was created since the activity at its end, and how many
//! these are is how fast the channel is posted to: an unbiased measure, which old chains that have come up again do not distort. What is behind
//! the page is taken to have been posted as fast, back to the channel's creation or to where the run stops.

use chrono::{DateTime, TimeDelta, Utc};

use crate::read::channel::{activity::Activity, depth::Depth, pass::PROBE};

/// Chains that a walk meets below its bound before it stops.
const BELOW: f64 = 2.0;

/// So many chains of the whole tenant weigh as much as those of the channel where it is estimated how many threads are long.
const POOLED: f64 = 100.0;

/// By this share at least what was not seen may be wrong (standard error): no channel is posted to evenly, and changes come in bursts.
const AT_LEAST: f64 = 0.05;
const AT_LEAST_IN_BURSTS: f64 = 0.3;

/// And by this share the guess of how many requests a thread takes (standard error).
const GUESS_OF_THREAD: f64 = 0.2;

/// Records and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Told {
    pub(super) records: f64,
    pub(super) bytes: f64,
}

impl Told {
    pub(super) fn times(self, factor: f64) -> Self {
        Self { records: self.records * factor, bytes: self.bytes * factor }
    }
}

impl std::ops::AddAssign for Told {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.bytes += other.bytes;
    }
}

/// What a page tells of a chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    /// When its root was created.
    pub(super) created: Option<DateTime<Utc>>,
    /// Its activity, as far as the page shows it.
    pub(super) activity: Activity,
    /// The root and the replies on the page, as far as they are wanted.
    pub(super) root: Told,
    pub(super) replies: Told,
    /// The replies that did not fit.
    pub(super) thread: Option<Thread>,
}

/// What is likely behind the replies that came with their root.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Thread {
    pub(super) requests: f64,
    pub(super) replies: f64,
}

/// What a walk is going to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    /// Chains on a page.
    pub(super) size: usize,
    /// Whether its first page is a small one.
    pub(super) probes: bool,
    /// It goes on from a page in the midst of the channel.
    pub(super) is_resumed: bool,
    /// Below this time nothing is wanted, and below this one no thread is completed.
    pub(super) stop: DateTime<Utc>,
    pub(super) settled: DateTime<Utc>,
    /// By how much incremental reads overlap.
    pub(super) overlap: TimeDelta,
    /// Whether threads are completed.
    pub(super) completes: bool,
    /// When the channel was created, or could have been at the earliest.
    pub(super) created: DateTime<Utc>,
}

/// What was seen of a channel, from the page on with which its walk begins.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) chains: Vec<Chain>,
    /// The pages were as small as a probe.
    pub(super) is_probe: bool,
    pub(super) pages: usize,
    pub(super) bytes: f64,
    pub(super) has_next: bool,
    /// Graph's clock.
    pub(super) now: DateTime<Utc>,
}

/// How many threads are long, in all channels that were seen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LongThreads {
    chains: f64,
    threads: f64,
    requests: f64,
    replies: f64,
}

/// What a walk will take.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Estimate {
    /// Requests for the channel's list, and for threads.
    pub(super) lists: f64,
    pub(super) threads: f64,
    /// By how much both may be wrong (standard errors); that of threads is the same for all channels.
    pub(super) error: f64,
    pub(super) error_of_threads: f64,
    pub(super) error_of_chains: f64,
    pub(super) roots: Told,
    pub(super) replies: Told,
    /// Bytes of the answers.
    pub(super) answers: f64,
    /// Chains that are met above the bound.
    pub(super) chains: f64,
}

impl Walk {
    /// Whether a page reaches below what is wanted, as far as it tells without its threads.
    fn is_enough<'c>(chains: impl Iterator<Item = &'c Chain>, bound: DateTime<Utc>) -> bool {
        let mut depth = Depth::default();
        chains.for_each(|chain| depth.note(if chain.thread.is_some() { Activity::Unknown } else { chain.activity }));
        depth.is_below(bound)
    }

    /// Whether nothing of what it is going to read is missing.
    pub(super) fn has_seen_all(&self, seen: &Seen) -> bool {
        if !seen.has_next {
            return true;
        }
        if seen.is_probe {
            return Self::is_enough(seen.chains.iter(), self.stop);
        }
        let mut depth = Depth::default();
        seen.chains.iter().for_each(|chain| depth.note(chain.activity));
        depth.is_below(self.stop)
    }
}

impl Seen {
    /// The activity down to which every chain was seen; a single one may stand higher than its times tell.
    fn lowest(&self) -> Option<DateTime<Utc>> {
        let mut last = self.chains.iter().rev().filter_map(|chain| chain.activity.known());
        let (one, other) = (last.next()?, last.next());
        Some(other.map_or(one, |other| one.max(other)))
    }

    /// The chains whose roots were created since the lowest activity: all there are.
    fn fresh(&self) -> impl Iterator<Item = &Chain> {
        let lowest = self.lowest();
        self.chains.iter().filter(move |chain| chain.is_since(lowest))
    }
}

impl Chain {
    /// Whether its root was created since that time.
    fn is_since(&self, lowest: Option<DateTime<Utc>>) -> bool {
        self.created().zip(lowest).is_none_or(|(created, lowest)| created >= lowest)
    }

    fn created(&self) -> Option<DateTime<Utc>> {
        self.created.or(self.activity.known())
    }
}

impl LongThreads {
    /// Takes note of what was seen of a channel.
    pub(super) fn note(&mut self, seen: &Seen) {
        for chain in seen.fresh() {
            self.chains += 1.0;
            if let Some(thread) = chain.thread {
                self.threads += 1.0;
                self.requests += thread.requests;
                self.replies += thread.replies;
            }
        }
    }

    /// Standard error of what is made of these, as a share.
    fn error(&self) -> f64 {
        1.0 / self.threads.max(1.0).sqrt()
    }
}

/// What a walk will take, in a tenant in which nothing changes meanwhile.
pub(super) fn estimate(walk: &Walk, seen: &Seen, pooled: &LongThreads) -> Estimate {
    let is_known = walk.has_seen_all(seen);
    let (chains, error) = if is_known { (seen.chains.len() as f64, 0.0) } else { all_chains(walk, seen) };
    let behind = (chains - seen.chains.len() as f64).max(0.0);
    let size = walk.size.max(1) as f64;
    let wanted = if walk.stop <= walk.created { chains } else { chains + BELOW };
    let pages = if is_known { seen.pages as f64 } else { (wanted / size).ceil() };
    // A small page that told too little, and the pass that closes a walk of several pages.
    let missed = f64::from(u8::from(walk.probes && !(is_known && seen.is_probe)));
    let closing = if pages > 1.0 || walk.is_resumed { closing_pass(walk, seen) } else { 0.0 };
    let lists = pages + missed + closing;
    let mut estimate =
        Estimate { lists, error: error / size, error_of_chains: error, chains: chains_wanted(walk, seen, behind), ..Estimate::default() };
    let of_chain = seen.bytes / (seen.chains.len() as f64).max(1.0);
    estimate.answers = seen.bytes + of_chain * (behind + (missed + closing) * (PROBE as usize).min(walk.size) as f64);
    seen_records(walk, seen, &mut estimate);
    if behind > 0.0 {
        unseen_records(walk, seen, behind, pooled, &mut estimate);
    }
    estimate
}

/// How many chains a walk meets that does not end within what was seen, and by how much that may be wrong.
fn all_chains(walk: &Walk, seen: &Seen) -> (f64, f64) {
    let count = seen.chains.len() as f64;
    let Some(lowest) = seen.lowest() else { return (2.0 * count + 1.0, count + 1.0) };
    let bottom = walk.stop.max(walk.created);
    let fresh = seen.fresh().count() as f64;
    let newest = seen.fresh().filter_map(Chain::created).max().unwrap_or(seen.now);
    let window = seconds(lowest, newest);
    let rate = if fresh > 1.0 && window > 0.0 { (fresh - 1.0) / window } else { fresh.max(1.0) / seconds(lowest, seen.now).max(1.0) };
    let is_older = |chain: &&Chain| chain.created().is_some_and(|created| created < bottom);
    let older = seen.chains.iter().filter(is_older).count() as f64;
    let posted = (rate * seconds(bottom, lowest)).max(count - fresh - older);
    // Of the chains that are older than the bound, those that have come up above it: the further down, the fewer are met for the first time.
    let age = seconds(walk.created, seen.now);
    let came_up = |window: f64| window * (1.0 + (age / window.max(1.0)).max(1.0).ln());
    let factor = came_up(seconds(bottom, seen.now)) / came_up(seconds(lowest, seen.now)).max(1.0);
    let all_older = (older * factor.max(1.0)).min((rate * seconds(walk.created, bottom)).max(older));
    let chains = (fresh + posted + all_older).max(count + 1.0);
    let error =
        posted * AT_LEAST.max(1.0 / fresh.max(1.0).sqrt()) + (all_older - older) * AT_LEAST_IN_BURSTS.max(1.0 / older.max(1.0).sqrt());
    (chains, error.min(chains))
}

/// Requests of the pass from the top that closes a walk of several pages: one where nothing moves, or two where a small page tells too little.
fn closing_pass(walk: &Walk, seen: &Seen) -> f64 {
    // Without its own first page nothing is known of the top.
    let probe = PROBE as usize;
    if walk.is_resumed || probe >= walk.size || seen.chains.len() <= probe {
        return 1.0;
    }
    let newest = seen.chains.iter().filter_map(|chain| chain.activity.known()).max();
    let until = newest.into_iter().chain(seen.now.checked_sub_signed(walk.overlap)).min().unwrap_or_default();
    if Walk::is_enough(seen.chains.iter().take(probe), until) { 1.0 } else { 2.0 }
}

/// Chains whose activity is above the bound.
fn chains_wanted(walk: &Walk, seen: &Seen, behind: f64) -> f64 {
    let is_wanted = |chain: &&Chain| chain.activity.known().is_none_or(|activity| activity >= walk.stop);
    seen.chains.iter().filter(is_wanted).count() as f64 + behind
}

/// What was seen is read as it was seen.
fn seen_records(walk: &Walk, seen: &Seen, estimate: &mut Estimate) {
    let mut depth = Depth::default();
    for chain in &seen.chains {
        estimate.roots += chain.root;
        estimate.replies += chain.replies;
        if let Some(thread) = chain.thread.filter(|_| walk.completes && !depth.is_below(walk.settled)) {
            estimate.threads += thread.requests;
            estimate.error = estimate.error.hypot(thread.requests * GUESS_OF_THREAD);
            // Of a thread whose shown replies are not wanted, nothing behind them is.
            if chain.replies.records > 0.0 && walk.settled <= walk.created {
                estimate.replies += chain.replies.times(thread.replies / chain.replies.records);
                estimate.answers += chain.replies.bytes * thread.replies / chain.replies.records;
            }
        }
        depth.note(chain.activity);
    }
}

/// What was not seen of a channel that is read whole is taken to be like the chains that were created lately; and what of it has come up among
/// those, which long threads do more than others, is no longer there. Of what changed since a run, it is taken to be like all that was seen.
fn unseen_records(walk: &Walk, seen: &Seen, behind: f64, pooled: &LongThreads, estimate: &mut Estimate) {
    let (mut like, mut came_up) = (Sample::default(), Sample::default());
    let is_whole = walk.stop <= walk.created;
    let lowest = seen.lowest();
    for chain in &seen.chains {
        let is_fresh = chain.is_since(lowest);
        if is_fresh || !is_whole {
            like.add(chain);
        } else {
            came_up.add(chain);
        }
    }
    let all = behind + came_up.chains;
    let of_chain = |like_sum: f64, came_up_sum: f64| (all * like_sum / like.chains.max(1.0) - came_up_sum).max(0.0);
    let told =
        |like: Told, came_up: Told| Told { records: of_chain(like.records, came_up.records), bytes: of_chain(like.bytes, came_up.bytes) };
    let roots =
        if like.chains > 0.0 { like.roots.times(behind / like.chains) } else { came_up.roots.times(behind / came_up.chains.max(1.0)) };
    estimate.roots += roots;
    estimate.replies += told(like.replies, came_up.replies);
    if !walk.completes || pooled.chains == 0.0 {
        return;
    }
    let of_all = |like_sum: f64, pooled_sum: f64| all * (like_sum + POOLED * pooled_sum / pooled.chains) / (like.chains + POOLED);
    let requests = of_all(like.threads.requests, pooled.requests);
    let threads = (requests - came_up.threads.requests).max(0.0);
    let records = (of_all(like.threads.replies, pooled.replies) - came_up.threads.replies).max(0.0);
    let bytes = if like.replies.records > 0.0 { like.replies.bytes / like.replies.records } else { 0.0 };
    estimate.threads += threads;
    estimate.replies += Told { records, bytes: records * bytes };
    estimate.answers += records * bytes;
    estimate.error_of_threads += (requests * pooled.error()).min(behind * requests / all.max(1.0) + threads);
}

/// Some of the chains that were seen.
#[derive(Default)]
struct Sample {
    chains: f64,
    roots: Told,
    replies: Told,
    threads: Thread,
}

impl Sample {
    fn add(&mut self, chain: &Chain) {
        self.chains += 1.0;
        self.roots += chain.root;
        self.replies += chain.replies;
        if let Some(thread) = chain.thread {
            self.threads.requests += thread.requests;
            self.threads.replies += thread.replies;
        }
    }
}

fn seconds(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    ((to - from).num_milliseconds().max(0)) as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 0).unwrap()
    }

    fn ago(seconds: i64) -> DateTime<Utc> {
        now() - TimeDelta::seconds(seconds)
    }

    /// A chain with one reply, posted and active so long ago.
    fn chain(created: i64, active: i64) -> Chain {
        let told = Told { records: 1.0, bytes: 100.0 };
        Chain { created: Some(ago(created)), activity: Activity::Known(ago(active)), root: told, replies: told, thread: None }
    }

    fn long(created: i64) -> Chain {
        Chain { thread: Some(Thread { requests: 5.0, replies: 100.0 }), ..chain(created, created) }
    }

    /// A page with more behind it.
    fn seen(chains: impl IntoIterator<Item = Chain>) -> Seen {
        let chains: Vec<_> = chains.into_iter().collect();
        Seen { bytes: 1000.0 * chains.len() as f64, chains, pages: 1, has_next: true, now: now(), is_probe: false }
    }

    /// A first walk through a channel that is 1000 days old.
    fn whole() -> Walk {
        let (beginning, created) = (crate::state::BEGINNING, ago(1000 * DAY));
        Walk {
            size: 50,
            probes: false,
            is_resumed: false,
            stop: beginning,
            settled: beginning,
            overlap: TimeDelta::minutes(5),
            completes: true,
            created,
        }
    }

    /// A walk down to where the run before was, a day ago.
    fn since_yesterday() -> Walk {
        Walk { probes: true, stop: ago(DAY), settled: ago(DAY), ..whole() }
    }

    fn estimated(walk: &Walk, seen: &Seen) -> Estimate {
        let mut threads = LongThreads::default();
        threads.note(seen);
        estimate(walk, seen, &threads)
    }

    #[test]
    fn a_channel_is_as_long_as_it_was_posted_to_of_late() {
        let even = seen((1..=50).map(|day| chain(day * DAY, day * DAY)));
        let estimate = estimated(&whole(), &even);
        // 1000 messages in 20 pages, and one request that closes the walk.
        assert_eq!((estimate.lists, estimate.threads), (21.0, 0.0));
        assert!((estimate.roots.records - 1000.0).abs() < 2.0 && estimate.error > 1.0, "{estimate:?}");
        assert!((estimate.answers - 1_020_000.0).abs() < 2000.0, "{estimate:?}");
    }

    #[test]
    fn old_chains_that_came_up_again_do_not_distort_it() {
        let fresh = (1..=30).map(|day| chain(day * DAY, day * DAY));
        let came_up = (1..=20).map(|day| chain((400 + day) * DAY, day * DAY));
        let mut chains: Vec<_> = fresh.chain(came_up).collect();
        chains.sort_by_key(|chain| std::cmp::Reverse(chain.activity.known()));
        assert_eq!(estimated(&whole(), &seen(chains)).lists, 21.0);
    }

    #[test]
    fn what_was_seen_whole_is_known() {
        let of = |pages: usize| Seen { pages, has_next: false, ..seen((1..=40).map(|day| chain(day * DAY, day * DAY))) };
        let [one, several] = [of(1), of(3)].map(|seen| estimated(&whole(), &seen));
        assert_eq!((one.lists, one.error, one.roots.records), (1.0, 0.0, 40.0));
        assert_eq!((several.lists, several.error), (4.0, 0.0));
    }

    #[test]
    fn a_small_page_is_enough_or_is_asked_for_in_vain() {
        let idle = Seen { is_probe: true, ..seen((2..22).map(|day| chain(day * DAY, day * DAY))) };
        assert_eq!(estimated(&since_yesterday(), &idle).lists, 1.0);
        // One in ten minutes for a day: 144, and two that are older; the small page before, and the pass that closes the walk.
        let busy = Seen { is_probe: true, ..seen((1..=20).map(|ten| chain(ten * 600, ten * 600))) };
        let estimate = estimated(&since_yesterday(), &busy);
        assert_eq!((estimate.lists, estimate.chains.round()), (1.0 + 3.0 + 1.0, 144.0));
    }

    #[test]
    fn a_walk_that_goes_on_in_the_midst_is_always_closed() {
        let last = Seen { has_next: false, ..seen((900..910).map(|day| chain(day * DAY, day * DAY))) };
        assert_eq!(estimated(&Walk { is_resumed: true, ..whole() }, &last).lists, 2.0);
    }

    #[test]
    fn a_closing_pass_that_meets_long_threads_only_is_asked_for_twice() {
        let page =
            |threads: i64| seen((1..=threads).map(|day| long(day * DAY)).chain((threads + 1..=50).map(|day| chain(day * DAY, day * DAY))));
        let closing = |threads| estimated(&whole(), &page(threads)).lists - 20.0;
        assert_eq!([closing(0), closing(17), closing(20)], [1.0, 1.0, 2.0]);
    }

    #[test]
    fn long_threads_are_as_many_among_what_was_not_seen_less_those_that_came_up() {
        let fresh = || (1..=50).map(|day| if day % 10 == 5 { long(day * DAY) } else { chain(day * DAY, day * DAY) });
        let estimate = estimated(&whole(), &seen(fresh()));
        // Five of 50, each of five requests, to twenty times as many.
        assert!((estimate.threads - 500.0).abs() < 15.0 && estimate.error_of_threads > 100.0, "{estimate:?}");
        let came_up = (0..10).map(|at| Chain { created: Some(ago((500 + at) * DAY)), ..long(DAY) });
        let with_old = estimated(&whole(), &seen(came_up.chain(fresh())));
        assert!((with_old.threads - estimate.threads).abs() < 15.0, "{with_old:?}");
        assert_eq!(estimated(&Walk { completes: false, ..whole() }, &seen(fresh())).threads, 0.0);
    }

    #[test]
    fn nothing_at_all_is_one_request() {
        let empty = Seen { has_next: false, ..seen([]) };
        assert_eq!(estimated(&whole(), &empty).lists, 1.0);
        let without_times = seen((0..50).map(|_| Chain { created: None, activity: Activity::Unknown, ..chain(0, 0) }));
        assert!(estimated(&whole(), &without_times).lists.is_finite());
    }
}
