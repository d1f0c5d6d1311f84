//! The streams that one walk feeds: the roots, the replies, or both where they are at the same place.

use chrono::{DateTime, Utc};

use super::{
    activity::Activity,
    cursor::Cursor,
    pass::{Bounds, Sight, StoredPage},
    stream_reader::StreamReader,
};
use crate::{
    emit::Closed,
    graph::{Item, Link, Page},
    read::{context::Context, job::Stop},
    streams::MAX_TOP,
};

/// One or two streams, as one walk reads them.
#[derive(Debug)]
pub(super) struct Pair<'w, 'c> {
    pub(super) roots: Option<&'w mut StreamReader<'c>>,
    pub(super) replies: Option<&'w mut StreamReader<'c>>,
    /// Pages since the last report, those of threads included.
    pages: u64,
}

/// Whether two streams are at the same place, so that one walk can feed both.
pub(crate) fn are_together(one: &mut StreamReader<'_>, other: &mut StreamReader<'_>) -> bool {
    let (one, other) = (one.cursor.walk(), other.cursor.walk());
    // A closing pass that went on to the bottom for the other stream would emit everything again.
    let (phase, other_phase) = (one.until.is_some(), other.until.is_some());
    one.link == other.link && phase == other_phase && (one.link.is_none() || (one.head, one.read_at) == (other.head, other.read_at))
}

impl<'w, 'c> Pair<'w, 'c> {
    pub(super) fn new(roots: Option<&'w mut StreamReader<'c>>, replies: Option<&'w mut StreamReader<'c>>) -> Self {
        Self { roots, replies, pages: 0 }
    }

