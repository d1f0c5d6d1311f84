//! The scheduler, which queues requests until the pacer and the limit on requests in flight allow them, and decides which one is sent next.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Notify, oneshot};

use super::{pacer::Pacer, scope::Scope};

/// The priority of a request in the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Priority {
    /// The request discovers more work, such as the channels of a team.
    #[default]
    Discovery,
    /// The request is for the first page of a list, which shows how long the list is.
    FirstPage,
    /// The request is for another page of a list. Contains the estimated number of remaining requests.
    NextPage(f64),
}

impl Priority {
    fn is_next_page(self) -> bool {
        matches!(self, Self::NextPage(_))
    }
}

/// If both kinds are queued, this many requests for discovery and first pages are sent for each request for a next page.
const NEW_PER_NEXT_PAGE: u8 = 3;

/// Schedules all requests of a client.
#[derive(Debug)]
pub(in crate::graph) struct Scheduler {
    queue: Mutex<RequestQueue<Waiter>>,
    /// Notified when a request is queued or a response arrives.
    changed: Notify,
}

/// Sends a slot to a waiting request, or how long Graph will reject such requests.
type Waiter = oneshot::Sender<Result<InFlight, Duration>>;

/// The slot of a request in flight, until dropped.
#[derive(Debug)]
pub(in crate::graph) struct InFlight(Arc<Scheduler>);

impl Scheduler {
    pub(in crate::graph) fn new(pacer: Pacer, max_in_flight: usize) -> Arc<Self> {
        Arc::new(Self { queue: Mutex::new(RequestQueue::new(pacer, max_in_flight)), changed: Notify::new() })
    }

    /// Waits until a request may be sent.
    ///
    /// # Errors
    /// If Graph rejects such requests for longer than a run waits. Returns for how long.
    pub(in crate::graph) async fn wait(self: &Arc<Self>, scope: &Scope, priority: Priority) -> Result<InFlight, Duration> {
        loop {
            let (waiter, receiver) = oneshot::channel();
            let must_start = self.queue().push(scope.clone(), priority, waiter);
            if must_start {
                tokio::spawn(self.clone().run());
            } else {
                self.changed.notify_one();
            }
            // The sending task only ends early when the runtime shuts down.
            if let Ok(slot) = receiver.await {
                return slot;
            }
        }
    }

    /// Handles a request that Graph throttled.
    pub(in crate::graph) fn report_throttled(&self, scope: &Scope, wait: Option<Duration>) {
        self.queue().pacer.handle_throttled(scope, wait, Instant::now());
    }

    /// Releases queued requests one after another, each when it is due, until the queue is empty.
    async fn run(self: Arc<Self>) {
        loop {
            let next = self.queue().next(Instant::now());
            match next {
                // If the request was cancelled, dropping its slot frees it.
                Next::Send(waiter) => drop(waiter.send(Ok(InFlight(self.clone())))),
                Next::Reject(waiter, wait) => drop(waiter.send(Err(wait))),
                Next::NotBefore(time) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(time.into()) => {}
                        () = self.changed.notified() => {}
                    }
                }
                Next::WhenSlotIsFree => self.changed.notified().await,
                Next::Empty => return,
            }
        }
    }

    /// Ignores poisoning, because the queue is consistent even if a thread panicked while it was locked.
    fn queue(&self) -> MutexGuard<'_, RequestQueue<Waiter>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.queue().in_flight -= 1;
        self.0.changed.notify_one();
    }
}

/// The sender of a request, which may be cancelled while it waits.
trait Cancellable {
    fn is_cancelled(&self) -> bool;
}

impl Cancellable for Waiter {
    fn is_cancelled(&self) -> bool {
        self.is_closed()
    }
}

/// The queued requests. Time is passed in by the caller.
#[derive(Debug)]
struct RequestQueue<W> {
    pacer: Pacer,
    /// The queued requests, in order of arrival.
    queued: Vec<Queued<W>>,
    in_flight: usize,
    max_in_flight: usize,
    /// The number of discovery and first-page requests since the last next-page request, up to [`NEW_PER_NEXT_PAGE`].
    new: u8,
    /// Whether the task that releases the requests is running.
    is_running: bool,
}

