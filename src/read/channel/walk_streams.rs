//! The streams that one walk feeds: root messages, replies, or both if they are at the same position.

use chrono::{DateTime, Utc};

use super::{
    activity::Activity,
    cursor::Cursor,
    pass::{Bounds, PageInfo, StoredPage},
    stream_reader::StreamReader,
};
use crate::{
    emit::Closed,
    graph::{Item, Link, Page},
    read::{context::Context, job::JobError},
    streams::MAX_TOP,
};

#[derive(Debug)]
pub(super) struct WalkStreams<'w, 'c> {
    pub(super) roots: Option<&'w mut StreamReader<'c>>,
    pub(super) replies: Option<&'w mut StreamReader<'c>>,
    /// Pages since the last report, including pages of threads.
    pages: u64,
}

/// Whether two streams are at the same position, so that one walk can feed both.
pub(crate) fn are_aligned(one: &mut StreamReader<'_>, other: &mut StreamReader<'_>) -> bool {
    let (one, other) = (one.cursor.walk_mut(), other.cursor.walk_mut());
    // If a closing pass for one stream continued to the cutoff of the other, it would emit everything again.
    let (phase, other_phase) = (one.until.is_some(), other.until.is_some());
    one.link == other.link && phase == other_phase && (one.link.is_none() || (one.head, one.read_at) == (other.head, other.read_at))
}

impl<'w, 'c> WalkStreams<'w, 'c> {
    pub(super) fn new(roots: Option<&'w mut StreamReader<'c>>, replies: Option<&'w mut StreamReader<'c>>) -> Self {
        Self { roots, replies, pages: 0 }
    }

