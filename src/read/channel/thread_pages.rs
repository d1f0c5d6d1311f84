//! The pages of a thread: from the link that came with its root, from a stored link, or as a list from the beginning (graph.md 2.5, 2.6).

use chrono::{DateTime, Utc};

use super::{expansion::Expansion, remaining_replies::RemainingReplies, restarts::Restarts};
use crate::{
    graph::{self, Link, Page, Pages, Request},
    read::context::Context,
};

/// The pages of a thread, one after the other.
#[derive(Debug)]
pub(super) struct ThreadPages {
    source: Source,
    /// The thread's replies as a list.
    list: Request,
    pages: Pages,
    route: Route,
    /// Number of pages and replies read on this route.
    pages_read: usize,
    replies_read: usize,
    restarts: Restarts,
}

/// How the thread was found.
#[derive(Debug)]
enum Source {
    /// The thread is configured. `got_at`: when an earlier run received the link at which it stopped, if it stopped at one.
    Configured { got_at: Option<DateTime<Utc>> },
    /// A page of the channel contained the thread's root and some of its replies. `message` requests the root.
    Listed { message: Request, remaining: Box<RemainingReplies> },
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Route {
    List,
    /// The link that came with the root. Its pages are smaller than those of the list.
    RootLink,
    /// The link at which an earlier run stopped.
    StoredLink,
}

#[derive(Debug)]
pub(super) struct ThreadPage {
    pub(super) page: Page,
    /// Whether this is the beginning of the thread.
    pub(super) is_first: bool,
}

impl ThreadPages {
    /// The pages of a configured thread: from the link that was stored at this time, or from the beginning.
    pub(super) fn for_configured(list: Request, stored: Option<&Link>, stored_at: Option<DateTime<Utc>>) -> Self {
        Self::new(Source::Configured { got_at: stored_at }, list, stored.map(|link| (link, Route::StoredLink)))
    }

    /// The pages of a thread whose root was on a page of its channel, for the replies that did not come with it.
    pub(super) fn for_listed(list: Request, message: Request, remaining: RemainingReplies, expansion: &Expansion) -> Self {
        let link = remaining.link.clone().filter(|_| !remaining.is_better_listed(0, 0, expansion.page_size()));
        Self::new(Source::Listed { message, remaining: Box::new(remaining) }, list, link.as_ref().map(|link| (link, Route::RootLink)))
    }

    fn new(source: Source, list: Request, link: Option<(&Link, Route)>) -> Self {
        let (pages, route) = match link {
            Some((link, route)) => (Pages::from_link(link, &list), route),
            None => (Pages::new(list.clone()), Route::List),
        };
        Self { source, list, pages, route, pages_read: 0, replies_read: 0, restarts: Restarts::default() }
    }

    /// The remaining replies as estimated from the root, if the root was on a page.
    pub(super) fn remaining(&self) -> Option<&RemainingReplies> {
        match &self.source {
            Source::Configured { .. } => None,
            Source::Listed { remaining, .. } => Some(remaining),
        }
    }

