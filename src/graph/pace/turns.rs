//! Turns: requests wait here for the pacer and for a place among those in flight; who goes first is decided here.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::{Notify, oneshot};

use super::{pacer::Pacer, scope::Scope};

/// How urgent a request is, compared with others that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Urgency {
    /// It leads to further work, such as the channels of a team.
    #[default]
    Leads,
    /// It opens a list, and shows how long that is.
    Opens,
    /// It goes on with a list; about so many requests are still to come, one after the other.
    Remains(f64),
}

impl Urgency {
    fn goes_on(self) -> bool {
        matches!(self, Self::Remains(_))
    }
}

/// As long as both wait, so many requests that lead to further work or open a list go for each that goes on with one.
const NEW_FOR_EACH: u8 = 3;

/// The turns of all requests of a client.
#[derive(Debug)]
pub(in crate::graph) struct Turns {
    line: Mutex<Line<Answer>>,
    /// The line has changed: somebody has come, or a place is free.
    changed: Notify,
}

/// Tells whoever waits that it is their turn, or that it will not be for so long.
type Answer = oneshot::Sender<Result<Turn, Duration>>;

/// The turn of one request: its place among those in flight, until dropped.
#[derive(Debug)]
pub(in crate::graph) struct Turn(Arc<Turns>);

impl Turns {
    /// Turns at this pace, for so many requests in flight at most.
    pub(in crate::graph) fn new(pacer: Pacer, places: usize) -> Arc<Self> {
        Arc::new(Self { line: Mutex::new(Line::new(pacer, places)), changed: Notify::new() })
    }

    /// Waits until a request may be sent.
    ///
    /// # Errors
    /// If Graph wants to be left alone for longer than a run waits: for how long.
    pub(in crate::graph) async fn take(self: &Arc<Self>, scope: &Scope, urgency: Urgency) -> Result<Turn, Duration> {
        loop {
            let (caller, called) = oneshot::channel();
            let is_first = self.line().join(scope.clone(), urgency, caller);
            if is_first {
                tokio::spawn(self.clone().call());
            } else {
                self.changed.notify_one();
            }
            // Whoever calls is gone only when the runtime ends.
            if let Ok(turn) = called.await {
                return turn;
            }
        }
    }

    /// Graph has throttled a request.
    pub(in crate::graph) fn throttled(&self, scope: &Scope, wait: Option<Duration>) {
        self.line().pacer.throttled(scope, wait, Instant::now());
    }

    /// Calls one after the other, each at its time, until nobody waits.
    async fn call(self: Arc<Self>) {
        loop {
            let next = self.line().next(Instant::now());
            match next {
                // If nobody takes it any more, dropping it frees its place.
                Next::Goes(caller) => drop(caller.send(Ok(Turn(self.clone())))),
                Next::Never(caller, wait) => drop(caller.send(Err(wait))),
                Next::NotBefore(time) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(time.into()) => {}
                        () = self.changed.notified() => {}
                    }
                }
                Next::WithAPlace => self.changed.notified().await,
                Next::Nobody => return,
            }
        }
    }

    /// A thread that panicked has left the line as it was.
    fn line(&self) -> MutexGuard<'_, Line<Answer>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.line().in_flight -= 1;
        self.0.changed.notify_one();
    }
}

/// Who a turn is given to.
trait Caller {
    /// Whether nobody waits any more.
    fn is_gone(&self) -> bool;
}

impl Caller for Answer {
    fn is_gone(&self) -> bool {
        self.is_closed()
    }
}

/// Those who wait, without a clock of its own.
#[derive(Debug)]
struct Line<C> {
    pacer: Pacer,
    /// In the order in which they came.
    waiting: Vec<Waiting<C>>,
    in_flight: usize,
    places: usize,
    /// How many new ones have gone since one that goes on, up to [`NEW_FOR_EACH`].
    new: u8,
    /// Whether somebody calls.
    is_called: bool,
}

