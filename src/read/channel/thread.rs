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
        job::{JobError, JobInput, JobReport, Skipped},
    },
    streams::{self, MAX_TOP, MESSAGE_REPLIES, StreamSet},
};

/// Reads the replies of a root message. If the thread may be in another channel, it need not exist in this one.
pub(crate) async fn read(context: &Context, input: JobInput) -> Result<JobReport, JobError> {
    let (channel, message) = (ChannelRef::new(input.parent.id(&TEAM), input.parent.id(&CHANNEL)), input.parent.own_id());
    let Some(reader) = StreamReader::new(context, &MESSAGE_REPLIES, channel, Some(message)) else { return Ok(JobReport::default()) };
    let mut thread = ThreadReader::new(context, channel, message, reader);
    match thread.read().await {
        Err(JobError::Failed(error)) if input.origin == Origin::Candidate && error.is_not_found() => Ok(JobReport::default()),
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
    skipped: u64,
    has_deferred: bool,
    /// The oldest time of a reply.
    oldest: Option<DateTime<Utc>>,
    /// Why older replies are missing.
    older: Option<Error>,
}

impl<'t> ThreadReader<'t> {
    fn new(context: &'t Context, channel: ChannelRef<'t>, message: &'t str, reader: StreamReader<'t>) -> Self {
        Self { context, channel, message, reader, skipped: 0, has_deferred: false, oldest: None, older: None }
    }

    fn task(&self) -> String {
        let ChannelRef { team_id: team, id: channel, .. } = self.channel;
        format!("read the replies to message {} in channel {channel} of team {team}", self.message)
    }

    /// The pages, starting where an earlier run stopped.
    fn pages(&mut self) -> ThreadPages {
        let top = self.reader.top().unwrap_or(MAX_TOP).min(MAX_TOP);
        let list = streams::replies(self.channel.team_id, self.channel.id, self.message, top);
        let walk = self.reader.cursor.walk_mut();
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
                Ok(Some(page)) => self.read_page(page).await?,
                Ok(None) => break,
                Err(error) if matches!(error.cause, Cause::EndlessPaging(_)) => {
                    self.skip_older(error);
                    break;
                }
                Err(error) => return Err(self.to_error(error).into()),
            }
        }
        self.finish()
    }

    fn to_error(&self, error: graph::Error) -> Error {
        Error::graph(self.task(), error, MESSAGE_REPLIES.permissions)
    }

    /// Called if the links form a loop: replies that are older than those on the pages read so far cannot be fetched for now. The walk is
    /// finished anyway; otherwise the next run would begin by emitting everything again.
    fn skip_older(&mut self, error: graph::Error) {
        self.reader.cursor.note_gap(self.oldest);
        self.older = Some(self.to_error(error));
    }

    fn finish(&mut self) -> Result<(), JobError> {
        // Changes made while the pages were read are newer than the first page. The next run reads them, because its cutoff is older.
        let head = self.reader.cursor.walk_mut().head;
        if self.has_deferred {
            self.reader.keep_walk_open(None)
        } else {
            self.reader.finish_walk(head)
        }
        Ok(self.reader.report(1, true)?)
    }

    async fn read_page(&mut self, ThreadPage { page, is_first }: ThreadPage) -> Result<(), JobError> {
        self.context.count_replacements(page.replacements());
        if is_first {
            let now = Some(page.date().trusted(page.items().filter_map(|reply| Activity::from_message(reply).known()).max()));
            let walk = self.reader.cursor.walk_mut();
            (walk.head, walk.read_at, walk.began) = (None, now, now);
        }
        let mut newest = None;
        for reply in page.items() {
            newest = newest.max(self.add_reply(reply));
        }
        let (link, is_last) = (page.next().and_then(|next| self.reader.storable_link(next)), page.next().is_none());
        let permit = page.into_permit();
        self.reader.sink.flush().await?;
        drop(permit);
        let walk = self.reader.cursor.walk_mut();
        walk.head = walk.head.max(newest);
        self.has_deferred |= self.reader.sink.take_deferred();
        if !self.has_deferred {
            self.reader.cursor.walk_mut().link = link;
        }
        self.context.set_remaining_requests(1.0);
        if is_last { Ok(()) } else { Ok(self.reader.report(1, false)?) }
    }

    /// Adds the record of a reply, or counts the reply as skipped. Returns its time.
    fn add_reply(&mut self, reply: Item<'_>) -> Option<DateTime<Utc>> {
        let Some(id) = reply.id().filter(|_| !reply.is_malformed()) else {
            self.skipped += u64::from(self.reader.note_skipped_by_walk(reply));
            return None;
        };
        let time = self.reader.push(reply, &id, Some(self.message), || None).known();
        self.oldest = [self.oldest, time].into_iter().flatten().min();
        time
    }

    fn into_report(mut self) -> JobReport {
        let older = self.older.take().or_else(|| self.reader.gap_error(|| self.task()));
        let skipped = Skipped { items: self.skipped, too_large: self.reader.too_large, thread: None, older_error: older };
        let skipped = skipped.into_error(self.context, || self.task());
        JobReport { found_ids: vec![self.message.to_owned()], ..JobReport::completed(StreamSet::default().with(&MESSAGE_REPLIES), skipped) }
    }
}