    pub(super) fn readers(&mut self) -> impl Iterator<Item = &mut StreamReader<'c>> {
        self.roots.iter_mut().chain(&mut self.replies).map(|reader| &mut **reader)
    }

    pub(super) fn cursors(&mut self) -> impl Iterator<Item = &mut Cursor> {
        self.readers().map(|reader| &mut reader.cursor)
    }

    /// Where the next pass begins and ends.
    pub(super) fn bounds(&mut self) -> Bounds {
        let size = self.readers().filter_map(|reader| reader.top()).min().unwrap_or(MAX_TOP).min(MAX_TOP);
        let stop = self.cursors().map(Cursor::stop).min().unwrap_or_default();
        let expects_little = self.cursors().all(Cursor::expects_little);
        // Both are at the same place.
        let walk = self.cursors().next().map(Cursor::walk);
        let (stored, got_at) = walk.map_or((None, None), |walk| {
            let link = walk.link.as_deref().and_then(Link::from_path);
            (link.map(|link| StoredPage { link, head: walk.head }), walk.read_at)
        });
        Bounds { stored, got_at, stop, expects_little, size }
    }

    /// Below this time no thread needs to be completed, in a pass down to `stop`: no reply is wanted.
    pub(super) fn settled(&mut self, stop: DateTime<Utc>) -> DateTime<Utc> {
        self.replies.as_mut().map_or(stop, |reader| reader.cursor.walk().floor.max(stop))
    }

    /// Whether the stored page lists roots without their replies.
    pub(super) fn is_of_roots(&mut self) -> bool {
        self.cursors().any(|cursor| cursor.walk().is_of_roots)
    }

    /// Takes note of a page that is to be read, in a pass whose first page has this head.
    pub(super) fn note_sight(&mut self, sight: Sight, head: Option<DateTime<Utc>>) {
        if sight.is_top {
            let (roots, replies) = (self.roots.iter_mut(), self.replies.iter_mut());
            for (reader, at) in roots.map(|reader| (reader, sight.now)).chain(replies.map(|reader| (reader, sight.replies_at))) {
                let walk = reader.cursor.walk();
                walk.read_at = Some(at);
                walk.began.get_or_insert(at);
            }
        }
        self.cursors().for_each(|cursor| cursor.walk().head = head);
    }

    /// Stores the next page of the pass.
    pub(super) fn store(&mut self, next: &Link, is_of_roots: bool) {
        for reader in self.readers() {
            let link = reader.storable(next);
            let walk = reader.cursor.walk();
            (walk.link, walk.is_of_roots) = (link, is_of_roots);
        }
    }

    /// The pass begins again from the top.
    pub(super) fn forget_page(&mut self) {
        self.cursors().for_each(|cursor| cursor.walk().link = None);
    }

    /// A pass is done that saw this head: the next one goes down to where it began.
    pub(super) fn begin_closing_pass(&mut self, head: Option<DateTime<Utc>>) {
        let newest = self.cursors().filter_map(|cursor| cursor.newest).max().max(head);
        for cursor in self.cursors() {
            let visible = cursor.visible();
            let walk = cursor.walk();
            (walk.until, walk.link) = ([newest, visible, walk.owed].into_iter().flatten().min(), None);
        }
    }

    /// Adds the record of a reply, or takes note that none can be made of it. Gives its time, and whether it is damage to report.
    pub(super) fn reply(&mut self, reply: Item<'_>, root: &str, has_read: impl FnOnce() -> Option<bool>) -> (Activity, bool) {
        let Some(id) = reply.id().filter(|_| !reply.is_damaged()) else {
            return (Activity::Unknown, self.replies.is_some() && self.is_new_damage(reply));
        };
        let activity = match &mut self.replies {
            Some(reader) => reader.push(reply, &id, Some(root), has_read),
            None => Activity::of(reply),
        };
        (activity, false)
    }

    /// Whether an item that no record can be made of is new to a stream.
    pub(super) fn is_new_damage(&mut self, item: Item<'_>) -> bool {
        // Each stream takes note of it.
        self.readers().map(|reader| reader.is_new_damage(item)).fold(false, |any, is_new| any | is_new)
    }

    /// Whether records were held back since this was asked last.
    pub(super) fn take_owed(&mut self) -> bool {
        self.readers().fold(false, |owes, reader| reader.sink.take_owed() | owes)
    }

    /// How far down another run has to look for records that are held back.
    pub(super) fn note_owed(&mut self, down_to: DateTime<Utc>) {
        self.cursors().map(Cursor::walk).for_each(|walk| walk.owed = earlier(walk.owed, down_to));
    }

    /// Hands over what was added so far from a page, if that is much.
    pub(super) async fn hand_over_many(&mut self) -> Result<(), Closed> {
        for reader in self.roots.iter_mut().chain(&mut self.replies) {
            reader.sink.hand_over_many().await?;
        }
        Ok(())
    }

    /// Hands over what was added from a page, and lets go of it. What was changed in its texts counts, unless the page was met again and had
    /// nothing new.
    pub(super) async fn hand_over(&mut self, context: &Context, page: Page, emitted_before: usize) -> Result<(), Stop> {
        self.pages += 1;
        let (cleaned, held) = (page.cleaned(), page.into_held());
        for reader in self.roots.iter_mut().chain(&mut self.replies) {
            reader.sink.hand_over().await?;
        }
        drop(held);
        if self.emitted() > emitted_before {
            context.note(cleaned);
        }
        Ok(())
    }

    /// Records that were handed over.
    pub(super) fn emitted(&mut self) -> usize {
        self.readers().map(|reader| reader.sink.emitted()).sum()
    }

    /// Reports where the streams are. `end`: the walk is done.
    pub(super) fn report(&mut self, end: bool) -> Result<(), Stop> {
        let pages = std::mem::take(&mut self.pages);
        Ok(self.readers().try_for_each(|reader| reader.report(pages, end))?)
    }
}

/// The earlier of two times, the first of which may be missing.
pub(super) fn earlier(time: Option<DateTime<Utc>>, other: DateTime<Utc>) -> Option<DateTime<Utc>> {
    Some(time.map_or(other, |time| time.min(other)))
}