    /// The next page; [`None`] at the end.
    pub(super) async fn next(&mut self, context: &Context) -> Result<Option<ThreadPage>, graph::Error> {
        loop {
            match self.pages.next(&context.client).await {
                Ok(Some(page)) => {
                    let is_first = self.note_page(page.items().count(), page.next().is_some(), &context.channels.expansion);
                    return Ok(Some(ThreadPage { page, is_first }));
                }
                Ok(None) => {
                    self.note_end(&context.channels.expansion);
                    return Ok(None);
                }
                Err(error) if self.may_list_again(&error) => self.list_from_beginning(),
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether this error of the thread's first page means that its root, which was on a page, no longer exists.
    pub(super) async fn is_gone(&self, context: &Context, error: &graph::Error) -> bool {
        match &self.source {
            Source::Listed { message, .. } if self.is_at_beginning() && error.is_not_found() => {
                context.client.object(message).await.is_err_and(|error| error.is_not_found())
            }
            _ => false,
        }
    }

    fn is_at_beginning(&self) -> bool {
        self.route == Route::List && self.pages_read == 0
    }

    /// Notes a page with this number of replies. Returns whether it is the beginning of the thread.
    fn note_page(&mut self, replies: usize, has_next: bool, expansion: &Expansion) -> bool {
        let is_first = self.is_at_beginning();
        (self.pages_read, self.replies_read) = (self.pages_read + 1, self.replies_read + replies);
        if self.route == Route::RootLink && has_next {
            expansion.note_page_size(replies);
            if self.remaining().is_some_and(|rest| rest.is_better_listed(self.pages_read, self.replies_read, expansion.page_size())) {
                self.list_from_beginning();
            }
        }
        is_first
    }

    fn note_end(&self, expansion: &Expansion) {
        if let (Route::List, Some(rest)) = (self.route, self.remaining()) {
            expansion.learn(rest.expanded(), self.replies_read);
        }
    }

    /// Whether to read the list from its beginning after this error: the link may have expired, or the thread may have been deleted
    /// meanwhile, which its first page shows.
    fn may_list_again(&mut self, error: &graph::Error) -> bool {
        let got_at = match self.source {
            Source::Configured { got_at } => got_at,
            Source::Listed { .. } => None,
        };
        // The pages of the root's link do not show how far the list will get.
        let read = if self.route == Route::RootLink { 0 } else { self.pages_read };
        !self.is_at_beginning() && error.is_link_lost(got_at) && self.restarts.allows(read as u64)
    }

    fn list_from_beginning(&mut self) {
        (self.route, self.pages_read, self.replies_read) = (Route::List, 0, 0);
        self.pages = Pages::new(self.list.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{graph::Cause, streams};

    fn list() -> Request {
        streams::replies("t", "c", "m", 50)
    }

    fn link() -> Link {
        Link::from_path("/v1.0/teams/t/channels/c/messages/m/replies?$skiptoken=x").unwrap()
    }

    fn listed(rest: RemainingReplies) -> ThreadPages {
        ThreadPages::for_listed(list(), streams::message("t", "c", "m"), rest, &Expansion::default())
    }

    fn lost() -> graph::Error {
        let cause = Cause::Malformed("no page".to_owned());
        graph::Error { request: "GET".to_owned(), cause, attempts: 1, client_request_id: None, is_later_page: true }
    }

    #[test]
    fn a_thread_begins_with_the_first_page_of_its_list() {
        let expansion = Expansion::default();
        let mut pages = ThreadPages::for_configured(list(), None, None);
        assert_eq!([true, true, false].map(|has_next| pages.note_page(50, has_next, &expansion)), [true, false, false]);
        let mut pages = ThreadPages::for_configured(list(), Some(&link()), None);
        assert!(!pages.note_page(50, true, &expansion), "an earlier run read the first page");
        assert!(pages.may_list_again(&lost()));
        pages.list_from_beginning();
        assert!(pages.note_page(50, true, &expansion));
    }

    #[test]
    fn a_refused_first_page_is_not_requested_again() {
        assert!(!ThreadPages::for_configured(list(), None, None).may_list_again(&lost()));
        assert!(!listed(RemainingReplies::all()).may_list_again(&lost()));
    }

    #[test]
    fn a_list_restarts_after_a_lost_link_as_long_as_it_gets_further() {
        let expansion = Expansion::default();
        let restarts = |mut pages: ThreadPages, mut read: usize| {
            let mut count = 0;
            loop {
                (0..read).for_each(|_| _ = pages.note_page(20, true, &expansion));
                if !pages.may_list_again(&lost()) {
                    return count;
                }
                pages.list_from_beginning();
                (count, read) = (count + 1, 2);
            }
        };
        assert_eq!(restarts(ThreadPages::for_configured(list(), None, None), 2), 1);
        assert_eq!(restarts(ThreadPages::for_configured(list(), Some(&link()), None), 1), 2);
        // The list need not get further than the root's link did, because its pages are different ones.
        assert_eq!(restarts(listed(RemainingReplies::beyond(link(), 200, None)), 1), 2);
    }

    #[test]
    fn the_list_replaces_a_link_when_it_takes_fewer_requests() {
        let expansion = Expansion::default();
        let mut pages = listed(RemainingReplies::beyond(link(), 10, Some(1000)));
        assert_eq!(pages.route, Route::List, "1,010 replies are 21 pages of the list, or 50 of the link");
        let mut pages_of_link = listed(RemainingReplies::beyond(link(), 200, Some(30)));
        assert_eq!(pages_of_link.route, Route::RootLink, "230 replies are 5 pages of the list, or 2 of the link");
        pages_of_link.note_page(2, true, &expansion);
        assert_eq!((pages_of_link.route, pages_of_link.pages_read), (Route::List, 0), "14 more pages of 2 replies would remain");
        assert_eq!(expansion.page_size(), 2);
        pages.note_page(50, true, &expansion);
        assert_eq!(expansion.page_size(), 2, "a page of the list does not count");
    }

    #[test]
    fn the_end_of_a_list_shows_whether_graph_truncated_the_thread() {
        let expansion = Expansion::default();
        let mut pages = listed(RemainingReplies::beyond(link(), 200, Some(30)));
        pages.note_page(30, false, &expansion);
        pages.note_end(&expansion);
        assert!(!expansion.is_truncated(200), "the pages of the link do not show that");
        pages.list_from_beginning();
        pages.note_page(230, false, &expansion);
        pages.note_end(&expansion);
        assert!(expansion.is_truncated(200));
    }
}
