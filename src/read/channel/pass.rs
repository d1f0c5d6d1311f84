//! The state of one pass of a walk, from the top of the channel or from a stored link down to the oldest activity that a stream needs.
//! Decides what its pages and errors mean; the walk (`walk.rs`) fetches and reads the pages.

use chrono::{DateTime, Utc};

use super::{activity::Activity, depth::Depth, first_page::FirstPage, restarts::Restarts};
use crate::graph::{self, Cause, Item, Link, Page, Pages, Request};

/// Number of threads on the small first page of a pass. It is often enough, because most channels have changed little since the last run.
pub(crate) const PROBE_SIZE: u64 = 20;

#[derive(Debug)]
pub(super) struct Bounds {
    /// The page at which an earlier run, or an earlier part of this run, stopped.
    pub(super) stored: Option<StoredPage>,
    /// Graph's clock at the first page of the stored pass, or of the previous one. It stands in for the time at which Graph returned the
    /// link.
    pub(super) got_at: Option<DateTime<Utc>>,
    /// The activity at which the pass stops: no stream needs older threads.
    pub(super) stop: DateTime<Utc>,
    /// Whether few changes are expected since the channel was last read.
    pub(super) expects_few_changes: bool,
    /// Page size, in threads.
    pub(super) size: u64,
}

/// A page at which a pass can be resumed.
#[derive(Debug)]
pub(super) struct StoredPage {
    pub(super) link: Link,
    /// The head of the pass: the newest activity on its first page, as Graph returned it.
    pub(super) head: Option<DateTime<Utc>>,
}

#[derive(Debug)]
pub(super) struct Pass<'b> {
    pub(super) pages: Pages,
    /// The list from its top, with full-size pages.
    list: Request,
    got_at: Option<DateTime<Utc>>,
    pub(super) stop: DateTime<Utc>,
    /// Whether the next page is a small one that may suffice.
    probes: bool,
    is_resumed: bool,
    /// Number of pages read. The pages that an earlier run read count as one.
    pages_read: u64,
    /// The head, if an earlier run has read the first page.
    stored_head: Option<DateTime<Utc>>,
    /// The first page that had a time, if this run has read it.
    first: Option<FirstPage>,
    /// The first page of the previous pass.
    previous: Option<&'b FirstPage>,
    pub(super) depth: Depth,
    /// Whether the pass ended early because its links form a loop.
    is_truncated: bool,
}

/// What is known about a page before its threads are read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct PageInfo {
    /// Graph's clock when it returned the page.
    pub(super) now: DateTime<Utc>,
    /// Whether this is the top of the channel's list.
    pub(super) is_top: bool,
    /// Whether no thread has moved since the previous pass, so that the previous pass has read everything on this page.
    pub(super) is_unchanged: bool,
    /// The time up to which the replies are known. It may be earlier than `now`: a change to replies of the top thread that are not on the
    /// page does not move the thread.
    pub(super) replies_at: DateTime<Utc>,
}

/// What to do when a page cannot be fetched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Recovery {
    /// Start the pass again from the top, because links expire.
    Restart,
    /// List root messages without their replies.
    ListRootsOnly,
    /// End the pass here, because its links form a loop.
    Truncate,
    Fail,
}

impl<'b> Pass<'b> {
    /// Begins at the stored page, or at the top of the list with pages of `size` threads.
    pub(super) fn begin(bounds: Bounds, list: impl Fn(u64) -> Request, previous: Option<&'b FirstPage>) -> Self {
        let Bounds { stored, got_at, stop, expects_few_changes, size } = bounds;
        let (large, is_resumed) = (list(size), stored.is_some());
        let probes = !is_resumed && expects_few_changes && PROBE_SIZE < size;
        let (pages, stored_head) = match stored {
            Some(StoredPage { link, head }) => (Pages::from_link(&link, &large), head),
            None if probes => (Pages::new(list(PROBE_SIZE)), None),
            None => (Pages::new(large.clone()), None),
        };
        Self {
            pages,
            list: large,
            got_at,
            stop,
            probes,
            is_resumed,
            pages_read: u64::from(is_resumed),
            stored_head,
            first: None,
            previous,
            depth: Depth::default(),
            is_truncated: false,
        }
    }

    /// Whether more has changed than fits on the small page. That page is then not read.
    pub(super) fn is_probe_too_small(&self, page: &Page) -> bool {
        self.probes && !reaches_below(page, self.stop)
    }

    /// Makes the next request fetch the first page again with the full page size.
    pub(super) fn request_full_page(&mut self) {
        self.probes = false;
        self.pages.restart_with(self.list.clone());
    }