#[derive(Debug)]
struct Queued<W> {
    scope: Scope,
    priority: Priority,
    waiter: W,
}

/// The next step of the queue.
#[derive(Debug, PartialEq)]
enum Next<W> {
    Send(W),
    /// Graph rejects such requests for this long.
    Reject(W, Duration),
    NotBefore(Instant),
    WhenSlotIsFree,
    Empty,
}

impl<W: Cancellable> RequestQueue<W> {
    fn new(pacer: Pacer, max_in_flight: usize) -> Self {
        Self { pacer, queued: Vec::new(), in_flight: 0, max_in_flight, new: 0, is_running: false }
    }

    /// Adds a request. Returns whether the caller must start the task that releases the requests.
    fn push(&mut self, scope: Scope, priority: Priority, waiter: W) -> bool {
        self.queued.push(Queued { scope, priority, waiter });
        !std::mem::replace(&mut self.is_running, true)
    }

    /// Takes the request with the highest priority among those that the pacer allows now.
    fn next(&mut self, now: Instant) -> Next<W> {
        self.queued.retain(|queued| !queued.waiter.is_cancelled());
        if self.queued.is_empty() {
            self.is_running = false;
            return Next::Empty;
        }
        let closed = |queued: &Queued<W>| self.pacer.rejected_for(&queued.scope, now);
        if let Some((at, wait)) = self.queued.iter().enumerate().find_map(|(at, queued)| Some((at, closed(queued)?))) {
            return Next::Reject(self.queued.remove(at).waiter, wait);
        }
        if self.in_flight >= self.max_in_flight {
            return Next::WhenSlotIsFree;
        }
        let (mut first, mut not_before) = (None, None);
        for (at, queued) in self.queued.iter().enumerate() {
            let free = self.pacer.free_at(&queued.scope, now);
            if free > now {
                not_before = Some(not_before.map_or(free, |time: Instant| time.min(free)));
            } else if first.is_none_or(|first| self.is_before(queued.priority, first)) {
                first = Some((at, queued.priority));
            }
        }
        let Some((at, _)) = first else { return not_before.map_or(Next::Empty, Next::NotBefore) };
        let queued = self.queued.remove(at);
        self.pacer.spend(&queued.scope, now);
        self.in_flight += 1;
        self.new = if queued.priority.is_next_page() { 0 } else { (self.new + 1).min(NEW_PER_NEXT_PAGE) };
        Next::Send(queued.waiter)
    }

