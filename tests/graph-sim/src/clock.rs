//! The simulated clock: `Date` headers, times of changes, lifetimes of tokens and the limits' windows follow it.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::time::Time;

/// Simulated time = base + elapsed real time × speed. With speed 0, only tests move the clock.
#[derive(Debug)]
pub struct Clock(Mutex<State>);

#[derive(Debug)]
struct State {
    base: Time,
    since: Instant,
    speed: f64,
}

impl State {
    fn now(&self) -> Time {
        self.base.plus(self.since.elapsed().mul_f64(self.speed))
    }

    /// Restarts from now, so that a new speed does not apply to the past.
    fn rebase(&mut self, base: Time) {
        self.base = base;
        self.since = Instant::now();
    }
}

impl Clock {
    pub fn new(start: Time, speed: f64) -> Clock {
        Clock(Mutex::new(State { base: start, since: Instant::now(), speed: valid(speed) }))
    }

    pub fn now(&self) -> Time {
        self.state().now()
    }

    /// Jumps to `time`, forward or backward.
    pub fn set(&self, time: Time) {
        self.state().rebase(time);
    }

    pub fn advance(&self, duration: Duration) {
        let mut state = self.state();
        let now = state.now();
        state.rebase(now.plus(duration));
    }

    /// 0 stops the clock.
    pub fn set_speed(&self, speed: f64) {
        let mut state = self.state();
        let now = state.now();
        state.rebase(now);
        state.speed = valid(speed);
    }

    pub fn speed(&self) -> f64 {
        self.state().speed
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn valid(speed: f64) -> f64 {
    if speed.is_finite() { speed.clamp(0.0, 1e6) } else { 1.0 }
}
