//! Reads the pages of a list. Follows links unchanged, and detects lists that never end.

use std::collections::HashSet;

use tracing::debug;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::{Cause, Error, GraphClient, Item, Link, Page, Request, loop_detector::LoopDetector};

/// Maximum consecutive empty pages. An empty page is not the end of a list (graph.md 2.0), but this many are an error.
const MAX_EMPTY: u32 = 1000;

/// Reads the pages of a list.
#[derive(Debug)]
pub struct Pages {
    first: Request,
    was_restarted: bool,
    /// Whether a page was received since the list was started.
    has_page: bool,
    next: Option<Request>,
    links: HashSet<u128>,
    ids: HashSet<u128>,
    loop_detector: Box<LoopDetector>,
    empty_pages: u32,
}

impl Pages {
    /// Reads a list from its first page.
    pub fn new(first: Request) -> Self {
        Self {
            first: first.clone(),
            was_restarted: false,
            has_page: false,
            next: Some(first),
            links: HashSet::new(),
            ids: HashSet::new(),
            loop_detector: Box::default(),
            empty_pages: 0,
        }
    }

    /// Returns to the first page, unless no link has been received yet or the list was restarted before. The ids that were passed to
    /// [`Self::is_new`] are kept. Returns whether the list was restarted.
    pub fn restart(&mut self) -> bool {
        let may_restart = !self.links.is_empty() && !std::mem::replace(&mut self.was_restarted, true);
        if may_restart {
            self.next = Some(self.first.clone());
            self.links.clear();
            (self.has_page, self.loop_detector, self.empty_pages) = (false, Box::default(), 0);
        }
        may_restart
    }

    /// Reads the same list from its beginning with another request.
    pub fn restart_with(&mut self, first: Request) {
        *self = Self { has_page: self.has_page, ..Self::new(first) };
    }

    /// Reads a list from a link.
    pub fn from_link(link: &Link, list: &Request) -> Self {
        Self::new(list.follow(link))
    }

    /// Whether this id is seen for the first time. Lists that change while they are read repeat items.
    pub fn is_new(&mut self, id: &str) -> bool {
        self.ids.insert(xxh3_128(id.as_bytes()))
    }

    /// The number of distinct ids that were passed to [`Self::is_new`].
    pub fn distinct_ids(&self) -> usize {
        self.ids.len()
    }

    /// Like [`Self::next`], but restarts the list once if Graph no longer accepts a link, because links expire.
    ///
    /// # Errors
    /// Like [`Self::next`].
    pub async fn next_or_restart(&mut self, client: &GraphClient) -> Result<Option<Page>, Error> {
        match self.next(client).await {
            Err(error) if matches!(error.cause, Cause::ErrorStatus(_)) && error.is_link_lost(None) && self.restart() => {
                debug!("{error}; restarting the list");
                self.next(client).await
            }
            result => result,
        }
    }

    /// Returns the next page, or [`None`] after the last one. If a page has malformed items, it is requested once more, because they may be
    /// temporary.
    ///
    /// # Errors
    /// If the request fails, or if links or pages repeat.
    pub async fn next(&mut self, client: &GraphClient) -> Result<Option<Page>, Error> {
        let Some(request) = self.next.take() else { return Ok(None) };
        let is_later_page = self.has_page;
        let mut page = client.page(&request).await.map_err(|error| error.on_later_page(is_later_page))?;
        self.has_page = true;
        if page.items().any(|item| item.is_malformed() || item.replies().any(|reply| reply.is_malformed())) {
            // Frees the page's memory for the next response.
            drop(page);
            page = client.page(&request).await.map_err(|error| error.on_later_page(true))?;
        }
        self.empty_pages = if page.is_empty() { self.empty_pages + 1 } else { 0 };
        if self.empty_pages > MAX_EMPTY {
            return Err(Error::new(&request, Cause::EndlessPaging("a thousand empty pages in a row"), 1).on_later_page(true));
        }
        if self.loop_detector.add_page(page.items().map(hash)) {
            return Err(Error::new(&request, Cause::EndlessPaging("twenty pages in a row contained nothing new"), 1).on_later_page(true));
        }
        if let Some(link) = page.next() {
            if !self.links.insert(xxh3_128(link.as_str().as_bytes())) {
                return Err(Error::new(&request, Cause::EndlessPaging("a nextLink was repeated"), 1).on_later_page(true));
            }
            self.next = Some(request.follow(link));
        }
        Ok(Some(page))
    }
}

/// Hashes an item by its id, or by all of its fields if it has no id.
fn hash(item: Item<'_>) -> u32 {
    item.id().map_or_else(|| item.hash(), |id| xxh3_64(id.as_bytes())) as u32
}
