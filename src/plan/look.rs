//! Looking at a channel or a thread as a run would begin with it: its first page, and further ones where that tells too little.

use chrono::{DateTime, TimeDelta, Utc};

use super::arithmetic::{Chain, Estimate, LongThreads, Seen, Thread, Told, Walk, estimate};
use crate::{
    error::Error,
    graph::{self, Item, Link, Page, Pages, Request},
    read::{
        channel::{
            activity::Activity,
            delta::Followed,
            delta_may_do,
            expansion::USUAL_PAGE,
            is_walk_due,
            pair::are_together,
            pass::{PROBE, is_expansion_refused},
            remaining_replies::{RemainingReplies, share_beyond},
            remaining_requests::earliest,
            stream_reader::StreamReader,
        },
        context::Context,
        place::Place,
    },
    record::{Derived, instant},
    state::BEGINNING,
    streams::{self, MAX_TOP, MESSAGE_REPLIES, MESSAGES, Stream, StreamSet},
};

/// So many pages of a thread that is named are looked at.
const PAGES_OF_THREAD: u32 = 5;

/// A channel that was looked at.
#[derive(Debug)]
pub(super) struct Look {
    team: String,
    channel: String,
    walks: Vec<WalkLook>,
    /// Whether the walk is taken: delta alone may tell all.
    is_walked: bool,
    /// From when on delta is asked, if it is.
    delta_from: Option<DateTime<Utc>>,
    /// Whether its next page cannot be had.
    is_stuck: bool,
}

/// What a run will take for a channel.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Taken {
    pub(super) lists: f64,
    pub(super) threads: f64,
    pub(super) delta: f64,
    pub(super) error: f64,
    pub(super) error_of_threads: f64,
    pub(super) error_of_chains: f64,
    pub(super) roots: Told,
    pub(super) replies: Told,
    pub(super) answers: f64,
}

/// A walk, with what was seen of it.
#[derive(Debug)]
struct WalkLook {
    walk: Walk,
    seen: Seen,
    pages: Pages,
    first: Request,
    /// Whether Graph expands replies into their roots.
    expands: bool,
    /// From when on roots and replies are wanted, where they are.
    roots: Option<DateTime<Utc>>,
    replies: Option<DateTime<Utc>>,
}

impl Taken {
    /// A single request, which is refused.
    pub(super) fn one() -> Self {
        Self { lists: 1.0, ..Self::default() }
    }

    pub(super) fn requests(&self) -> f64 {
        self.lists + self.threads + self.delta
    }

    /// By how much the requests may be wrong: standard error.
    pub(super) fn error(&self) -> f64 {
        self.error.hypot(self.error_of_threads)
    }

    pub(super) fn add(&mut self, other: &Self, times: f64) {
        self.lists += other.lists * times;
        self.threads += other.threads * times;
        self.delta += other.delta * times;
        self.roots += other.roots.times(times);
        self.replies += other.replies.times(times);
        self.answers += other.answers * times;
    }
}

impl Look {
    /// Takes note of its long threads.
    pub(super) fn note_threads(&self, threads: &mut LongThreads) {
        self.walks.iter().filter(|look| look.walk.completes).for_each(|look| threads.note(&look.seen));
    }

    /// Pages of it that were seen.
    pub(super) fn pages(&self) -> usize {
        self.walks.iter().map(|look| look.seen.pages).sum()
    }

    /// What a run will take, in a tenant in which nothing changes meanwhile.
    pub(super) fn taken(&self, threads: &LongThreads) -> Taken {
        let mut taken = Taken::default();
        let mut changed: f64 = 0.0;
        for look in &self.walks {
            let of_walk = estimate(&look.walk, &look.seen, threads);
            taken.roots += of_walk.roots;
            taken.replies += of_walk.replies;
            taken.error_of_chains += of_walk.error_of_chains;
            if let Some(from) = self.delta_from {
                let of_look = look.changed_since(from, &of_walk);
                changed = changed.max(of_look);
                taken.error += of_walk.error_of_chains.min(of_look) / USUAL_PAGE as f64;
            }
            if self.is_walked {
                taken.lists += of_walk.lists;
                taken.threads += of_walk.threads;
                taken.error += of_walk.error;
                taken.error_of_threads += of_walk.error_of_threads;
                taken.answers += of_walk.answers;
            }
        }
        // Delta is not told how large its pages shall be.
        if self.delta_from.is_some() {
            taken.delta = (changed / USUAL_PAGE as f64).ceil().max(1.0);
        }
        taken
    }

