//! The pages of a thread, for whoever reads its replies: by the link that came with its root, by a stored link, or as a list from its
//! beginning (graph.md 2.5, 2.6).

use chrono::{DateTime, Utc};

use super::{expansion::Expansion, remaining_replies::RemainingReplies, restarts::Restarts};
use crate::{
    graph::{self, Link, Page, Pages, Request},
    read::context::Context,
};

/// The pages of a thread, one after the other.
#[derive(Debug)]
pub(super) struct ThreadPages {
    root: Root,
    /// The replies as a list.
    list: Request,
    pages: Pages,
    way: Way,
    /// Pages and replies that were read on this way.
    read: usize,
    replies: usize,
    restarts: Restarts,
}

/// How the thread came to be read.
#[derive(Debug)]
enum Root {
    /// It is named. An earlier run may have left it at a link, which it got at that time.
    Named { got_at: Option<DateTime<Utc>> },
    /// A page of its channel had its root, which this request asks for, with some of the replies.
    Listed { message: Request, rest: Box<RemainingReplies> },
}

/// What leads to the pages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Way {
    List,
    /// The link that came with the root. Its pages are smaller than those of the list.
    LinkOfRoot,
    /// The link at which an earlier run has stopped.
    StoredLink,
}

/// A page of a thread.
#[derive(Debug)]
pub(super) struct ThreadPage {
    pub(super) page: Page,
    /// Whether the thread begins with it.
    pub(super) is_first: bool,
}

impl ThreadPages {
    /// Of a thread that is named: from the link that was stored at that time, or from its beginning.
    pub(super) fn of_named(list: Request, stored: Option<&Link>, stored_at: Option<DateTime<Utc>>) -> Self {
        Self::new(Root::Named { got_at: stored_at }, list, stored.map(|link| (link, Way::StoredLink)))
    }

    /// Of a root that a page of its channel had, for the replies that did not come with it.
    pub(super) fn of_listed(list: Request, message: Request, rest: RemainingReplies, expansion: &Expansion) -> Self {
        let link = rest.link.clone().filter(|_| !rest.is_better_listed(0, 0, expansion.page_size()));
        Self::new(Root::Listed { message, rest: Box::new(rest) }, list, link.as_ref().map(|link| (link, Way::LinkOfRoot)))
    }

    fn new(root: Root, list: Request, link: Option<(&Link, Way)>) -> Self {
        let (pages, way) = match link {
            Some((link, way)) => (Pages::from_link(link, &list), way),
            None => (Pages::new(list.clone()), Way::List),
        };
        Self { root, list, pages, way, read: 0, replies: 0, restarts: Restarts::default() }
    }

