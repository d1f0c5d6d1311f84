//! Random histories: whatever changes, fails, expires or is killed, the destination ends up equal to the tenant.
//!
//! `HISTORIES=5000 cargo test --test it histories::nothing -- --nocapture` plays more of them, `HISTORY_SEED=17` repeats one,
//! `HISTORY_LOGS=folder` keeps the logs of failures.

mod economy;
mod history;
mod prefixes;
mod tally;

use std::{
    env, fs,
    ops::Range,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use scenario::plan::Plan;

use self::{
    history::{Sabotage, play},
    tally::Tally,
};

/// The default number of histories.
const HISTORIES: u64 = 40;

/// More threads than cores, because histories wait for the tap, which waits for its retries.
const THREADS: usize = 6;

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value}")))
}

/// Plays each of these on several threads; returns the failures in order.
fn in_parallel(range: Range<u64>, act: impl Fn(u64) -> Result<(), String> + Sync) -> Vec<(u64, String)> {
    let (next, failures) = (AtomicU64::new(range.start), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(number) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|number| *number < range.end) {
                    if let Err(wrong) = act(number) {
                        failures.lock().unwrap().push((number, wrong));
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort_unstable();
    failures
}

#[test]
fn nothing_that_graph_reports_is_lost_in_any_history() {
    let (first, count) = match number("HISTORY_SEED") {
        Some(seed) => (seed, number("HISTORIES").unwrap_or(1)),
        None => (0, number("HISTORIES").unwrap_or(HISTORIES)),
    };
    let tally = Mutex::new(Tally::default());
    let failures = in_parallel(first..first + count, |seed| {
        let played = play(&Plan::new(seed), Sabotage::None).inspect_err(|log| keep(seed, log))?;
        tally.lock().unwrap().add(played);
        Ok(())
    });
    println!("{}", tally.into_inner().unwrap());
    if let Some((_, log)) = failures.first() {
        panic!("{log}\n{} of {count} histories fail, this is the first", failures.len());
    }
}

/// Prints the problem immediately, because thousands of histories take long, and keeps the log if requested.
#[allow(clippy::print_stdout, reason = "a test prints its findings")]
fn keep(seed: u64, log: &str) {
    println!("{}", wrong(log));
    if let Ok(folder) = env::var("HISTORY_LOGS") {
        fs::write(format!("{folder}/{seed}.log"), log).unwrap();
    }
}

/// The problem without the log before it.
fn wrong(log: &str) -> &str {
    log.rsplit_once("\n\n").map_or(log, |(_, wrong)| wrong)
}

/// At least one of these histories with a deliberate error must fail.
#[track_caller]
fn assert_noticed(sabotage: Sabotage, says: &str) {
    let is_noticed = |seed| play(&Plan::new(seed), sabotage).is_err_and(|log| wrong(&log).contains(says));
    assert!((0..20).any(is_noticed), "{sabotage:?} is not noticed");
}

#[test]
fn a_lost_row_is_noticed() {
    assert_noticed(Sabotage::LoseRow, "is missing");
}

#[test]
fn an_old_row_is_noticed() {
    assert_noticed(Sabotage::KeepOldRow, " instead of ");
}

#[test]
fn a_state_without_its_records_is_noticed() {
    assert_noticed(Sabotage::StateWithoutRecords, "is missing");
}

#[test]
fn needless_repeats_are_noticed() {
    assert_noticed(Sabotage::ForgetState, "repeats without a reason");
}
