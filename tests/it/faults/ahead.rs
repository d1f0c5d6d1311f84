//! Responses with a future `Date`: later than our clock and all messages, in this run or in the run that wrote the state.

use std::time::Duration;

use graph_sim::{Class, Fault, Host, Options, Post, Rule};
use serde_json::{Value, json};

use super::time::now;
use crate::incremental::{DAY, HOUR, MESSAGES, REPLIES, Reader, Run, spec};

const MINUTE: Duration = Duration::from_secs(60);

/// How far the `Date` is ahead: within the overlap of delta, within the time between two walks, and far beyond.
const OFFSETS: [Duration; 3] = [MINUTE.saturating_mul(20), HOUR.saturating_mul(20), DAY.saturating_mul(3652)];

/// The selected streams, and whether delta is used.
const WAYS: [(&[&str], bool); 5] =
    [(&[MESSAGES], true), (&[MESSAGES], false), (&[MESSAGES, REPLIES], true), (&[MESSAGES, REPLIES], false), (&[REPLIES], true)];

/// A channel with this many messages, in a tenant whose clock is ahead of this machine by this much.
fn reader((streams, use_delta_api): (&[&'static str], bool), messages: usize, later: Duration) -> Reader {
    let start = now().plus(later).minus(HOUR);
    let options = Options { start, ..Options::new(spec(1, messages)).manual_clock() };
    Reader::new(options).streams(streams).with(json!({"use_delta_api": use_delta_api}))
}

/// Runs once while all responses have a `Date` this far ahead.
fn read_dated(reader: &mut Reader, ahead: Duration) -> Run {
    reader.sim.inject(Rule::new(Fault::DatedAhead(ahead.as_secs())).host(Host::Graph));
    let run = reader.read();
    reader.sim.clear_faults();
    run
}

/// The next run reads messages that are posted, or become visible, after the previous run.
fn assert_continued(reader: &mut Reader, case: &str) {
    for turn in 0..2 {
        let root = reader.post(&format!("newest {turn}"));
        reader.reply(&root, "with a reply");
        reader.read();
        let (channel, to) = (reader.channel(), reader.roots().pop().unwrap());
        let ago = |text: &'static str| {
            reader.sim.with_tenant(|tenant| {
                tenant.ago(MINUTE / 2, |tenant| {
                    tenant.post(&channel, Post::text(text)).unwrap();
                    tenant.reply(&to, Post::text(text)).unwrap();
                });
            });
        };
        ago("visible a moment after its time");
        let new = reader.post(&format!("new {turn}"));
        let run = reader.read();
        assert!(run.emits(&new) || !reader.streams.contains(&MESSAGES), "{case}, turn {turn}");
        reader.assert_complete();
    }
}

#[test]
fn messages_after_a_run_with_future_dates_are_read_by_the_next_run() {
    for (way, ahead) in WAYS.into_iter().flat_map(|way| OFFSETS.map(|ahead| (way, ahead))) {
        for runs in 1..=2 {
            let mut reader = reader(way, 20, Duration::ZERO);
            let case = format!("{way:?}, {runs} runs dated {ahead:?} ahead");
            for _ in 0..runs {
                reader.post("the newest one");
                read_dated(&mut reader, ahead);
                assert!(dates(&reader).all(|date| date <= now().secs()), "{case}: the state is of a time that has not come yet");
                // Older than the newest message that was read.
                let channel = reader.channel();
                reader.sim.with_tenant(|tenant| {
                    tenant.ago(MINUTE / 2, |tenant| tenant.post(&channel, Post::text("late"))).unwrap();
                });
            }
            reader.read();
            reader.assert_complete();
            assert_continued(&mut reader, &case);
        }
    }
}

#[test]
fn a_configured_thread_reads_replies_that_follow_a_run_with_future_dates() {
    for ahead in OFFSETS {
        let reader = reader((&[REPLIES], true), 3, Duration::ZERO);
        let root = reader.post("a thread");
        let mut reader = reader.with(json!({"fetch_all_messages": false, "message_id": root.id_text()}));
        for turn in 0..2 {
            reader.reply(&root, "the newest one");
            read_dated(&mut reader, ahead);
            assert!(dates(&reader).all(|date| date <= now().secs()), "{ahead:?}, turn {turn}");
            let late = reader.sim.with_tenant(|tenant| tenant.ago(MINUTE / 2, |tenant| tenant.reply(&root, Post::text("late"))));
            let run = reader.read();
            assert!(run.emits(&late.unwrap()), "{ahead:?}, turn {turn}");
        }
    }
}

/// Calls `change` with each time of Graph's clock in a state. All numbers except the version are such times.
fn each_date(state: &mut Value, visit: &mut impl FnMut(&mut Value)) {
    match state {
        Value::Object(members) => members.iter_mut().filter(|(name, _)| *name != "version").for_each(|(_, value)| each_date(value, visit)),
        Value::Array(items) => items.iter_mut().for_each(|item| each_date(item, visit)),
        Value::Number(_) => visit(state),
        _ => {}
    }
}

fn dates(reader: &Reader) -> impl Iterator<Item = i64> {
    let mut dates = Vec::new();
    reader.states.values().for_each(|state| each_date(&mut state.clone(), &mut |date| dates.extend(date.as_i64())));
    dates.into_iter()
}

#[test]
fn a_state_with_future_times_recovers() {
    for (way, &ahead) in WAYS.into_iter().flat_map(|way| OFFSETS[1..].iter().map(move |ahead| (way, ahead))) {
        // After a walk, after rounds of delta, and in the middle of a walk.
        for runs in [1, 3, 0] {
            let mut reader = reader(way, 20, Duration::ZERO);
            let case = format!("{way:?}, after {runs} runs, {ahead:?} ahead");
            if runs == 0 {
                reader.set(json!({"top": 4}));
                reader.fail_at(3);
            }
            for _ in 0..runs {
                reader.post("the newest one");
                reader.read();
            }
            let follows = reader.states.get(MESSAGES).is_some_and(|state| state.to_string().contains("deltaLink"));
            // As earlier versions wrote them after responses with a future `Date`.
            let shift = |date: &mut Value| *date = json!(date.as_i64().unwrap() + ahead.as_secs() as i64);
            reader.states.values_mut().for_each(|state| each_date(state, &mut shift.clone()));
            let (channel, new) = (reader.channel(), reader.post("new"));
            reader.sim.with_tenant(|tenant| tenant.ago(MINUTE / 2, |tenant| tenant.post(&channel, Post::text("late"))).unwrap());
            let run = reader.read();
            assert!(run.emits(&new) || !reader.streams.contains(&MESSAGES), "{case}");
            reader.assert_complete();
            // The link may be of a first round with a filter in the future.
            let opens = run.requests(Class::Delta).first().is_some_and(|request| request.query.starts_with("$filter"));
            assert!(opens || !follows, "{case}");
            assert_continued(&mut reader, &case);
        }
    }
}

#[test]
fn a_full_refresh_resumes_whatever_our_clock_shows() {
    for start in [now().minus(DAY * 8), now().plus(DAY * 8)] {
        let options = Options { start, ..Options::new(spec(4, 20)).manual_clock() };
        let mut reader = Reader { full_refresh: true, ..Reader::new(options).with(json!({"max_concurrent_threads": 1})) };
        // Each channel's messages show a different time of Graph's clock.
        for (hours, channel) in reader.channels().into_iter().enumerate().rev() {
            reader.later(HOUR * hours as u32);
            reader.sim.with_tenant(|tenant| tenant.post(&channel, Post::text("new"))).unwrap();
        }
        let mut emitted = 0;
        for _ in 0..3 {
            let run = reader.run_until(|request| request.class == Class::Messages && request.class_number == 2, "TERM");
            emitted += run.emitted(MESSAGES);
        }
        emitted += reader.read().emitted(MESSAGES);
        assert_eq!(emitted, 84, "{start}: each message once, in four runs");
        reader.assert_complete();
    }
}

#[test]
fn a_slow_clock_repeats_the_newest_messages_without_more_requests() {
    for (way, behind) in WAYS.into_iter().flat_map(|way| [MINUTE * 4, HOUR * 7].map(|behind| (way, behind))) {
        let mut reader = reader(way, 25, behind);
        let channel = reader.channel();
        for turn in (1..=6).rev() {
            reader.sim.with_tenant(|tenant| {
                tenant.ago(MINUTE * 20 * turn, |tenant| {
                    let root = tenant.post(&channel, Post::text("earlier")).unwrap();
                    tenant.reply(&root, Post::text("earlier")).unwrap();
                });
            });
        }
        for _ in 0..3 {
            reader.read();
        }
        reader.assert_complete();
        // Without new messages for 20 minutes, only a clock that is further behind makes a difference.
        let idle = reader.read();
        assert!(idle.emitted_total() <= if behind > HOUR { 2 } else { 0 }, "{way:?}, {behind:?}: {}", idle.emitted_total());
        let root = reader.post("new");
        reader.reply(&root, "new");
        reader.read();
        for turn in 0..10 {
            reader.later(MINUTE / 2);
            let run = reader.read();
            let emitted = run.emitted_total();
            assert!(
                emitted <= 2 && run.message_requests() <= idle.message_requests(),
                "{way:?}, {behind:?}, turn {turn}: {emitted} records, {} requests",
                run.message_requests()
            );
        }
        reader.assert_complete();
    }
}