    /// What came with the root, if a page had it.
    pub(super) fn rest(&self) -> Option<&RemainingReplies> {
        match &self.root {
            Root::Named { .. } => None,
            Root::Listed { rest, .. } => Some(rest),
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

    /// Whether the root, which a page had, is no longer there: what this error of the thread's first page may mean.
    pub(super) async fn is_gone(&self, context: &Context, error: &graph::Error) -> bool {
        match &self.root {
            Root::Listed { message, .. } if self.is_at_beginning() && error.is_missing() => {
                context.client.object(message).await.is_err_and(|error| error.is_missing())
            }
            _ => false,
        }
    }

    fn is_at_beginning(&self) -> bool {
        self.way == Way::List && self.read == 0
    }

    /// Takes note of a page with this number of replies. Gives whether the thread begins with it.
    fn note_page(&mut self, replies: usize, has_next: bool, expansion: &Expansion) -> bool {
        let is_first = self.is_at_beginning();
        (self.read, self.replies) = (self.read + 1, self.replies + replies);
        if self.way == Way::LinkOfRoot && has_next {
            expansion.note_page_size(replies);
            if self.rest().is_some_and(|rest| rest.is_better_listed(self.read, self.replies, expansion.page_size())) {
                self.list_from_beginning();
            }
        }
        is_first
    }

    fn note_end(&self, expansion: &Expansion) {
        if let (Way::List, Some(rest)) = (self.way, self.rest()) {
            expansion.learn(rest.expanded(), self.replies);
        }
    }

    /// Whether to list the thread from its beginning after this error: the link may have aged, or the thread may have gone meanwhile, which
    /// its first page shows.
    fn may_list_again(&mut self, error: &graph::Error) -> bool {
        let got_at = match self.root {
            Root::Named { got_at } => got_at,
            Root::Listed { .. } => None,
        };
        // Pages of the root's link do not show how far the list will come.
        let read = if self.way == Way::LinkOfRoot { 0 } else { self.read };
        !self.is_at_beginning() && error.is_link_lost(got_at) && self.restarts.allows(read as u64)
    }

    fn list_from_beginning(&mut self) {
        (self.way, self.read, self.replies) = (Way::List, 0, 0);
        self.pages = Pages::new(self.list.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{graph::Cause, streams};

    fn list() -> Request {
        streams::thread("t", "c", "m", 50)
    }

    fn link() -> Link {
        Link::from_path("/v1.0/teams/t/channels/c/messages/m/replies?$skiptoken=x").unwrap()
    }

    fn listed(rest: RemainingReplies) -> ThreadPages {
        ThreadPages::of_listed(list(), streams::message("t", "c", "m"), rest, &Expansion::default())
    }

    fn lost() -> graph::Error {
        let cause = Cause::Malformed("no page".to_owned());
        graph::Error { request: "GET".to_owned(), cause, attempts: 1, client_request_id: None, is_later_page: true }
    }

    #[test]
    fn a_thread_begins_with_the_first_page_of_its_list() {
        let expansion = Expansion::default();
        let mut pages = ThreadPages::of_named(list(), None, None);
        assert_eq!([true, true, false].map(|has_next| pages.note_page(50, has_next, &expansion)), [true, false, false]);
        let mut pages = ThreadPages::of_named(list(), Some(&link()), None);
        assert!(!pages.note_page(50, true, &expansion), "an earlier run had the first page");
        assert!(pages.may_list_again(&lost()));
        pages.list_from_beginning();
        assert!(pages.note_page(50, true, &expansion));
    }

    #[test]
    fn a_first_page_that_is_refused_is_not_asked_for_again() {
        assert!(!ThreadPages::of_named(list(), None, None).may_list_again(&lost()));
        assert!(!listed(RemainingReplies::of_all()).may_list_again(&lost()));
    }

    #[test]
    fn a_list_goes_on_after_a_lost_link_as_long_as_it_comes_further() {
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
        assert_eq!(restarts(ThreadPages::of_named(list(), None, None), 2), 1);
        assert_eq!(restarts(ThreadPages::of_named(list(), Some(&link()), None), 1), 2);
        // The list need not come further than the link of the root did: its pages are others.
        assert_eq!(restarts(listed(RemainingReplies::beyond(link(), 200, None)), 1), 2);
    }

    #[test]
    fn a_link_is_left_for_the_list_when_the_list_takes_fewer_requests() {
        let expansion = Expansion::default();
        let mut pages = listed(RemainingReplies::beyond(link(), 10, Some(1000)));
        assert_eq!(pages.way, Way::List, "1,010 replies are 21 pages of the list, or 50 of the link");
        let mut pages_of_link = listed(RemainingReplies::beyond(link(), 200, Some(30)));
        assert_eq!(pages_of_link.way, Way::LinkOfRoot, "230 replies are 5 pages of the list, or 2 of the link");
        pages_of_link.note_page(2, true, &expansion);
        assert_eq!((pages_of_link.way, pages_of_link.read), (Way::List, 0), "pages of 2 would be 14 more");
        assert_eq!(expansion.page_size(), 2);
        pages.note_page(50, true, &expansion);
        assert_eq!(expansion.page_size(), 2, "a page of the list does not count");
    }

    #[test]
    fn the_end_of_a_list_shows_whether_graph_had_cut_the_thread() {
        let expansion = Expansion::default();
        let mut pages = listed(RemainingReplies::beyond(link(), 200, Some(30)));
        pages.note_page(30, false, &expansion);
        pages.note_end(&expansion);
        assert!(!expansion.is_cut(200), "by the link nothing is learned");
        pages.list_from_beginning();
        pages.note_page(230, false, &expansion);
        pages.note_end(&expansion);
        assert!(expansion.is_cut(200));
    }
}
