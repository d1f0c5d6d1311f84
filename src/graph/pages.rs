//! The pages of a list, one after the other: links are followed as given, and an end is certain.

use std::collections::HashSet;

use tracing::debug;
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

use super::{Cause, Error, GraphClient, Item, Link, Page, Request, rounds::Rounds};

/// So many empty pages in a row are an error: an empty page is no end (graph.md 2.0), but a thousand are no list.
const MAX_EMPTY: u32 = 1000;

/// A walk through the pages of a list.
#[derive(Debug)]
pub struct Pages {
    first: Request,
    begun_again: bool,
    /// Whether a page was answered since the list began.
    is_answered: bool,
    next: Option<Request>,
    links: HashSet<u128>,
    ids: HashSet<u128>,
    rounds: Box<Rounds>,
    empty: u32,
}

impl Pages {
    /// The pages from a request on.
    pub fn new(first: Request) -> Self {
        Self {
            first: first.clone(),
            begun_again: false,
            is_answered: false,
            next: Some(first),
            links: HashSet::new(),
            ids: HashSet::new(),
            rounds: Box::default(),
            empty: 0,
        }
    }

    /// Goes back to the first page, once, if a link led away from it. What [`Self::is_first`] has seen stays seen. Gives whether it did.
    pub fn begin_again(&mut self) -> bool {
        let may = !self.links.is_empty() && !std::mem::replace(&mut self.begun_again, true);
        if may {
            self.next = Some(self.first.clone());
            self.links.clear();
            (self.is_answered, self.rounds, self.empty) = (false, Box::default(), 0);
        }
        may
    }

    /// The same list by another request, from its beginning. That it was answered before is remembered.
    pub fn begin_instead(&mut self, first: Request) {
        *self = Self { is_answered: self.is_answered, ..Self::new(first) };
    }

    /// The pages from a link on, of the list that this request begins.
    pub fn from_link(link: &Link, list: &Request) -> Self {
        Self::new(list.follow(link))
    }

    /// Whether this is the first item of that id in the list: lists that change while they are paged repeat items.
    pub fn is_first(&mut self, id: &str) -> bool {
        self.ids.insert(xxh3_128(id.as_bytes()))
    }

    /// How many ids [`Self::is_first`] has seen.
    pub fn distinct(&self) -> usize {
        self.ids.len()
    }

    /// As [`Self::next`]. A link is good for a while only: the list begins again, once, where Graph no longer takes one.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn next_or_anew(&mut self, client: &GraphClient) -> Result<Option<Page>, Error> {
        match self.next(client).await {
            Err(error) if matches!(error.cause, Cause::Refused(_)) && error.is_link_lost(None) && self.begin_again() => {
                debug!("{error}; the list begins again");
                self.next(client).await
            }
            result => result,
        }
    }

    /// The next page, or [`None`] behind the last one. A page with damaged items is asked for once more: some damage passes.
    ///
    /// # Errors
    /// If the page cannot be had, or if links or pages go round.
    pub async fn next(&mut self, client: &GraphClient) -> Result<Option<Page>, Error> {
        let Some(request) = self.next.take() else { return Ok(None) };
        let is_later_page = self.is_answered;
        let mut page = client.page(&request).await.map_err(|error| error.of_later_page(is_later_page))?;
        self.is_answered = true;
        if page.items().any(|item| item.is_damaged() || item.replies().any(|reply| reply.is_damaged())) {
            // Its room is wanted for the next answer.
            drop(page);
            page = client.page(&request).await.map_err(|error| error.of_later_page(true))?;
        }
        self.empty = if page.is_empty() { self.empty + 1 } else { 0 };
        if self.empty > MAX_EMPTY {
            return Err(Error::new(&request, Cause::EndlessPaging("a thousand empty pages in a row"), 1).of_later_page(true));
        }
        if self.rounds.page(page.items().map(hash)) {
            return Err(Error::new(&request, Cause::EndlessPaging("twenty pages in a row had nothing new"), 1).of_later_page(true));
        }
        if let Some(link) = page.next() {
            if !self.links.insert(xxh3_128(link.as_str().as_bytes())) {
                return Err(Error::new(&request, Cause::EndlessPaging("a nextLink came a second time"), 1).of_later_page(true));
            }
            self.next = Some(request.follow(link));
        }
        Ok(Some(page))
    }
}

/// By its id, or as a whole where it has none.
fn hash(item: Item<'_>) -> u32 {
    item.id().map_or_else(|| item.hash(), |id| xxh3_64(id.as_bytes())) as u32
}