    /// Inspects the next page before its threads are read. `has_more`: whether a thread has replies that are not on the page.
    pub(super) fn inspect(&mut self, page: &Page, has_more: impl Fn(Item<'_>) -> bool) -> PageInfo {
        let is_top = self.pages_read == 0;
        if self.head().is_none() {
            self.first = Some(FirstPage::new(page, has_more));
        }
        let (head, now) = (self.head(), page.date().trusted(self.head()));
        let unchanged = self.first.as_ref().zip(self.previous).filter(|(first, previous)| is_top && first.is_same_as(previous));
        let hidden_replies = unchanged.filter(|(first, previous)| first.first_has_more || previous.first_has_more);
        let replies_at = hidden_replies.map_or(now, |(_, previous)| previous.at);
        let info = PageInfo { now, is_top, is_unchanged: unchanged.is_some(), replies_at };
        if head.is_none() && page.next().is_some() {
            // A page can be empty or without times and still have a next page. The head is then on a later page.
            self.first = None;
        }
        (self.probes, self.pages_read) = (false, self.pages_read + 1);
        info
    }

    /// Whether the pass ends after this page, which was just read.
    pub(super) fn ends_after(&self, info: PageInfo) -> bool {
        info.is_unchanged || self.depth.is_below(self.stop)
    }

    /// The newest activity on the first page, as Graph returned it.
    pub(super) fn head(&self) -> Option<DateTime<Utc>> {
        self.stored_head.or_else(|| self.first.as_ref()?.head)
    }

    pub(super) fn recovery(&self, error: &graph::Error, expands_replies: bool, restarts: &mut Restarts) -> Recovery {
        if self.pages_read > 0 && error.is_link_lost(self.got_at) {
            return match error.cause {
                _ if restarts.allows(self.pages_read) => Recovery::Restart,
                Cause::EndlessPaging(_) => Recovery::Truncate,
                _ => Recovery::Fail,
            };
        }
        if expands_replies && is_expansion_refused(error) { Recovery::ListRootsOnly } else { Recovery::Fail }
    }

    /// Marks the pass as ended early.
    pub(super) fn truncate(&mut self) {
        self.is_truncated = true;
    }

    pub(super) fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    /// Whether the pass has read, in this run, everything that the streams need.
    pub(super) fn is_complete(&self) -> bool {
        !self.is_resumed && !self.is_truncated
    }

    /// Whether no further pass is needed: a single page is a snapshot, and if a pass begins with the same threads as the previous one,
    /// nothing moved in between.
    pub(super) fn is_last(&self) -> bool {
        let is_unchanged = || self.first.as_ref().zip(self.previous).is_some_and(|(first, previous)| first.is_same_as(previous));
        self.pages_read <= 1 || is_unchanged()
    }

    pub(super) fn into_first_page(self) -> Option<FirstPage> {
        self.first
    }
}

/// Whether the page reaches below this time, judging only by the replies that are on it.
fn reaches_below(page: &Page, stop: DateTime<Utc>) -> bool {
    let mut depth = Depth::default();
    page.items().for_each(|root| depth.note(Activity::from_thread(root)));
    page.next().is_none() || depth.is_below(stop)
}

/// Whether Graph may have refused a page because of `$expand=replies`.
pub(crate) fn is_expansion_refused(error: &graph::Error) -> bool {
    error.status() == Some(400) && !error.is_transient()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use serde_json::{Value, json};

    use super::*;
    use crate::streams;

    const NEXT: &str = "/v1.0/teams/t/channels/c/messages?$expand=replies&$top=50&$skiptoken=x";

    fn time(hour: u32) -> DateTime<Utc> {
        format!("2026-11-20T{hour:02}:00:00Z").parse().unwrap()
    }

    /// A page of threads with these ids and hours of activity.
    fn page(threads: &[(&str, u32)], has_next: bool) -> Page {
        let items: Vec<_> = threads.iter().map(|(id, hour)| json!({"id": id, "lastModifiedDateTime": time(*hour)})).collect();
        page_of(json!(items), has_next)
    }

    fn page_of(items: Value, has_next: bool) -> Page {
        let mut body = json!({"value": items});
        if has_next {
            body["@odata.nextLink"] = json!(format!("https://graph.microsoft.com{NEXT}"));
        }
        Page::of_list(&body, time(23))
    }

    fn bounds() -> Bounds {
        Bounds { stored: None, got_at: None, stop: time(5), expects_few_changes: false, size: 50 }
    }

    fn begin(bounds: Bounds, previous: Option<&FirstPage>) -> Pass<'_> {
        Pass::begin(bounds, |size| streams::messages_with_replies("t", "c", size), previous)
    }

