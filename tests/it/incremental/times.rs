//! Times from Graph: equal, in every precision, missing, and from another clock than ours.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use graph_sim::{Options, Post, Time};
use serde_json::json;

use super::{BOTH, HOUR, MESSAGES, REPLIES, Reader, reader, spec};

#[test]
fn two_changes_in_one_millisecond_are_emitted_by_two_runs() {
    for (lookback, use_delta_api) in [(0, false), (300, false), (0, true)] {
        let mut reader = reader(10).with(json!({"lookback_seconds": lookback, "use_delta_api": use_delta_api}));
        let (channel, moment) = (reader.channel(), reader.sim.clock().now());
        let one = reader.post("one");
        reader.read();
        reader.sim.with_tenant(|tenant| {
            tenant.at(moment, |tenant| {
                tenant.post(&channel, Post::text("another")).unwrap();
                tenant.reply(&one, Post::text("and a reply")).unwrap();
            });
        });
        reader.later(HOUR);
        reader.read();
        reader.assert_complete();
    }
}

#[test]
fn messages_with_the_same_time_on_many_pages_are_emitted_once_each() {
    for protocol in BOTH {
        let mut reader = reader(10).with_protocol(protocol).with(json!({"top": 7, "use_delta_api": false}));
        let (channel, moment) = (reader.channel(), reader.sim.clock().now());
        reader.sim.with_tenant(|tenant| {
            for number in 0..40 {
                // A change by the back end gives many messages the same time.
                let at = tenant.post(&channel, Post::text(format!("{number}"))).unwrap();
                tenant.at(moment, |tenant| tenant.edit(&at, "touched")).unwrap();
            }
        });
        reader.later(HOUR);
        let run = reader.read();
        assert_eq!(run.emitted(MESSAGES), 50);
        reader.assert_complete();
        reader.later(HOUR);
        // The messages at the cursor itself were emitted.
        assert_eq!(reader.read().emitted_total(), 0);
    }
}

#[test]
fn a_clock_that_is_five_minutes_off_loses_nothing() {
    let machine = Time::from_millis(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap());
    let off = Duration::from_secs(300);
    for start in [machine.minus(off), machine.plus(off)] {
        for (streams, use_delta_api) in [(&[MESSAGES, REPLIES][..], false), (&[MESSAGES], true)] {
            let options = Options { start, ..Options::new(spec(1, 20)) };
            let mut reader = Reader::new(options).streams(streams).with(json!({"use_delta_api": use_delta_api}));
            let channel = reader.channel();
            for turn in 0..2 {
                let root = reader.post("new");
                reader.edit(&reader.roots()[10 + turn], "edited");
                reader.read();
                reader.assert_complete();
                // It becomes visible nearly one lookback after its time; with a fast clock it would be too old.
                reader.sim.with_tenant(|tenant| {
                    tenant.ago(off - Duration::from_secs(30), |tenant| {
                        tenant.post(&channel, Post::text("late")).unwrap();
                        tenant.reply(&root, Post::text("late")).unwrap();
                    });
                });
                reader.read();
                reader.assert_complete();
            }
        }
    }
}

#[test]
fn every_digit_of_a_time_counts() {
    const DIGITS: [i64; 8] = [0, 1_000_000, 1_200_000, 1_230_000, 1_234_000, 1_234_500, 1_234_560, 1_234_567];
    for protocol in BOTH {
        let mut reader = reader(24).with_protocol(protocol).with(json!({"use_delta_api": false, "lookback_seconds": 0}));
        let roots = reader.roots();
        let moment = reader.sim.clock().now();
        for (root, ticks) in roots.iter().zip(DIGITS) {
            reader.sim.with_tenant(|tenant| tenant.at(moment.plus_ticks(ticks), |tenant| tenant.edit(root, "edited"))).unwrap();
        }
        reader.later(HOUR);
        reader.read();
        reader.assert_complete();
        // Nothing is above the last of them: a message that is 100 ns newer is new, however late it becomes visible.
        let last = moment.plus_ticks(DIGITS[7]);
        reader.sim.with_tenant(|tenant| tenant.at(last.plus_ticks(1), |tenant| tenant.edit(&roots[20], "a moment later"))).unwrap();
        let run = reader.read();
        assert_eq!((run.emitted(MESSAGES), run.emits(&roots[20])), (1, true));
        reader.assert_complete();
        reader.later(HOUR);
        assert_eq!(reader.read().emitted_total(), 0);
    }
}

fn post_with_times(times: &str) -> Post {
    Post::template(format!(
        r#"{{"id":"$ID$","replyToId":null,"messageType":"message",{times},"from":null,"body":{{"contentType":"text","content":""}}}}"#
    ))
}

#[test]
fn messages_without_a_time_are_emitted_and_neither_stop_the_walk_nor_move_the_cursor() {
    let unknown = [
        r#""lastModifiedDateTime":null"#,
        r#""lastModifiedDateTime":"0001-01-01T00:00:00Z""#,
        r#""lastModifiedDateTime":"0001-01-01T00:00:00Z","lastEditedDateTime":null,"deletedDateTime":"0001-01-01T00:00:00""#,
        r#""lastModifiedDateTime":"soon""#,
        r#""subject":"without any""#,
    ];
    for protocol in BOTH {
        let mut reader = reader(12).with_protocol(protocol).with(json!({"top": 4, "use_delta_api": false}));
        reader.read();
        let channel = reader.channel();
        reader.later(HOUR);
        // New messages alternate with messages without a time, so that some of these are last on their pages.
        let mut odd = Vec::new();
        for times in unknown.iter().cycle().take(10) {
            reader.post("new");
            reader.later(Duration::from_secs(60));
            odd.push(reader.sim.with_tenant(|tenant| tenant.post(&channel, post_with_times(times))).unwrap());
            reader.later(Duration::from_secs(60));
        }
        let newest = reader.post("the newest one that has a time");
        let cursor = reader.sim.clock().now();
        reader.later(Duration::from_secs(60));
        let reply = reader.sim.with_tenant(|tenant| tenant.reply(&newest, post_with_times(unknown[4]))).unwrap();
        reader.later(HOUR);
        let run = reader.read();
        assert!(odd.iter().chain([&reply]).all(|message| run.emits(message)));
        reader.assert_complete();
        for stream in [MESSAGES, REPLIES] {
            assert_eq!(reader.state(stream, &channel)["lastModifiedDateTime"], json!(cursor.to_string()), "{stream}");
        }
        // They may be new each time; nothing else is repeated.
        reader.later(HOUR);
        let run = reader.read();
        assert!(run.emitted(MESSAGES) <= 10 && run.emitted(REPLIES) <= 1, "{:?}", run.output.counts());
    }
}
