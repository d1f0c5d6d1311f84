//! The walk through the chains of a channel, newest activity first: one walk for the roots and the replies (graph.md 2.5).
//!
//! A chain is a root message with its replies; its activity is the newest of lastModifiedDateTime, lastEditedDateTime and deletedDateTime
//! among them. A pass goes from the top down, whole pages at a time, and stops behind a page whose last chain is older than what is wanted.
//! Chains move to the top while we page, and their old place would never be met again: so a walk of more than one page goes once more from
//! the top down to where the pass before began, until a pass needs one page only, or begins with the very page that the pass before began
//! with: then nothing moved in between. A page is one moment.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tracing::warn;
use xxhash_rust::xxh3::xxh3_128;

use super::{
    context::Context,
    job::{Report, Stop},
    once::Once,
};
use crate::{
    emit::Records,
    error::Error,
    graph::{Item, Link, Page, Pages},
    record::{Derived, instant},
    streams::{self, Selected, Stream, StreamSet},
};

/// The most that Graph gives a page of messages or replies.
pub(super) const MAX_TOP: u64 = 50;

/// So many passes at most: a channel that changes faster than it can be read would never end.
const MAX_PASSES: u32 = 12;

/// A message becomes visible a little after its own time: a closing pass reaches back by the lookback, within these bounds.
const REACH: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(300));

/// The times that make the activity of a message.
const TIMES: [&str; 3] = ["lastModifiedDateTime", "lastEditedDateTime", "deletedDateTime"];

/// Walks through a channel for the streams that it feeds.
pub(super) async fn channel(context: &Context, feeds: StreamSet, team: &str, channel: &str, maybe_elsewhere: bool) -> Result<Report, Stop> {
    let mut walk = Walk::new(context, feeds, team, channel);
    match walk.run().await {
        Err(Stop::Failed(error)) if maybe_elsewhere && error.is_missing() => Ok(Report::default()),
        Err(stop) => Err(stop),
        Ok(()) => Ok(Report { found: vec![channel.to_owned()], ..Report::read(feeds, Error::damaged(walk.damaged, || walk.task())) }),
    }
}

/// One of the two streams of a walk.
pub(super) struct Part<'c> {
    selected: &'c Selected,
    records: Records,
    once: Once,
    /// Messages older than this are not wanted.
    floor: Option<DateTime<Utc>>,
}

struct Walk<'c> {
    context: &'c Context,
    team: &'c str,
    channel: &'c str,
    top: u64,
    lookback: Duration,
    roots: Option<Part<'c>>,
    replies: Option<Part<'c>>,
    damaged: u64,
    /// Records that were handed over.
    told: usize,
}

/// What a pass came to.
struct Pass {
    pages: u32,
    top: Top,
    /// Graph's clock when it served the first page.
    read_at: DateTime<Utc>,
}

/// What a first page tells about a channel: if two are equal, no chain moved in between.
#[derive(Default, PartialEq)]
struct Top {
    /// The newest activity, as served.
    head: Option<DateTime<Utc>>,
    /// The chains in their order, as a hash of their ids.
    order: u128,
}

