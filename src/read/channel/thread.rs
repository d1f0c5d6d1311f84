//! Reading the replies of one thread that is named (graph.md 2.6): all its pages each time, for their order is no promise.

use chrono::{DateTime, Utc};

use super::{
    activity::Activity,
    stream_reader::StreamReader,
    thread_pages::{ThreadPage, ThreadPages},
};
use crate::{
    error::Error,
    graph::{self, Cause, Item, Link},
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
    let Some(reader) = StreamReader::new(context, &MESSAGE_REPLIES, place, Some(message)) else { return Ok(Report::default()) };
    let mut thread = Thread::new(context, place, message, reader);
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
    reader: StreamReader<'t>,
    /// Replies that no record can be made of.
    damaged: u64,
    owes: bool,
    /// The oldest time of a reply.
    oldest: Option<DateTime<Utc>>,
    /// Why older replies are missing.
    older: Option<Error>,
}

impl<'t> Thread<'t> {
    fn new(context: &'t Context, place: Place<'t>, message: &'t str, reader: StreamReader<'t>) -> Self {
        Self { context, place, message, reader, damaged: 0, owes: false, oldest: None, older: None }
    }

    fn task(&self) -> String {
        let Place { team, channel, .. } = self.place;
        format!("read the replies to message {} in channel {channel} of team {team}", self.message)
    }

    /// The pages, from where an earlier run has stopped.
    fn pages(&mut self) -> ThreadPages {
        let top = self.reader.top().unwrap_or(MAX_TOP).min(MAX_TOP);
        let list = streams::thread(self.place.team, self.place.channel, self.message, top);
        let walk = self.reader.cursor.walk();
        let stored = walk.link.as_deref().and_then(Link::from_path);
        ThreadPages::of_named(list, stored.as_ref(), walk.read_at)
    }

    /// Reads all pages.
    async fn read(&mut self) -> Result<(), Stop> {
        if self.reader.is_done() {
            return Ok(());
        }
        let mut pages = self.pages();
        loop {
            match pages.next(self.context).await {
                Ok(Some(page)) => self.page(page).await?,
                Ok(None) => break,
                Err(error) if matches!(error.cause, Cause::EndlessPaging(_)) => {
                    self.leave_older_out(error);
                    break;
                }
                Err(error) => return Err(self.failed(error).into()),
            }
        }
        self.end()
    }

    fn failed(&self, error: graph::Error) -> Error {
        Error::graph(self.task(), error, MESSAGE_REPLIES.permissions)
    }

    /// The pages go round: what is older than all that they had cannot be had for now. The walk is done, else the next run would begin by
    /// writing all of it again.
    fn leave_older_out(&mut self, error: graph::Error) {
        self.reader.cursor.note_gap(self.oldest);
        self.older = Some(self.failed(error));
    }

    fn end(&mut self) -> Result<(), Stop> {
        // What changed while the pages were read is newer than the first page: the next run's floor is below it.
        let head = self.reader.cursor.walk().head;
        if self.owes {
            self.reader.leave_walk(None)
        } else {
            self.reader.finish_walk(head)
        }
        Ok(self.reader.report(1, true)?)
    }

    async fn page(&mut self, ThreadPage { page, is_first }: ThreadPage) -> Result<(), Stop> {
        self.context.note(page.cleaned());
        if is_first {
            let now = Some(page.date().believed(page.items().filter_map(|reply| Activity::of(reply).known()).max()));
            let walk = self.reader.cursor.walk();
            (walk.head, walk.read_at, walk.began) = (None, now, now);
        }
        let mut newest = None;
        for reply in page.items() {
            newest = newest.max(self.reply(reply));
        }
        let (link, is_last) = (page.next().and_then(|next| self.reader.storable(next)), page.next().is_none());
        let held = page.into_held();
        self.reader.sink.hand_over().await?;
        drop(held);
        let walk = self.reader.cursor.walk();
        walk.head = walk.head.max(newest);
        self.owes |= self.reader.sink.take_owed();
        if !self.owes {
            self.reader.cursor.walk().link = link;
        }
        self.context.remains(1.0);
        if is_last { Ok(()) } else { Ok(self.reader.report(1, false)?) }
    }

    /// Adds the record of a reply, or counts it as damaged. Gives its time.
    fn reply(&mut self, reply: Item<'_>) -> Option<DateTime<Utc>> {
        let Some(id) = reply.id().filter(|_| !reply.is_damaged()) else {
            self.damaged += u64::from(self.reader.is_new_damage(reply));
            return None;
        };
        let time = self.reader.push(reply, &id, Some(self.message), || None).known();
        self.oldest = [self.oldest, time].into_iter().flatten().min();
        time
    }

    fn into_report(mut self) -> Report {
        let older = self.older.take().or_else(|| self.reader.gap(|| self.task()));
        let damage = Damage { items: self.damaged, too_large: self.reader.too_large, thread: None, older };
        let damage = damage.into_error(self.context, || self.task());
        Report { here: vec![self.message.to_owned()], ..Report::read(StreamSet::default().with(&MESSAGE_REPLIES), damage) }
    }
}