    /// A pass that an earlier run stopped after its first page.
    fn resumed(head: Option<DateTime<Utc>>) -> Bounds {
        let link = Link::from_path(NEXT).unwrap();
        Bounds { stored: Some(StoredPage { link, head }), got_at: Some(time(20)), ..bounds() }
    }

    fn first(page: &Page, has_more: bool) -> FirstPage {
        FirstPage::new(page, |_| has_more)
    }

    fn inspect(pass: &mut Pass<'_>, page: &Page) -> PageInfo {
        pass.inspect(page, |_| false)
    }

    fn error(cause: Cause) -> graph::Error {
        graph::Error { request: "GET".to_owned(), cause, attempts: 1, client_request_id: None, is_later_page: false }
    }

    fn refused(status: u16, date: DateTime<Utc>) -> graph::Error {
        error(Cause::ErrorStatus(graph::ErrorResponse { status, date, ..graph::ErrorResponse::default() }))
    }

    #[test]
    fn a_pass_begins_with_a_small_page_if_few_changes_are_expected_and_no_page_is_stored() {
        let probes = |bounds| begin(bounds, None).probes;
        assert!(!probes(bounds()));
        assert!(probes(Bounds { expects_few_changes: true, ..bounds() }));
        assert!(!probes(Bounds { expects_few_changes: true, size: PROBE_SIZE, ..bounds() }));
        assert!(!probes(Bounds { expects_few_changes: true, ..resumed(None) }));
    }

    #[test]
    fn a_small_page_is_too_small_unless_it_reaches_the_cutoff() {
        let probe = || begin(Bounds { expects_few_changes: true, ..bounds() }, None);
        let is_too_small = |page: &Page| probe().is_probe_too_small(page);
        assert!(is_too_small(&page(&[("a", 9), ("b", 8)], true)));
        assert!(is_too_small(&page(&[("a", 9), ("b", 4)], true)), "a single old thread may be misplaced");
        assert!(!is_too_small(&page(&[("a", 9), ("b", 4), ("c", 3)], true)));
        assert!(!is_too_small(&page(&[("a", 9)], false)), "there are no more pages");
        let mut pass = probe();
        pass.request_full_page();
        assert!(!pass.is_probe_too_small(&page(&[("a", 9)], true)), "the large page is read as it is");
        let mut pass = probe();
        inspect(&mut pass, &page(&[("a", 9), ("b", 4), ("c", 3)], true));
        assert!(!pass.is_probe_too_small(&page(&[("d", 9)], true)), "only the first page is a probe");
    }

    #[test]
    fn only_the_first_page_is_the_top_of_the_list() {
        let mut pass = begin(bounds(), None);
        let [one, other] = [page(&[("a", 9)], true), page(&[("b", 8)], true)].map(|page| inspect(&mut pass, &page));
        assert_eq!([one.is_top, other.is_top], [true, false]);
        assert_eq!(pass.head(), Some(time(9)));
        let mut pass = begin(resumed(Some(time(12))), None);
        assert!(!inspect(&mut pass, &page(&[("b", 8)], true)).is_top);
        assert_eq!(pass.head(), Some(time(12)), "the earlier run saw the first page");
    }

    #[test]
    fn the_head_is_on_the_first_page_that_has_a_time() {
        let mut pass = begin(bounds(), None);
        inspect(&mut pass, &page(&[], true));
        assert_eq!(pass.head(), None);
        inspect(&mut pass, &page_of(json!([{"id": "a"}]), true));
        assert_eq!(pass.head(), None);
        inspect(&mut pass, &page(&[("b", 9)], true));
        inspect(&mut pass, &page(&[("c", 10)], true));
        assert_eq!(pass.head(), Some(time(9)));
        let mut pass = begin(resumed(None), None);
        inspect(&mut pass, &page(&[("b", 8)], true));
        assert_eq!(pass.head(), Some(time(8)), "the earlier run saw no time");
    }

    #[test]
    fn a_pass_that_begins_like_the_previous_one_ends_with_its_first_page() {
        let seen = page(&[("a", 9), ("b", 8)], true);
        for (now, is_unchanged) in [
            (page(&[("a", 9), ("b", 8)], true), true),
            (page(&[("a", 9), ("b", 8), ("c", 7)], true), true),
            (page(&[("b", 9), ("a", 8)], true), false),
            (page(&[("a", 10), ("b", 8)], true), false),
        ] {
            let previous = first(&seen, false);
            let mut pass = begin(bounds(), Some(&previous));
            let info = inspect(&mut pass, &now);
            assert_eq!([info.is_unchanged, pass.ends_after(info)], [is_unchanged; 2]);
        }
        let previous = first(&seen, false);
        let mut pass = begin(bounds(), Some(&previous));
        inspect(&mut pass, &page(&[("z", 10)], true));
        assert!(!inspect(&mut pass, &seen).is_unchanged, "only the top shows that nothing has moved");
    }