impl<'c> Walk<'c> {
    fn new(context: &'c Context, feeds: StreamSet, team: &'c str, channel: &'c str) -> Self {
        let part = |stream: &'static Stream| {
            let selected = context.selected(stream).filter(|_| feeds.contains(stream))?;
            Some(Part::new(selected, context.config(stream).start_date))
        };
        let configs = || feeds.iter().map(|stream| context.config(stream));
        Self {
            context,
            team,
            channel,
            top: configs().filter_map(|config| config.top).min().unwrap_or(MAX_TOP).min(MAX_TOP),
            lookback: configs().map(|config| config.lookback).max().unwrap_or_default(),
            roots: part(&streams::MESSAGES),
            replies: part(&streams::MESSAGE_REPLIES),
            damaged: 0,
            told: 0,
        }
    }

    async fn run(&mut self) -> Result<(), Stop> {
        let mut stop = self.floor();
        let mut top = None;
        for _ in 0..MAX_PASSES {
            let pass = self.pass(stop).await?;
            if pass.pages <= 1 || top.as_ref() == Some(&pass.top) {
                return Ok(());
            }
            let reach = TimeDelta::from_std(self.lookback.clamp(REACH.0, REACH.1)).unwrap_or_default();
            let visible = pass.read_at - reach;
            stop = Some(pass.top.head.map_or(visible, |head| head.min(visible)));
            top = Some(pass.top);
        }
        warn!(
            "channel {} of team {} changes faster than it can be read: what changed in the last moments comes with the next run",
            self.channel, self.team
        );
        Ok(())
    }

    /// What is older than this is wanted by neither stream; [`None`] if everything is wanted.
    fn floor(&self) -> Option<DateTime<Utc>> {
        let floors = self.roots.iter().chain(&self.replies).map(|part| part.floor);
        floors.reduce(|one, other| Some(one?.min(other?))).flatten()
    }

    /// Reads from the top down to `stop`, or to the end.
    async fn pass(&mut self, stop: Option<DateTime<Utc>>) -> Result<Pass, Stop> {
        let request = streams::walk(self.team, self.channel, self.top);
        let mut pages = Pages::new(self.context.client.clone(), request);
        let mut pass: Option<Pass> = None;
        loop {
            let task = || self.task();
            let page = pages.next().await.map_err(|source| Error::graph(task(), source, streams::MESSAGES.permissions))?;
            let Some(page) = page else { break };
            pass.get_or_insert_with(|| Pass { pages: 0, top: Top::of(&page), read_at: page.date() }).pages += 1;
            let last = self.page(&page, stop).await?;
            if last.is_some_and(|last| Some(last) < stop) {
                break;
            }
        }
        Ok(pass.unwrap_or(Pass { pages: 0, top: Top::default(), read_at: Utc::now() }))
    }

    /// Tells what a page holds. Gives the activity of its last chain whose activity is known.
    async fn page(&mut self, page: &Page, stop: Option<DateTime<Utc>>) -> Result<Option<DateTime<Utc>>, Stop> {
        let told = self.told;
        let mut last: Option<DateTime<Utc>> = None;
        for chain in page.items() {
            let Some(id) = chain.id().filter(|_| !chain.is_damaged()) else {
                self.damaged += 1;
                continue;
            };
            let mut activity = activity(chain);
            self.root(chain, &id);
            for reply in chain.replies() {
                activity = later(activity, self.reply(reply, &id));
            }
            // Below a chain that is too old every chain is too old: it need not be completed.
            let is_settled = last.is_some_and(|last| Some(last) < stop);
            match chain.replies_next() {
                Some(link) if self.replies.is_some() && !is_settled => {
                    self.hand_over().await?;
                    activity = later(activity, self.complete(link, &id).await?);
                }
                Some(_) => activity = Activity::Unknown,
                None => {}
            }
            if let Activity::Known(time) = activity {
                last = Some(time);
            }
        }
        self.hand_over().await?;
        self.note(page, told);
        Ok(last)
    }

    /// Reads the replies that did not fit into their root.
    async fn complete(&mut self, link: &Link, root: &str) -> Result<Activity, Stop> {
        let mut pages = Pages::new(self.context.client.clone(), crate::graph::Request::follow(link));
        let mut newest = Activity::None;
        loop {
            let page = pages.next().await;
            let page =
                page.map_err(|source| Error::graph(format!("{}, thread {root}", self.task()), source, streams::MESSAGES.permissions))?;
            let Some(page) = page else { return Ok(newest) };
            let told = self.told;
            for reply in page.items() {
                newest = later(newest, self.reply(reply, root));
            }
            self.hand_over().await?;
            self.note(&page, told);
        }
    }

    fn root(&mut self, root: Item<'_>, id: &str) {
        if let Some(part) = &mut self.roots {
            let derived =
                [("team_id", Derived::Text(self.team)), ("channel_id", Derived::Text(self.channel)), ("_deleted", Derived::Flag(false))];
            part.push(root, id, &derived);
        }
    }

    fn reply(&mut self, reply: Item<'_>, root: &str) -> Activity {
        let Some(id) = reply.id().filter(|_| !reply.is_damaged()) else {
            self.damaged += u64::from(self.replies.is_some());
            return Activity::Unknown;
        };
        if let Some(part) = &mut self.replies {
            part.push(reply, &id, &of_reply(self.team, self.channel, root));
        }
        activity(reply)
    }

    async fn hand_over(&mut self) -> Result<(), Stop> {
        for part in self.roots.iter_mut().chain(&mut self.replies) {
            self.told += part.records.len();
            self.context.output.records(part.take()).await?;
        }
        Ok(())
    }

    /// Counts what was changed in the texts of a page, unless the page was met again and told nothing new.
    fn note(&self, page: &Page, told_before: usize) {
        if self.told > told_before {
            self.context.note(page);
        }
    }

    fn task(&self) -> String {
        format!("read the messages of channel {} of team {}", self.channel, self.team)
    }
}

