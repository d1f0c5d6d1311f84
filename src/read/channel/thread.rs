//! Reading the replies of one thread that is named (graph.md 2.6): all its pages each time, for their order is no promise.

use chrono::{DateTime, Utc};

use super::{activity::Activity, part::Part, restarts::Restarts};
use crate::{
    error::Error,
    graph::{Cause, Link, Page, Pages, Request},
    level::{CHANNEL, TEAM},
    read::{
        context::Context,
        found::Origin,
        job::{Damage, Report, Stop, Work},
        place::Place,
    },
    streams::{self, MAX_TOP, MESSAGE_REPLIES, StreamSet},
};

/// Reads the replies of a root message. Where the thread may be in another channel, it need not be in this one.
pub(crate) async fn read(context: &Context, work: Work) -> Result<Report, Stop> {
    let (place, message) = (Place::named(work.of.id(&TEAM), work.of.id(&CHANNEL)), work.of.own_id());
    let Some(part) = Part::new(context, &MESSAGE_REPLIES, place, Some(message)) else { return Ok(Report::default()) };
    let mut thread = Thread::new(context, place, message, part);
    match thread.read().await {
        Err(Stop::Failed(error)) if work.origin == Origin::Perhaps && error.is_missing() => Ok(Report::default()),
        Err(stop) => Err(stop),
        Ok(()) => Ok(thread.into_report()),
    }
}

/// A thread while it is read.
struct Thread<'t> {
    context: &'t Context,
    place: Place<'t>,
    message: &'t str,
    part: Part<'t>,
    /// Whether the next page was led to by a link: else it is the first one.
    follows_link: bool,
    /// Pages since the first one.
    read: u64,
    /// Replies that no record can be made of.
    damaged: u64,
    owes: bool,
    /// The oldest time of a reply.
    oldest: Option<DateTime<Utc>>,
    /// Why older replies are missing.
    older: Option<Error>,
}

impl<'t> Thread<'t> {
    fn new(context: &'t Context, place: Place<'t>, message: &'t str, part: Part<'t>) -> Self {
        Self { context, place, message, part, follows_link: false, read: 0, damaged: 0, owes: false, oldest: None, older: None }
    }

    fn task(&self) -> String {
        let Place { team, channel, .. } = self.place;
        format!("read the replies to message {} in channel {channel} of team {team}", self.message)
    }

    fn list(&self) -> Request {
        let top = self.part.config.top.unwrap_or(MAX_TOP).min(MAX_TOP);
        streams::thread(self.place.team, self.place.channel, self.message, top)
    }

    /// Reads all pages, from where an earlier run has stopped.
    async fn read(&mut self) -> Result<(), Stop> {
        if self.part.is_done() {
            return Ok(());
        }
        let stored = self.part.walk().link.as_deref().and_then(Link::from_path);
        self.follows_link = stored.is_some();
        let (got_at, mut restarts) = (self.part.walk().read_at, Restarts::default());
        let list = self.list();
        let mut pages = stored.map_or_else(|| Pages::new(list.clone()), |link| Pages::from_link(&link, &list));
        loop {
            match pages.next(&self.context.client).await {
                Ok(Some(page)) => self.page(page).await?,
                Ok(None) => break,
                Err(error) if self.follows_link && error.is_link_lost(got_at) && restarts.allows(self.read) => {
                    (pages, self.follows_link, self.read) = (Pages::new(list.clone()), false, 0);
                }
                Err(source) => {
                    let goes_round = matches!(source.cause, Cause::EndlessPaging(_));
                    let error = Error::graph(self.task(), source, MESSAGE_REPLIES.permissions);
                    if !goes_round {
                        return Err(error.into());
                    }
                    // Else the next run would begin by writing all of it again.
                    self.part.note_gap(self.oldest);
                    self.older = Some(error);
                    break;
                }
            }
        }
        // What changed while the pages were read is newer than the first page: the next run's floor is below it.
        let head = self.part.walk().head;
        if self.owes {
            self.part.leave_walk(None)
        } else {
            self.part.finish_walk(head)
        }
        Ok(self.part.report(1, true)?)
    }

    async fn page(&mut self, page: Page) -> Result<(), Stop> {
        self.read += 1;
        self.context.note(page.cleaned());
        if !std::mem::replace(&mut self.follows_link, true) {
            let now = Some(page.date().believed(page.items().filter_map(|reply| Activity::of(reply).known()).max()));
            let walk = self.part.walk();
            (walk.head, walk.read_at, walk.began) = (None, now, now);
        }
        let mut newest = None;
        for reply in page.items() {
            match reply.id().filter(|_| !reply.is_damaged()) {
                Some(id) => {
                    let activity = self.part.push(reply, &id, Some(self.message), || None).known();
                    (newest, self.oldest) = (newest.max(activity), [self.oldest, activity].into_iter().flatten().min());
                }
                None => self.damaged += u64::from(self.part.is_new_damage(reply)),
            }
        }
        let (link, is_last) = (page.next().and_then(|next| self.part.storable(next)), page.next().is_none());
        let held = page.into_held();
        self.part.hand_over().await?;
        drop(held);
        let walk = self.part.walk();
        walk.head = walk.head.max(newest);
        self.owes |= self.part.take_owed();
        if !self.owes {
            self.part.walk().link = link;
        }
        self.context.remains(1.0);
        if is_last { Ok(()) } else { Ok(self.part.report(1, false)?) }
    }

    fn into_report(mut self) -> Report {
        let older = self.older.take().or_else(|| self.part.gap(|| self.task()));
        let damage = Damage { items: self.damaged, too_large: self.part.too_large, thread: None, older };
        let damage = damage.into_error(self.context, || self.task());
        Report { here: vec![self.message.to_owned()], ..Report::read(StreamSet::default().with(&MESSAGE_REPLIES), damage) }
    }
}
