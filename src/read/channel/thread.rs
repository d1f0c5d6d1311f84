//! Reads the replies of one configured thread (graph.md 2.6). All pages are read each time, because Graph does not guarantee their order.

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
        channel_ref::ChannelRef,
        context::Context,
        found::Origin,
        job::{Damage, JobError, JobInput, JobReport},
    },
    streams::{self, MAX_TOP, MESSAGE_REPLIES, StreamSet},
};

/// Reads the replies of a root message. If the thread may be in another channel, it need not exist in this one.
pub(crate) async fn read(context: &Context, input: JobInput) -> Result<JobReport, JobError> {
    let (channel, message) = (ChannelRef::new(input.parent.id(&TEAM), input.parent.id(&CHANNEL)), input.parent.own_id());
    let Some(reader) = StreamReader::new(context, &MESSAGE_REPLIES, channel, Some(message)) else { return Ok(JobReport::default()) };
    let mut thread = ThreadReader::new(context, channel, message, reader);
    match thread.read().await {
        Err(JobError::Failed(error)) if input.origin == Origin::Candidate && error.is_missing() => Ok(JobReport::default()),
        Err(error) => Err(error),
        Ok(()) => Ok(thread.into_report()),
    }
}

struct ThreadReader<'t> {
    context: &'t Context,
    channel: ChannelRef<'t>,
    message: &'t str,
    reader: StreamReader<'t>,
    /// Number of replies that cannot be made into a record.
    damaged: u64,
    owed: bool,
    /// The oldest time of a reply.
    oldest: Option<DateTime<Utc>>,
    /// Why older replies are missing.
    older: Option<Error>,
}

impl<'t> ThreadReader<'t> {
    fn new(context: &'t Context, channel: ChannelRef<'t>, message: &'t str, reader: StreamReader<'t>) -> Self {
        Self { context, channel, message, reader, damaged: 0, owed: false, oldest: None, older: None }
    }

    fn task(&self) -> String {
        let ChannelRef { team_id: team, id: channel, .. } = self.channel;
        format!("read the replies to message {} in channel {channel} of team {team}", self.message)
    }

    /// The pages, starting where an earlier run stopped.
    fn pages(&mut self) -> ThreadPages {
        let top = self.reader.top().unwrap_or(MAX_TOP).min(MAX_TOP);
        let list = streams::thread(self.channel.team_id, self.channel.id, self.message, top);
        let walk = self.reader.cursor.walk();
        let stored = walk.link.as_deref().and_then(Link::from_path);
        ThreadPages::for_configured(list, stored.as_ref(), walk.read_at)
    }

    async fn read(&mut self) -> Result<(), JobError> {
        if self.reader.is_finished() {
            return Ok(());
        }
        let mut pages = self.pages();
        loop {
            match pages.next(self.context).await {
                Ok(Some(page)) => self.page(page).await?,
                Ok(None) => break,
                Err(error) if matches!(error.cause, Cause::EndlessPaging(_)) => {
                    self.skip_older(error);
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

    /// The links lead in a circle: replies that are older than all on these pages cannot be fetched for now. The walk is finished anyway;
    /// otherwise the next run would begin by emitting everything again.
    fn skip_older(&mut self, error: graph::Error) {
        self.reader.cursor.note_gap(self.oldest);
        self.older = Some(self.failed(error));
    }

    fn end(&mut self) -> Result<(), JobError> {
        // Changes made while the pages were read are newer than the first page, and the next run's floor is below that.
        let head = self.reader.cursor.walk().head;
        if self.owed {
            self.reader.keep_walk_open(None)
        } else {
            self.reader.finish_walk(head)
        }
        Ok(self.reader.report(1, true)?)
    }

    async fn page(&mut self, ThreadPage { page, is_first }: ThreadPage) -> Result<(), JobError> {
        self.context.count_replacements(page.replacements());
        if is_first {
            let now = Some(page.date().trusted(page.items().filter_map(|reply| Activity::from_message(reply).known()).max()));
            let walk = self.reader.cursor.walk();
            (walk.head, walk.read_at, walk.began) = (None, now, now);
        }
        let mut newest = None;
        for reply in page.items() {
            newest = newest.max(self.reply(reply));
        }
        let (link, is_last) = (page.next().and_then(|next| self.reader.storable(next)), page.next().is_none());
        let permit = page.into_permit();
        self.reader.sink.flush().await?;
        drop(permit);
        let walk = self.reader.cursor.walk();
        walk.head = walk.head.max(newest);
        self.owed |= self.reader.sink.take_owed();
        if !self.owed {
            self.reader.cursor.walk().link = link;
        }
        self.context.set_remaining_requests(1.0);
        if is_last { Ok(()) } else { Ok(self.reader.report(1, false)?) }
    }

    /// Adds the record of a reply, or counts it as damaged. Returns its time.
    fn reply(&mut self, reply: Item<'_>) -> Option<DateTime<Utc>> {
        let Some(id) = reply.id().filter(|_| !reply.is_damaged()) else {
            self.damaged += u64::from(self.reader.should_report_damage(reply));
            return None;
        };
        let time = self.reader.push(reply, &id, Some(self.message), || None).known();
        self.oldest = [self.oldest, time].into_iter().flatten().min();
        time
    }

    fn into_report(mut self) -> JobReport {
        let older = self.older.take().or_else(|| self.reader.gap(|| self.task()));
        let damage = Damage { items: self.damaged, too_large: self.reader.too_large, thread: None, older };
        let damage = damage.into_error(self.context, || self.task());
        JobReport { found_ids: vec![self.message.to_owned()], ..JobReport::completed(StreamSet::default().with(&MESSAGE_REPLIES), damage) }
    }
}