impl<'c> Part<'c> {
    pub(super) fn new(selected: &'c Selected, floor: Option<DateTime<Utc>>) -> Self {
        Self { selected, records: Records::new(selected.stream), once: Once::default(), floor }
    }

    /// Adds the record of a message, unless it is older than what is wanted or was told before.
    pub(super) fn push(&mut self, message: Item<'_>, id: &str, derived: &[(&str, Derived<'_>)]) {
        if let (Activity::Known(time), Some(floor)) = (activity(message), self.floor)
            && time < floor
        {
            return;
        }
        let (columns, once) = (&self.selected.columns, &mut self.once);
        self.records.push(|out| columns.write(message.fields(), derived, out), |record| once.is_new(id, record));
    }

    /// The records since the last call.
    pub(super) fn take(&mut self) -> Records {
        std::mem::replace(&mut self.records, Records::new(self.selected.stream))
    }
}

/// What is derived for the record of a reply.
pub(super) fn of_reply<'a>(team: &'a str, channel: &'a str, root: &'a str) -> [(&'static str, Derived<'a>); 4] {
    [
        ("team_id", Derived::Text(team)),
        ("channel_id", Derived::Text(channel)),
        ("parent_message_id", Derived::Text(root)),
        ("_deleted", Derived::Flag(false)),
    ]
}

/// The newest time of a message or a chain.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Activity {
    /// There is no message.
    None,
    Known(DateTime<Utc>),
    /// A message has no time that could be read: the chain may be newer than all others.
    Unknown,
}

fn later(one: Activity, other: Activity) -> Activity {
    match (one, other) {
        (Activity::Unknown, _) | (_, Activity::Unknown) => Activity::Unknown,
        (Activity::None, activity) | (activity, Activity::None) => activity,
        (Activity::Known(one), Activity::Known(other)) => Activity::Known(one.max(other)),
    }
}

/// The newest time of one message.
fn activity(message: Item<'_>) -> Activity {
    let time = |name| message.text(name).and_then(|text| instant(&text));
    TIMES.into_iter().filter_map(time).max().map_or(Activity::Unknown, Activity::Known)
}

impl Top {
    fn of(page: &Page) -> Self {
        let messages = page.items().flat_map(|chain| std::iter::once(chain).chain(chain.replies()));
        let known = |message| if let Activity::Known(time) = activity(message) { Some(time) } else { None };
        let ids: Vec<_> = page.items().map(|chain| chain.value("id").unwrap_or_default()).collect();
        Self { head: messages.filter_map(known).max(), order: xxh3_128(ids.join(",").as_bytes()) }
    }
}
