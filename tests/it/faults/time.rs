//! Wrong clocks, missing or impossible dates.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use graph_sim::{Fault, Options, Post, Rule, Time};
use serde_json::json;

use crate::incremental::{BOTH, DAY, HOUR, MESSAGES, REPLIES, Reader, reader, spec};

pub(super) fn now() -> Time {
    Time::from_millis(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap())
}

/// Runs with changes in between, one of them just before the first run ends. Nothing is lost, and only records within the lookback are
/// repeated.
fn check(options: Options, delta: bool, fault: Option<&Fault>) {
    let is_ahead_of_us = options.start > now();
    let streams: &[&str] = if delta { &[MESSAGES] } else { &[MESSAGES, REPLIES] };
    let mut reader = Reader::new(options).streams(streams).with(json!({"use_delta_api": delta, "lookback_seconds": 60}));
    if let Some(fault) = fault {
        reader.sim.inject(Rule::new(fault.clone()));
    }
    reader.read();
    reader.assert_complete();
    for turn in 0..3 {
        let root = reader.post(&format!("new {turn}"));
        reader.reply(&root, "new");
        let old = reader.roots().pop().unwrap();
        reader.edit(&old, &format!("edited {turn}"));
        let run = reader.read();
        assert!(run.emits(&root) && run.emits(&old), "{turn}");
        reader.assert_complete();
        if fault.is_none() {
            // Records within the lookback are repeated once, or by each run while our clock is behind.
            for most in [3, if is_ahead_of_us { 3 } else { 0 }] {
                reader.later(HOUR);
                let emitted = reader.read().emitted_total();
                assert!(emitted <= most, "{turn}: {emitted}");
            }
        }
    }
}

#[test]
fn nothing_is_lost_whatever_our_clock_shows() {
    let years = DAY * 365 * 5;
    for start in [now().minus(years), now().minus(HOUR * 7), now().plus(HOUR * 7), now().plus(years)] {
        for delta in [false, true] {
            check(Options { start, ..Options::new(spec(1, 20)).manual_clock() }, delta, None);
        }
    }
}

#[test]
fn a_response_without_a_date_is_accepted() {
    for date in ["", "yesterday", "0", "Fri, 31 Feb 2026 10:00:00 GMT", "Mon, 31 Dec 262142 23:59:59 GMT"] {
        for delta in [false, true] {
            let options = Options { start: now().minus(HOUR), clock_speed: 1.0, ..Options::new(spec(1, 20)) };
            check(options, delta, Some(&Fault::Date(date.to_owned())));
        }
    }
}

/// Impossible dates of messages.
const IMPOSSIBLE: [&str; 8] = [
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.9999999Z",
    "2040-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "2026-02-30T00:00:00Z",
    "+12026-01-01T00:00:00Z",
    "now",
    "",
];

#[test]
fn impossible_dates_neither_stop_a_walk_nor_hide_later_messages() {
    for (protocol, delta) in BOTH.into_iter().flat_map(|protocol| [(protocol, false), (protocol, true)]) {
        let mut reader = reader(40).with_protocol(protocol).with(json!({"use_delta_api": delta, "top": 10}));
        let (channel, above) = (reader.channel(), reader.post("a thread"));
        for date in IMPOSSIBLE {
            for name in ["lastModifiedDateTime", "deletedDateTime", "lastEditedDateTime", "createdDateTime"] {
                let mut message = json!({"id": "$ID$", "lastModifiedDateTime": "$TIME$", "createdDateTime": "$TIME$"});
                message[name] = date.into();
                let message = message.to_string();
                reader.sim.with_tenant(|tenant| {
                    tenant.post(&channel, Post::template(message.clone())).unwrap();
                    tenant.reply(&above, Post::template(message)).unwrap();
                });
            }
        }
        reader.read();
        reader.assert_complete();
        for turn in 0..3 {
            let now = reader.sim.clock().now().to_string();
            for stream in [MESSAGES, REPLIES] {
                let cursor = reader.state(stream, &channel)["lastModifiedDateTime"].as_str().unwrap().to_owned();
                assert!(cursor[..19] <= now[..19], "{cursor} is beyond Graph's clock, {now}");
            }
            reader.later(HOUR + Duration::from_secs(turn));
            let oldest = reader.roots().pop().unwrap();
            reader.edit(&oldest, &format!("edited {turn}"));
            let new = [reader.post("new"), reader.reply(&above, "new")];
            let run = reader.read();
            assert!(new.iter().chain([&oldest]).all(|message| run.emits(message)), "{turn}");
            reader.assert_complete();
        }
    }
}