    pub(super) fn stream_readers(&mut self) -> impl Iterator<Item = &mut StreamReader<'c>> {
        self.roots.iter_mut().chain(&mut self.replies).map(|reader| &mut **reader)
    }

    pub(super) fn cursors(&mut self) -> impl Iterator<Item = &mut Cursor> {
        self.stream_readers().map(|reader| &mut reader.cursor)
    }

    pub(super) fn bounds(&mut self) -> Bounds {
        let size = self.stream_readers().filter_map(|reader| reader.top()).min().unwrap_or(MAX_TOP).min(MAX_TOP);
        let stop = self.cursors().map(Cursor::stop).min().unwrap_or_default();
        let expects_few_changes = self.cursors().all(Cursor::expects_few_changes);
        // All streams are at the same position.
        let walk = self.cursors().next().map(Cursor::walk_mut);
        let (stored, got_at) = walk.map_or((None, None), |walk| {
            let link = walk.link.as_deref().and_then(Link::from_path);
            (link.map(|link| StoredPage { link, head: walk.head }), walk.read_at)
        });
        Bounds { stored, got_at, stop, expects_few_changes, size }
    }

    /// In a pass down to `stop`, no stream needs the replies of threads that are older than this.
    pub(super) fn replies_needed_since(&mut self, stop: DateTime<Utc>) -> DateTime<Utc> {
        self.replies.as_mut().map_or(stop, |reader| reader.cursor.walk_mut().cutoff.max(stop))
    }

    /// Whether the stored page lists root messages without their replies.
    pub(super) fn lists_roots_only(&mut self) -> bool {
        self.cursors().any(|cursor| cursor.walk_mut().lists_roots_only)
    }

    /// Notes a page that is about to be read in a pass with this head.
    pub(super) fn note_page(&mut self, info: PageInfo, head: Option<DateTime<Utc>>) {
        if info.is_top {
            let (roots, replies) = (self.roots.iter_mut(), self.replies.iter_mut());
            for (reader, at) in roots.map(|reader| (reader, info.now)).chain(replies.map(|reader| (reader, info.replies_at))) {
                let walk = reader.cursor.walk_mut();
                walk.read_at = Some(at);
                walk.began.get_or_insert(at);
            }
        }
        self.cursors().for_each(|cursor| cursor.walk_mut().head = head);
    }

    /// Stores the link to the next page of the pass.
    pub(super) fn store_link(&mut self, next: &Link, lists_roots_only: bool) {
        for reader in self.stream_readers() {
            let link = reader.storable_link(next);
            let walk = reader.cursor.walk_mut();
            (walk.link, walk.lists_roots_only) = (link, lists_roots_only);
        }
    }

    /// Forgets the stored page: the pass starts again from the top.
    pub(super) fn forget_page(&mut self) {
        self.cursors().for_each(|cursor| cursor.walk_mut().link = None);
    }

    /// Prepares a closing pass, which goes down to where the previous pass, with this head, began.
    pub(super) fn prepare_closing_pass(&mut self, head: Option<DateTime<Utc>>) {
        let newest = self.cursors().filter_map(|cursor| cursor.newest).max().max(head);
        for cursor in self.cursors() {
            let visible = cursor.visible_before();
            let walk = cursor.walk_mut();
            (walk.until, walk.link) = ([newest, visible, walk.oldest_deferred].into_iter().flatten().min(), None);
        }
    }

    /// Adds the record of a reply, or skips the reply if it cannot be made into a record. Returns its time, and whether to report it as
    /// skipped.
    pub(super) fn add_reply(&mut self, reply: Item<'_>, root: &str, has_read: impl FnOnce() -> Option<bool>) -> (Activity, bool) {
        let Some(id) = reply.id().filter(|_| !reply.is_malformed()) else {
            return (Activity::Unknown, self.replies.is_some() && self.note_skipped_by_walk(reply));
        };
        let activity = match &mut self.replies {
            Some(reader) => reader.push(reply, &id, Some(root), has_read),
            None => Activity::from_message(reply),
        };
        (activity, false)
    }

    /// Notes an item that cannot be made into a record. Returns whether to report it, because it is new to at least one stream.
    pub(super) fn note_skipped_by_walk(&mut self, item: Item<'_>) -> bool {
        // No short circuit: each stream has to note the item.
        self.stream_readers().map(|reader| reader.note_skipped_by_walk(item)).fold(false, |any, is_new| any | is_new)
    }

    /// Whether records were deferred since the last call.
    pub(super) fn take_deferred(&mut self) -> bool {
        self.stream_readers().fold(false, |any, reader| reader.sink.take_deferred() | any)
    }

    /// Notes how far down the next run has to read to find the records that were deferred.
    pub(super) fn note_deferred(&mut self, down_to: DateTime<Utc>) {
        self.cursors().map(Cursor::walk_mut).for_each(|walk| walk.oldest_deferred = earlier(walk.oldest_deferred, down_to));
    }

    pub(super) async fn flush_if_full(&mut self) -> Result<(), Closed> {
        for reader in self.roots.iter_mut().chain(&mut self.replies) {
            reader.sink.flush_if_full().await?;
        }
        Ok(())
    }

    /// Sends the records of a page to the output and releases the page. Its changed texts are counted, unless the page was read before and
    /// contains nothing new.
    pub(super) async fn flush(&mut self, context: &Context, page: Page, emitted_before: usize) -> Result<(), JobError> {
        self.pages += 1;
        let (replacements, permit) = (page.replacements(), page.into_permit());
        for reader in self.roots.iter_mut().chain(&mut self.replies) {
            reader.sink.flush().await?;
        }
        drop(permit);
        if self.emitted() > emitted_before {
            context.count_replacements(replacements);
        }
        Ok(())
    }

    /// The number of records that were sent to the output.
    pub(super) fn emitted(&mut self) -> usize {
        self.stream_readers().map(|reader| reader.sink.emitted()).sum()
    }

    /// Reports the positions of the streams. `end`: whether the walk has ended.
    pub(super) fn report(&mut self, end: bool) -> Result<(), JobError> {
        let pages = std::mem::take(&mut self.pages);
        Ok(self.stream_readers().try_for_each(|reader| reader.report(pages, end))?)
    }
}

/// The earlier of two times, the first of which may be absent.
pub(super) fn earlier(time: Option<DateTime<Utc>>, other: DateTime<Utc>) -> Option<DateTime<Utc>> {
    Some(time.map_or(other, |time| time.min(other)))
}