    /// Whether there is more to be seen.
    pub(super) fn goes_on(&self) -> bool {
        !self.is_stuck && self.walks.iter().any(|look| !look.walk.has_seen_all(&look.seen))
    }

    /// Looks at one page more; gives the error if it cannot be had.
    pub(super) async fn further(mut self, context: &Context) -> (Self, Option<Error>) {
        let (team, channel) = (self.team.clone(), self.channel.clone());
        let place = Place::named(&team, &channel);
        let Some(look) = self.walks.iter_mut().find(|look| !look.walk.has_seen_all(&look.seen)) else { return (self, None) };
        let error = look.further(context, place).await.err();
        self.is_stuck = error.is_some();
        (self, error.map(|source| Error::graph(place.task(), source, MESSAGES.permissions)))
    }
}

/// Looks at a channel, for the streams that it feeds.
pub(super) async fn channel(context: &Context, feeds: StreamSet, place: Place<'_>) -> Result<Look, Error> {
    let failed = |source| Error::graph(place.task(), source, MESSAGES.permissions);
    let part = |stream| StreamReader::new(context, stream, place, None).filter(|part| feeds.contains(part.stream()) && !part.is_done());
    let (mut roots, mut replies) = (part(&MESSAGES), part(&MESSAGE_REPLIES));
    let may_do = delta_may_do(roots.as_ref(), replies.as_ref());
    let are_apart = roots.as_mut().zip(replies.as_mut()).is_some_and(|(roots, replies)| !are_together(roots, replies));
    let mut walks = Vec::new();
    if are_apart {
        walks.push(WalkLook::begin(context, place, roots.as_mut(), None).await.map_err(failed)?);
        walks.push(WalkLook::begin(context, place, None, replies.as_mut()).await.map_err(failed)?);
    } else if roots.is_some() || replies.is_some() {
        walks.push(WalkLook::begin(context, place, roots.as_mut(), replies.as_mut()).await.map_err(failed)?);
    }
    let mut look =
        Look { team: place.team.to_owned(), channel: place.channel.to_owned(), walks, is_walked: true, delta_from: None, is_stuck: false };
    let now = look.walks.first().map(|look| look.seen.now);
    if let Some((roots, now)) = roots.as_mut().zip(now) {
        let changed = look.walks.iter().any(WalkLook::has_wanted);
        roots.cursor.now = Some(now);
        if roots.delta.is_followed() {
            look.delta_from = roots.delta.from(now);
        } else if roots.delta.is_tried_again(changed, roots.cursor.now) {
            look.delta_from = Some(now);
        }
        look.is_walked = !may_do || look.delta_from.is_none() || is_walk_due(roots, Some(Followed::To(now)));
    }
    Ok(look)
}