    #[test]
    fn hidden_replies_of_the_top_thread_are_known_as_of_the_previous_pass() {
        let same = page(&[("a", 9)], true);
        let replies_at = |first_has_more, now: &Page, has_more| {
            let mut previous = first(&same, first_has_more);
            previous.at = time(22);
            begin(bounds(), Some(&previous)).inspect(now, |_| has_more).replies_at
        };
        assert_eq!(replies_at(false, &same, false), time(23));
        assert_eq!([(true, false), (false, true)].map(|(then, now)| replies_at(then, &same, now)), [time(22); 2]);
        assert_eq!(replies_at(true, &page(&[("b", 10)], true), true), time(23), "threads that moved are read");
    }

    #[test]
    fn a_pass_ends_below_the_cutoff() {
        let mut pass = begin(bounds(), None);
        let info = inspect(&mut pass, &page(&[("a", 9), ("b", 4)], true));
        pass.depth.note(Activity::Known(time(9)));
        pass.depth.note(Activity::Known(time(4)));
        assert!(!pass.ends_after(info));
        pass.depth.note(Activity::Known(time(4)));
        assert!(pass.ends_after(info));
    }

    #[test]
    fn a_walk_ends_with_a_pass_of_one_page_or_one_that_begins_like_the_previous_one() {
        let (seen, moved) = (page(&[("a", 9)], true), page(&[("b", 10)], true));
        let mut pass = begin(bounds(), None);
        inspect(&mut pass, &seen);
        assert!(pass.is_last());
        inspect(&mut pass, &page(&[("c", 8)], true));
        assert!(!pass.is_last());
        let mut pass = begin(resumed(Some(time(9))), None);
        inspect(&mut pass, &page(&[("c", 8)], false));
        assert!(!pass.is_last(), "the page of the earlier run counts");
        for (now, is_last) in [(&seen, true), (&moved, false)] {
            let previous = first(&seen, false);
            let mut pass = begin(bounds(), Some(&previous));
            inspect(&mut pass, now);
            inspect(&mut pass, &page(&[("c", 8)], true));
            assert_eq!(pass.is_last(), is_last);
        }
    }

    #[test]
    fn a_pass_is_complete_if_this_run_began_it_and_its_links_form_no_loop() {
        let mut pass = begin(bounds(), None);
        assert!(pass.is_complete());
        pass.truncate();
        assert!(!pass.is_complete());
        assert!(!begin(resumed(None), None).is_complete());
    }

    #[test]
    fn a_lost_link_restarts_the_pass_and_a_refused_first_page_does_not() {
        let (mut restarts, gone) = (Restarts::default(), refused(410, time(20)));
        let mut pass = begin(bounds(), None);
        assert_eq!(pass.recovery(&gone, true, &mut restarts), Recovery::Fail);
        inspect(&mut pass, &page(&[("a", 9)], true));
        assert_eq!(pass.recovery(&gone, true, &mut restarts), Recovery::Restart);
        assert_eq!(pass.recovery(&gone, true, &mut restarts), Recovery::Fail, "it got no further");
        assert_eq!(begin(resumed(None), None).recovery(&gone, true, &mut Restarts::default()), Recovery::Restart);
    }

    #[test]
    fn a_server_error_for_an_old_stored_link_means_that_it_is_lost() {
        let recovery = |date| begin(resumed(None), None).recovery(&refused(500, date), true, &mut Restarts::default());
        assert_eq!(recovery(time(20)), Recovery::Fail);
        assert_eq!(recovery(time(20) + TimeDelta::days(30)), Recovery::Restart);
    }

    #[test]
    fn roots_are_listed_alone_if_graph_refuses_to_expand_replies() {
        let recovery =
            |status, expands_replies| begin(bounds(), None).recovery(&refused(status, time(20)), expands_replies, &mut Restarts::default());
        assert_eq!(recovery(400, true), Recovery::ListRootsOnly);
        assert_eq!(recovery(400, false), Recovery::Fail, "they are listed alone already");
        assert_eq!(recovery(403, true), Recovery::Fail);
    }

    #[test]
    fn a_pass_whose_links_form_a_loop_restarts_and_is_truncated_if_it_gets_no_further() {
        let (mut restarts, endless) = (Restarts::default(), error(Cause::EndlessPaging("a nextLink was repeated")));
        let mut pass = begin(bounds(), None);
        inspect(&mut pass, &page(&[("a", 9)], true));
        let recoveries = [(); 2].map(|()| pass.recovery(&endless, true, &mut restarts));
        assert_eq!(recoveries, [Recovery::Restart, Recovery::Truncate]);
    }
}