#[derive(Debug)]
struct Waiting<C> {
    scope: Scope,
    urgency: Urgency,
    caller: C,
}

/// What comes next in a line.
#[derive(Debug, PartialEq)]
enum Next<C> {
    Goes(C),
    /// Graph wants to be left alone for so long.
    Never(C, Duration),
    NotBefore(Instant),
    WithAPlace,
    Nobody,
}

impl<C: Caller> Line<C> {
    fn new(pacer: Pacer, places: usize) -> Self {
        Self { pacer, waiting: Vec::new(), in_flight: 0, places, new: 0, is_called: false }
    }

    /// Somebody comes. Gives whether nobody calls yet.
    fn join(&mut self, scope: Scope, urgency: Urgency, caller: C) -> bool {
        self.waiting.push(Waiting { scope, urgency, caller });
        !std::mem::replace(&mut self.is_called, true)
    }

    /// Who goes now: of those whose budgets allow it, the most urgent.
    fn next(&mut self, now: Instant) -> Next<C> {
        self.waiting.retain(|waiting| !waiting.caller.is_gone());
        if self.waiting.is_empty() {
            self.is_called = false;
            return Next::Nobody;
        }
        let closed = |waiting: &Waiting<C>| self.pacer.closed(&waiting.scope, now);
        if let Some((at, wait)) = self.waiting.iter().enumerate().find_map(|(at, waiting)| Some((at, closed(waiting)?))) {
            return Next::Never(self.waiting.remove(at).caller, wait);
        }
        if self.in_flight >= self.places {
            return Next::WithAPlace;
        }
        let (mut first, mut not_before) = (None, None);
        for (at, waiting) in self.waiting.iter().enumerate() {
            let free = self.pacer.free(&waiting.scope, now);
            if free > now {
                not_before = Some(not_before.map_or(free, |time: Instant| time.min(free)));
            } else if first.is_none_or(|first| self.is_before(waiting.urgency, first)) {
                first = Some((at, waiting.urgency));
            }
        }
        let Some((at, _)) = first else { return not_before.map_or(Next::Nobody, Next::NotBefore) };
        let waiting = self.waiting.remove(at);
        self.pacer.spend(&waiting.scope, now);
        self.in_flight += 1;
        self.new = if waiting.urgency.goes_on() { 0 } else { (self.new + 1).min(NEW_FOR_EACH) };
        Next::Goes(waiting.caller)
    }