impl WalkLook {
    /// Looks at the page with which the walk begins.
    async fn begin<'c>(
        context: &Context,
        place: Place<'_>,
        mut roots: Option<&mut StreamReader<'c>>,
        mut replies: Option<&mut StreamReader<'c>>,
    ) -> Result<Self, graph::Error> {
        let floors = [&mut roots, &mut replies].map(|part| part.as_mut().map(|part| part.cursor.walk().floor));
        let completes = replies.is_some();
        let mut parts: Vec<&mut StreamReader<'c>> = roots.into_iter().chain(replies).collect();
        let size = parts.iter().filter_map(|part| part.top()).min().unwrap_or(MAX_TOP).min(MAX_TOP);
        let link = parts.first_mut().and_then(|part| Link::from_path(part.cursor.walk().link.as_deref()?));
        let stop = parts.iter_mut().map(|part| part.cursor.stop()).min().unwrap_or(BEGINNING);
        let overlap = parts.iter().map(|part| part.cursor.overlap).max().and_then(|overlap| TimeDelta::from_std(overlap).ok());
        let probes = link.is_none() && PROBE < size && parts.iter_mut().all(|part| part.cursor.expects_little());
        let first = streams::walk(place.team, place.channel, size);
        let mut walk = Walk {
            size: size as usize,
            probes,
            is_resumed: link.is_some(),
            stop,
            settled: floors[1].map_or(stop, |floor| floor.max(stop)),
            overlap: overlap.unwrap_or_default(),
            completes,
            created: earliest(place.facts.created),
        };
        let pages = match link {
            Some(link) => Pages::from_link(&link, &first),
            None if probes => Pages::new(streams::walk(place.team, place.channel, PROBE)),
            None => Pages::new(first.clone()),
        };
        let seen = Seen { is_probe: probes, ..Seen::default() };
        let mut look = Self { walk, seen, pages, first, expands: true, roots: floors[0], replies: floors[1] };
        if let Err(error) = look.next(context, place).await {
            if walk.is_resumed {
                // A stored link may have aged; the run begins that pass again.
                walk.is_resumed = false;
            } else if is_expansion_refused(&error) {
                (look.expands, look.first, look.seen.is_probe) = (false, streams::roots(place.team, place.channel, size), false);
            } else {
                return Err(error);
            }
            look = Self { walk, pages: Pages::new(look.first.clone()), ..look };
            look.next(context, place).await?;
        }
        if place.facts.created.is_none() && !look.walk.has_seen_all(&look.seen) {
            look.walk.created = earliest(created(context, place).await);
        }
        Ok(look)
    }

    /// Looks at the next page; where a small one told too little, at the first of the large ones, as a run does.
    async fn further(&mut self, context: &Context, place: Place<'_>) -> Result<(), graph::Error> {
        if !self.seen.is_probe {
            return self.next(context, place).await;
        }
        let mut pages = Pages::new(self.first.clone());
        if let Some(page) = pages.next(&context.client).await? {
            (self.seen, self.pages) = (Seen::default(), pages);
            self.note(context, place, &page);
        }
        Ok(())
    }

    async fn next(&mut self, context: &Context, place: Place<'_>) -> Result<(), graph::Error> {
        let Some(page) = self.pages.next(&context.client).await? else {
            self.seen.has_next = false;
            return Ok(());
        };
        self.note(context, place, &page);
        Ok(())
    }

    fn note(&mut self, context: &Context, place: Place<'_>, page: &Page) {
        self.seen.pages += 1;
        self.seen.bytes += page.bytes() as f64;
        self.seen.has_next = page.next().is_some();
        let chains: Vec<_> = page.items().map(|chain| self.chain(context, place, chain)).collect();
        self.seen.now = page.date().believed(chains.iter().filter_map(|chain| chain.activity.known()).max());
        self.seen.chains.extend(chains);
    }

    fn chain(&self, context: &Context, place: Place<'_>, chain: Item<'_>) -> Chain {
        let id = chain.id().unwrap_or_default();
        let root = told(context, place, &MESSAGES, self.roots, chain, None);
        let mut replies = Told::default();
        chain.replies().for_each(|reply| replies += told(context, place, &MESSAGE_REPLIES, self.replies, reply, Some(&id)));
        let rest = if self.expands { RemainingReplies::of(chain, &context.channels.expansion) } else { Some(RemainingReplies::of_all()) };
        let thread = rest.map(|rest| {
            let (replies, requests) = rest.likely(USUAL_PAGE);
            Thread { requests, replies }
        });
        let activity = chain.replies().map(Activity::of).fold(Activity::of(chain), Activity::later);
        Chain { created: time(chain, "createdDateTime"), activity, root, replies, thread }
    }

    fn has_wanted(&self) -> bool {
        self.seen.chains.iter().any(|chain| chain.root.records + chain.replies.records > 0.0)
    }

    /// Chains that delta tells as changed since then.
    fn changed_since(&self, from: DateTime<Utc>, estimate: &Estimate) -> f64 {
        let is_changed = |chain: &&Chain| chain.activity.known().is_some_and(|activity| activity >= from);
        let changed = self.seen.chains.iter().filter(is_changed).count();
        if changed == self.seen.chains.len() && self.seen.has_next { estimate.chains } else { changed as f64 }
    }
}