    /// Whether a request is sent before another one that was queued earlier. The length of a list is unknown until its first page has been read,
    /// so first pages must be read soon, but lists that are known to be long must not wait until all first pages have been read. The longest list
    /// goes first, because it determines when the run ends.
    fn is_before(&self, priority: Priority, (_, earlier): (usize, Priority)) -> bool {
        match (priority, earlier) {
            (Priority::NextPage(remaining), Priority::NextPage(earlier)) => remaining > earlier,
            _ => priority.is_next_page() != earlier.is_next_page() && priority.is_next_page() == (self.new >= NEW_PER_NEXT_PAGE),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Priority::*;
    use super::*;
    use crate::{graph::Class, level::Partition};

    impl Cancellable for &str {
        fn is_cancelled(&self) -> bool {
            self.starts_with("cancelled")
        }
    }

    fn scope(team: &str, channel: &str) -> Scope {
        Scope::new(&Class::MESSAGES, &Partition::channel(team, channel))
    }

    fn queue(speed: f64, max_in_flight: usize) -> RequestQueue<&'static str> {
        RequestQueue::new(Pacer::new(speed, None), max_in_flight)
    }

    /// The order in which all requests are sent, each as soon as allowed.
    fn order(queue: &mut RequestQueue<&'static str>, mut now: Instant) -> Vec<&'static str> {
        std::iter::from_fn(|| {
            loop {
                match queue.next(now) {
                    Next::Send(waiter) => return Some(waiter),
                    Next::NotBefore(time) => now = time,
                    Next::Reject(..) | Next::WhenSlotIsFree | Next::Empty => return None,
                }
            }
        })
        .collect()
    }

    #[test]
    fn three_first_pages_are_sent_per_next_page_and_the_longest_list_goes_first() {
        let mut queue = queue(1.0, 64);
        let new = [("a", FirstPage), ("b", Discovery), ("c", FirstPage), ("d", FirstPage)];
        let queued = new.into_iter().chain([("short", NextPage(1.0)), ("long", NextPage(400.0)), ("longer", NextPage(500.0))]);
        for (waiter, priority) in queued {
            queue.push(scope(waiter, waiter), priority, waiter);
        }
        assert_eq!(order(&mut queue, Instant::now()), ["a", "b", "c", "longer", "d", "long", "short"]);
    }

    #[test]
    fn other_channels_are_read_while_one_channel_waits() {
        let (mut queue, now) = (queue(1.0, 64), Instant::now());
        for (channel, waiter) in [("1", "one"), ("1", "another of the same"), ("2", "other")] {
            queue.push(scope("t", channel), NextPage(9.0), waiter);
        }
        assert_eq!(queue.next(now), Next::Send("one"));
        let Next::NotBefore(second) = queue.next(now) else { panic!("a team has four a second") };
        assert_eq!(queue.next(second), Next::Send("other"));
        let Next::NotBefore(third) = queue.next(second) else { panic!("a channel has one a second") };
        assert!(third - now >= Duration::from_secs(1));
        assert_eq!(queue.next(third), Next::Send("another of the same"));
        assert_eq!(queue.next(third), Next::Empty);
    }

    #[test]
    fn requests_wait_for_a_free_slot_and_cancelled_ones_take_none() {
        let (mut queue, now) = (queue(f64::INFINITY, 1), Instant::now());
        assert!(queue.push(scope("t", "1"), FirstPage, "cancelled"));
        assert!(!queue.push(scope("t", "2"), FirstPage, "here"));
        queue.push(scope("t", "3"), FirstPage, "next");
        assert_eq!(queue.next(now), Next::Send("here"));
        assert_eq!(queue.next(now), Next::WhenSlotIsFree);
        queue.in_flight -= 1;
        assert_eq!(queue.next(now), Next::Send("next"));
        queue.in_flight -= 1;
        assert_eq!(queue.next(now), Next::Empty);
        assert!(queue.push(scope("t", "4"), FirstPage, "first again"));
    }

    #[test]
    fn closed_requests_are_rejected_at_once_even_without_a_free_slot() {
        let (mut queue, now, wait) = (queue(1.0, 0), Instant::now(), Duration::from_secs(7200));
        queue.pacer.handle_throttled(&scope("t", "1"), Some(wait), now);
        for (channel, waiter) in [("2", "open"), ("1", "closed")] {
            queue.push(scope("t", channel), FirstPage, waiter);
        }
        assert_eq!(queue.next(now), Next::Reject("closed", wait));
        assert_eq!(queue.next(now), Next::WhenSlotIsFree);
    }

    proptest! {
        #[test]
        fn all_requests_are_sent_once_and_the_limit_in_flight_is_kept(
            queued in prop::collection::vec((0_u8..3, 0_u8..9, 0_u8..3), 1..60),
            max_in_flight in 1_usize..8,
        ) {
            let (mut queue, mut now) = (queue(10.0, max_in_flight), Instant::now());
            for &(team, channel, kind) in &queued {
                let priority = [Discovery, FirstPage, NextPage(f64::from(channel))][usize::from(kind)];
                queue.push(scope(&team.to_string(), &format!("{team}.{channel}")), priority, "");
            }
            let mut sent = 0;
            loop {
                match queue.next(now) {
                    Next::Send(_) => sent += 1,
                    Next::NotBefore(time) => {
                        prop_assert!(time > now);
                        now = time;
                    }
                    Next::WhenSlotIsFree => {
                        prop_assert_eq!(queue.in_flight, max_in_flight);
                        queue.in_flight = 0;
                    }
                    Next::Reject(..) | Next::Empty => break,
                }
                prop_assert!(queue.in_flight <= max_in_flight);
            }
            prop_assert_eq!(sent, queued.len());
        }
    }
}