    /// Whether one goes before another who came earlier. A long list cannot be known before it is opened, so that lists must be opened soon;
    /// and those that are known to be long must not wait until all are open. Of these the longest goes first: it decides when all ends.
    fn is_before(&self, one: Urgency, (_, other): (usize, Urgency)) -> bool {
        match (one, other) {
            (Urgency::Remains(one), Urgency::Remains(other)) => one > other,
            _ => one.goes_on() != other.goes_on() && one.goes_on() == (self.new >= NEW_FOR_EACH),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Urgency::*;
    use super::*;
    use crate::{graph::Class, level::Partition};

    impl Caller for &str {
        fn is_gone(&self) -> bool {
            self.starts_with("gone")
        }
    }

    fn scope(team: &str, channel: &str) -> Scope {
        Scope::new(&Class::MESSAGES, &Partition::channel(team, channel))
    }

    fn line(pace: f64, places: usize) -> Line<&'static str> {
        Line::new(Pacer::new(pace, None), places)
    }

    /// The order in which all go that wait, each as soon as it may.
    fn order(line: &mut Line<&'static str>, mut now: Instant) -> Vec<&'static str> {
        std::iter::from_fn(|| {
            loop {
                match line.next(now) {
                    Next::Goes(caller) => return Some(caller),
                    Next::NotBefore(time) => now = time,
                    Next::Never(..) | Next::WithAPlace | Next::Nobody => return None,
                }
            }
        })
        .collect()
    }

    #[test]
    fn three_new_ones_go_for_each_that_goes_on_and_of_these_the_longest_first() {
        let mut line = line(1.0, 64);
        let new = [("a", Opens), ("b", Leads), ("c", Opens), ("d", Opens)];
        let waiting = new.into_iter().chain([("short", Remains(1.0)), ("long", Remains(400.0)), ("longer", Remains(500.0))]);
        for (caller, urgency) in waiting {
            line.join(scope(caller, caller), urgency, caller);
        }
        assert_eq!(order(&mut line, Instant::now()), ["a", "b", "c", "longer", "d", "long", "short"]);
    }

    #[test]
    fn while_one_channel_waits_for_its_second_others_go() {
        let (mut line, now) = (line(1.0, 64), Instant::now());
        for (channel, caller) in [("1", "one"), ("1", "another of the same"), ("2", "other")] {
            line.join(scope("t", channel), Remains(9.0), caller);
        }
        assert_eq!(line.next(now), Next::Goes("one"));
        let Next::NotBefore(second) = line.next(now) else { panic!("a team has four a second") };
        assert_eq!(line.next(second), Next::Goes("other"));
        let Next::NotBefore(third) = line.next(second) else { panic!("a channel has one a second") };
        assert!(third - now >= Duration::from_secs(1));
        assert_eq!(line.next(third), Next::Goes("another of the same"));
        assert_eq!(line.next(third), Next::Nobody);
    }

    #[test]
    fn without_a_place_nobody_goes_and_whoever_is_gone_takes_none() {
        let (mut line, now) = (line(f64::INFINITY, 1), Instant::now());
        assert!(line.join(scope("t", "1"), Opens, "gone"));
        assert!(!line.join(scope("t", "2"), Opens, "here"));
        line.join(scope("t", "3"), Opens, "next");
        assert_eq!(line.next(now), Next::Goes("here"));
        assert_eq!(line.next(now), Next::WithAPlace);
        line.in_flight -= 1;
        assert_eq!(line.next(now), Next::Goes("next"));
        line.in_flight -= 1;
        assert_eq!(line.next(now), Next::Nobody);
        assert!(line.join(scope("t", "4"), Opens, "first again"));
    }

    #[test]
    fn whoever_wants_what_is_closed_is_told_at_once_whether_there_is_a_place_or_not() {
        let (mut line, now, wait) = (line(1.0, 0), Instant::now(), Duration::from_secs(7200));
        line.pacer.throttled(&scope("t", "1"), Some(wait), now);
        for (channel, caller) in [("2", "open"), ("1", "closed")] {
            line.join(scope("t", channel), Opens, caller);
        }
        assert_eq!(line.next(now), Next::Never("closed", wait));
        assert_eq!(line.next(now), Next::WithAPlace);
    }

    proptest! {
        #[test]
        fn all_go_once_and_never_more_side_by_side_than_there_are_places(
            waiting in prop::collection::vec((0_u8..3, 0_u8..9, 0_u8..3), 1..60),
            places in 1_usize..8,
        ) {
            let (mut line, mut now) = (line(10.0, places), Instant::now());
            for &(team, channel, kind) in &waiting {
                let urgency = [Leads, Opens, Remains(f64::from(channel))][usize::from(kind)];
                line.join(scope(&team.to_string(), &format!("{team}.{channel}")), urgency, "");
            }
            let mut gone = 0;
            loop {
                match line.next(now) {
                    Next::Goes(_) => gone += 1,
                    Next::NotBefore(time) => {
                        prop_assert!(time > now);
                        now = time;
                    }
                    Next::WithAPlace => {
                        prop_assert_eq!(line.in_flight, places);
                        line.in_flight = 0;
                    }
                    Next::Never(..) | Next::Nobody => break,
                }
                prop_assert!(line.in_flight <= places);
            }
            prop_assert_eq!(gone, waiting.len());
        }
    }
}