/// When a channel was created that is named and not listed, if it may be asked.
async fn created(context: &Context, place: Place<'_>) -> Option<DateTime<Utc>> {
    let page = context.client.object(&streams::channel(place.team, place.channel)).await.ok()?;
    let channel = page.items().next()?;
    context.names.note(channel);
    time(channel, "createdDateTime")
}

fn time(item: Item<'_>, name: &str) -> Option<DateTime<Utc>> {
    instant(&item.text(name)?)
}

/// Looks at the first pages of a thread that is named: how many replies are behind them, their times tell.
pub(super) async fn thread(context: &Context, place: Place<'_>, message: &str) -> Result<Taken, Error> {
    let task = || format!("read the replies to message {message} in channel {} of team {}", place.channel, place.team);
    let Some(mut part) = StreamReader::new(context, &MESSAGE_REPLIES, place, Some(message)).filter(|part| !part.is_done()) else {
        return Ok(Taken::default());
    };
    let top = part.top().unwrap_or(MAX_TOP).min(MAX_TOP);
    let mut pages = Pages::new(streams::thread(place.team, place.channel, message, top));
    let floor = part.cursor.walk().floor;
    let (mut replies, mut answers, mut times) = (Told::default(), 0.0, Vec::new());
    let (mut read, mut goes_on) = (0, true);
    while goes_on && read < PAGES_OF_THREAD {
        let page = pages.next(&context.client).await;
        let Some(page) = page.map_err(|source| Error::graph(task(), source, MESSAGE_REPLIES.permissions))? else { break };
        (read, goes_on, answers) = (read + 1, page.next().is_some(), answers + page.bytes() as f64);
        page.items().for_each(|reply| replies += told(context, place, &MESSAGE_REPLIES, Some(floor), reply, Some(message)));
        times.extend(page.items().filter_map(|reply| time(reply, "createdDateTime")));
    }
    let began = message.parse().ok().and_then(DateTime::from_timestamp_millis);
    let behind = if goes_on { share_beyond(began, times.first().copied(), times.last().copied()).unwrap_or(1.0) } else { 0.0 };
    let further = (f64::from(read) * behind).ceil().max(f64::from(u8::from(goes_on)));
    let threads = f64::from(read) + further;
    Ok(Taken { threads, error: further, replies: replies.times(1.0 + behind), answers: answers * (1.0 + behind), ..Taken::default() })
}

/// A message as its stream would tell it, if it is at or above the stream's floor.
fn told(
    context: &Context,
    place: Place<'_>,
    stream: &'static Stream,
    floor: Option<DateTime<Utc>>,
    message: Item<'_>,
    root: Option<&str>,
) -> Told {
    let is_wanted = floor.is_some_and(|floor| Activity::of(message).known().is_none_or(|activity| activity >= floor));
    let Some(selected) = context.selected(stream).filter(|_| is_wanted && !message.is_damaged()) else { return Told::default() };
    let mut record = Vec::new();
    let parent = root.map(|root| ("parent_message_id", Derived::Text(root)));
    let derived: Vec<_> = place.derived().into_iter().chain(parent).collect();
    selected.columns.write(message.fields(), &derived, &mut record);
    Told { records: 1.0, bytes: record.len() as f64 }
}
