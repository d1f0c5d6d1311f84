//! Invalid response bodies and contents.

use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader},
    process::Stdio,
    thread,
};

use graph_sim::{Class, Fault, GraphSim, MessageRef, Post, Rule};
use serde_json::{Value, json};

use super::{ROUTES, with_threads};
use crate::{
    incremental::{BOTH, DAY, HOUR, MESSAGES, REPLIES, Reader, Run, reader},
    support::{ALL, Protocol, Tap, config, configured, everything, in_parallel, tenant, truth},
};

fn json_body(body: &str) -> Fault {
    Fault::respond(200, &[("Content-Type", "application/json")], body)
}

/// Bodies that are neither a page nor an object.
fn invalid_pages() -> [(&'static str, Fault); 12] {
    [
        ("cut short", Fault::Truncate),
        ("half of the JSON", Fault::MalformedJson),
        ("HTML", Fault::Html { status: 200 }),
        ("empty", Fault::Empty { status: 200 }),
        ("damaged gzip", Fault::BrokenGzip),
        ("an error inside a 200", Fault::ErrorIn200),
        ("no value", json_body(r#"{"values":[]}"#)),
        ("a value that is no list", json_body(r#"{"value":{"id":"1"}}"#)),
        ("an object without an id", json_body(r#"{"displayName":"x"}"#)),
        ("null", json_body("null")),
        ("a part of a page", Fault::Partial),
        ("data after the page", json_body(r#"{"id":"1","value":[]},"#)),
    ]
}

#[test]
fn an_invalid_page_is_requested_again_and_then_reported() {
    let check = |what: &str, fault: Fault| {
        let sim = with_threads();
        let read = || Tap::new(&config(&sim, everything())).read(&ALL);
        for (class, _) in ROUTES {
            sim.inject(Rule::new(fault.clone()).class(class).times(1));
        }
        let output = read();
        assert_eq!((output.status, sim.faults_applied()), (Some(0), 6), "{what}: {:?}", output.errors());
        for stream in ALL {
            truth::assert_equal(stream, &output.table(stream), &truth::table(&sim.truth(), stream));
        }
        let mut reported = String::new();
        // Faults that do not affect each other share a run.
        let runs: [&[Class]; 4] =
            [&[Class::Groups], &[Class::Channels, Class::Team, Class::Members], &[Class::Messages], &[Class::Replies]];
        for classes in runs {
            sim.clear_faults();
            classes.iter().for_each(|&class| sim.inject(Rule::new(fault.clone()).class(class)));
            let output = read();
            let fails: BTreeSet<_> =
                ROUTES.into_iter().filter(|(class, _)| classes.contains(class)).flat_map(|(_, streams)| streams).copied().collect();
            assert_eq!(output.status, Some(1), "{what} {classes:?}");
            for stream in ALL {
                let status = if fails.contains(stream) { "INCOMPLETE" } else { "COMPLETE" };
                assert_eq!(output.statuses(stream).last(), Some(&status), "{what} {classes:?} {stream}");
            }
            let mut errors = output.errors();
            assert_eq!(errors.iter().map(|error| error.1).collect::<BTreeSet<_>>(), fails, "{what} {classes:?}");
            errors.sort_unstable_by_key(|error| error.1);
            for (kind, _, text) in &errors {
                assert!(*kind == "transient_error" && text.contains("tried 7 times"), "{what} {classes:?}: {text}");
            }
            reported += &format!("    {}\n", errors[0].2);
        }
        reported
    };
    let reported = thread::scope(|scope| {
        let cases: Vec<_> = invalid_pages().into_iter().map(|(what, fault)| (what, scope.spawn(move || check(what, fault)))).collect();
        cases.into_iter().map(|(what, case)| format!("{what}:\n{}", case.join().unwrap())).collect::<String>()
    });
    insta::with_settings!({filters => vec![(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<guid>"),
        (r"19:[0-9a-zA-Z_-]+@thread\.(tacv2|skype)", "<channel>"), (r"thread [0-9]+", "thread <id>"), (r"messages/[0-9]+", "messages/<id>"),
        (r"ends too early, at line 1, column [0-9]+ of [0-9]+ bytes", "ends too early, at line 1, column <n> of <n> bytes")]}, {
        insta::assert_snapshot!(reported);
    });
}

#[test]
fn an_invalid_delta_page_loses_nothing_and_is_no_error() {
    thread::scope(|scope| {
        for (number, (what, fault)) in invalid_pages().into_iter().enumerate() {
            scope.spawn(move || {
                let streams: [&[&'static str]; 2] = [&[MESSAGES], &[MESSAGES, REPLIES]];
                let mut reader = reader(10).with_protocol(BOTH[number % 2]).streams(streams[number / 2 % 2]);
                for _ in 0..2 {
                    reader.read();
                    reader.later(HOUR);
                }
                reader.post("new");
                reader.later(HOUR);
                reader.sim.inject(Rule::new(fault).class(Class::Delta));
                let run = reader.read();
                assert!(run.request_count(Class::Delta) >= 7, "{what}");
                assert!(!run.warnings("delta").is_empty(), "{what}");
                reader.assert_complete();
                reader.sim.clear_faults();
                reader.later(DAY);
                reader.post("newer");
                reader.read();
                reader.assert_complete();
            });
        }
    });
}

#[test]
fn several_gzip_streams_and_byte_order_marks_are_read() {
    for fault in [Fault::GzipMembers, Fault::ByteOrderMark] {
        let sim = with_threads();
        sim.inject(Rule::new(fault.clone()));
        let output = Tap::new(&config(&sim, everything())).read(&ALL);
        assert_eq!(output.status, Some(0), "{fault:?}: {:?}", output.errors());
        for stream in ALL {
            truth::assert_equal(stream, &output.table(stream), &truth::table(&sim.truth(), stream));
        }
    }
    // An error response is read too.
    let sim = with_threads();
    let refusal = "\u{feff}{\"error\":{\"code\":\"Forbidden\",\"message\":\"Not here.\"}}";
    sim.inject(Rule::new(Fault::respond(403, &[], refusal)).class(Class::Members));
    let output = Tap::new(&config(&sim, everything())).read(&["members"]);
    assert!(output.errors()[0].2.contains("(Forbidden: Not here."), "{:?}", output.errors());
}

#[test]
fn the_content_type_of_a_page_is_ignored() {
    let sim = with_threads();
    for content_type in ["text/html; charset=utf-16", "text/plain", "application/octet-stream", "no type", ""] {
        sim.clear_faults();
        sim.inject(Rule::new(Fault::ContentType(content_type.to_owned())));
        let output = Tap::new(&config(&sim, everything())).read(&ALL);
        assert_eq!(output.status, Some(0), "{content_type}: {:?}", output.errors());
        for stream in ALL {
            truth::assert_equal(stream, &output.table(stream), &truth::table(&sim.truth(), stream));
        }
    }
}

/// Whether the run reported damaged items. It must report nothing else and emit all other items.
fn reports_damage(run: &Run) -> bool {
    match run.output.protocol {
        Protocol::Airbyte => {
            let errors = run.output.errors();
            assert!(errors.iter().all(|(kind, _, text)| *kind == "system_error" && text.contains("no usable id")), "{errors:?}");
            assert_eq!(run.output.status, Some(i32::from(!errors.is_empty())));
            !errors.is_empty()
        }
        _ if run.output.status == Some(0) => false,
        _ => {
            assert!(run.output.critical().contains("no usable id"), "{}", run.output.critical());
            true
        }
    }
}

/// A reader of each kind: in both protocols, with and without delta, with and without replies.
fn readers() -> impl Iterator<Item = Reader> {
    let kinds = BOTH.into_iter().flat_map(|protocol| [(protocol, false), (protocol, true)]);
    kinds
        .flat_map(|(protocol, delta)| [&[MESSAGES][..], &[MESSAGES, REPLIES]].map(|streams| (protocol, delta, streams)))
        .map(|(protocol, delta, streams)| reader(10).with_protocol(protocol).streams(streams).with(json!({"use_delta_api": delta})))
}

/// Posts a root with this JSON at the top, or a reply to a new root.
fn post(reader: &Reader, json: &str, is_reply: bool) -> MessageRef {
    let post = Post::template(json);
    if is_reply {
        let root = reader.post("whole");
        reader.sim.with_tenant(|tenant| tenant.reply(&root, post)).unwrap()
    } else {
        let channel = reader.channel();
        reader.sim.with_tenant(|tenant| tenant.post(&channel, post)).unwrap()
    }
}

/// All undamaged items were emitted.
#[track_caller]
fn assert_undamaged_emitted(reader: &Reader) {
    let truth = reader.sim.truth();
    for stream in &reader.streams {
        let mut table = truth::table(&emittable(&truth), stream);
        table.retain(|key, _| !key.is_empty());
        truth::assert_equal(stream, &reader.rows[stream], &table);
    }
}

/// The items of the tenant that can be emitted as records.
fn emittable(truth: &graph_sim::Truth) -> graph_sim::Truth {
    let mut truth = truth.clone();
    let is_whole = |json: &str| serde_json::from_str::<Value>(json).unwrap()["id"].as_str().is_some_and(|id| !id.is_empty());
    truth.messages.retain(|_, message| is_whole(&message.json));
    truth.replies.retain(|_, message| is_whole(&message.json));
    truth
}

/// Each run reports only new damage: first two items, then none, then one of them that has changed, then none.
fn check_damage(mut reader: Reader, items: [&str; 3], changed: &str) {
    let what = format!("{items:?}, {:?}, {:?}, {}", reader.protocol, reader.streams, reader.settings["use_delta_api"]);
    let tells_replies = reader.streams.len() > 1;
    let before = reader.read();
    assert!(!reports_damage(&before));
    let state = reader.state(MESSAGES, &reader.channel()).to_string();
    let links: usize = reader.state(MESSAGES, &reader.channel())["deltaLink"].as_str().map_or(0, str::len);
    assert!(state.len() - links < 300 && !state.contains("damage\":["), "{state}");
    reader.later(HOUR);
    let root = post(&reader, items[0], false);
    post(&reader, items[1], tells_replies);
    post(&reader, items[2], tells_replies);
    let good = reader.post("good");
    let first = reader.run();
    assert!(reports_damage(&first) && first.emits(&good), "{what}");
    assert_undamaged_emitted(&reader);
    for wait in [HOUR, HOUR, DAY, HOUR] {
        reader.later(wait);
        let run = reader.run();
        assert!(!reports_damage(&run), "{what}: reported again");
        assert_undamaged_emitted(&reader);
    }
    reader.later(HOUR);
    let new = reader.post("new");
    let time = reader.sim.clock().now();
    let changed = changed.replace("$TIME$", &time.to_string());
    reader.sim.with_tenant(|tenant| tenant.replace_raw(&root, changed)).unwrap();
    let run = reader.run();
    assert!(reports_damage(&run) && run.emits(&new), "{what}: the change");
    for wait in [HOUR, HOUR] {
        reader.later(wait);
        assert!(!reports_damage(&reader.run()), "{what}: the change again");
    }
    assert_undamaged_emitted(&reader);
}

#[test]
fn damage_is_reported_once_and_the_channel_is_read() {
    let items = [
        r#"{"id":5,"lastModifiedDateTime":"$TIME$"}"#,
        r#"{"id":null,"lastModifiedDateTime":"$TIME$"}"#,
        r#"{"lastModifiedDateTime":"$TIME$","body":{"contentType":"text","content":"x"}}"#,
    ];
    thread::scope(|scope| {
        for reader in readers() {
            scope.spawn(move || check_damage(reader, items, r#"{"id":{},"lastModifiedDateTime":"$TIME$"}"#));
        }
    });
}

#[test]
fn damage_without_a_time_is_not_reported_by_every_run() {
    let kinds = [
        (["null", "42", r#"{"subject":"x"}"#], r#"{"subject":"y"}"#),
        ([r#"{"id":"","etag":"1"}"#, r#"{"messageType":"message"}"#, r#""a text""#], r#"{"id":"","etag":"2"}"#),
    ];
    thread::scope(|scope| {
        for (items, changed) in kinds {
            for reader in readers() {
                scope.spawn(move || check_damage(reader, items, changed));
            }
        }
    });
}

fn nested(levels: usize) -> String {
    format!("{}{}", "[".repeat(levels), "]".repeat(levels))
}

#[test]
fn unusual_values_are_written_as_valid_lines() {
    let mut reader = reader(3);
    let message = |more: &str| format!(r#"{{"id":"$ID$","lastModifiedDateTime":"$TIME$","createdDateTime":"$TIME$",{more}}}"#);
    let mut strange: Vec<String> = [
        r#""subject":"one","subject":"two","new":1,"new":2,"etag":null,"etag":"e""#,
        r#""subject":[1],"from":"x","body":7,"attachments":{"a":[]},"mentions":[5],"etag":true,"is_removed":"no","team_id":4"#,
        r#""a\"b\\c\n\u0001\t\ud83d\ude00":1,"":2,"\u00e9":{"\"\\":[]}"#,
        r#""x":1e400,"y":-1e400,"fits":1e308,"big":123456789012345678901234567890,"tiny":0e-999,"from":{"user":{"n":1E999}}"#,
        r#""reactions":[{"a":1},{"b":[0,1e400]}],"body":{"contentType":"text","content":"7, 8","n":1e400}"#,
    ]
    .map(message)
    .to_vec();
    strange.push(message(&format!(r#""n":{}"#, "9".repeat(2000))));
    for levels in [50, 51, 500] {
        let deep = nested(levels);
        strange.push(message(&format!(
            r#""new":{deep},"subject":{deep},"from":{{"user":{deep}}},"mentions":[{{"a":{deep}}}],"body":{{"x":{deep}}}"#
        )));
        strange.push(message(&format!(r#""new":{}1{}"#, r#"{"a":"#.repeat(levels), "}".repeat(levels))));
    }
    let deep = nested(100_000);
    strange.extend([format!(r#""new":{deep}"#), format!(r#""from":{{"user":{deep}}}"#)].map(|more| message(&more)));
    let channel = reader.channel();
    let root = reader.post("whole");
    let mut places = Vec::new();
    for json in &strange {
        places.push(reader.sim.with_tenant(|tenant| tenant.post(&channel, Post::template(json.clone()))).unwrap());
        places.push(reader.sim.with_tenant(|tenant| tenant.reply(&root, Post::template(json.clone()))).unwrap());
    }
    for protocol in BOTH {
        reader = reader.with_protocol(protocol);
        reader.states.clear();
        // Each line is parsed by a parser with a limit of 128 levels and of f64.
        let run = reader.read();
        assert!(places.iter().all(|place| run.emits(place)));
        // Nothing is lost: parsing the same JSON independently results in the same columns.
        reader.assert_complete();
    }
    // The same with items that are not messages, and bytes that are not text.
    let sim = tenant(1, 1, 1);
    for class in [Class::Groups, Class::Channels, Class::Members] {
        let to = format!(r#""deep":{},"beyond":[1e400],"id":"#, nested(500));
        sim.inject(Rule::new(Fault::Replace { from: r#""id":"#.to_owned(), to }).class(class));
    }
    let mut body = br#"{"value":[{"id":"1","subject":"a"#.to_vec();
    body.extend_from_slice(b"\xff\xfe\xc3\\u0000\\ud83d\"}]}");
    sim.inject(Rule::new(Fault::respond(200, &[], body)).class(Class::Messages));
    let output = Tap::new(&config(&sim, everything())).read(&ALL);
    assert_eq!(output.status, Some(0), "{:?}", output.errors());
    for stream in ["teams", "channels", "members"] {
        for record in output.records(stream) {
            let additional = &record["_additional_properties"];
            assert_eq!((&additional["deep"], &additional["beyond"]), (&json!(nested(500)), &json!("[1e400]")), "{stream}");
        }
        assert!(output.records(stream).count() > 0, "{stream}");
    }
    assert_eq!(output.records(MESSAGES).next().unwrap()["subject"], "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}");
    assert!(
        output.logs("WARN").iter().any(|line| line.contains("NUL characters removed: 1, lone surrogates replaced: 4")),
        "{:?}",
        output.logs("WARN")
    );
}

#[test]
fn reading_stops_when_a_page_is_too_large() {
    for gzip in [false, true] {
        let sim = tenant(1, 1, 5);
        sim.inject(Rule::new(Fault::Huge { mebibytes: 1024, gzip }).class(Class::Members));
        // Stalls the process so that its memory can be measured.
        sim.inject(Rule::new(Fault::Stall).class(Class::Messages));
        let tap = |more: Value| {
            let mut settings = everything();
            settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let tap = Tap::new(&config(&sim, settings));
            tap.file("catalog.json", json!({"streams": ALL.map(configured)}).to_string());
            tap
        };
        let mut running =
            tap(json!({"max_page_mb": 1})).start(&["read", "--config", "config.json", "--catalog", "catalog.json"], Stdio::piped());
        running.read_until(|read| read.contains("max_page_mb"));
        let peak = running.peak_memory();
        assert!(peak < 100, "{peak} MiB");
        running.signal("TERM");
        running.end();

        sim.clear_faults();
        sim.clear_journal();
        sim.inject(Rule::new(Fault::Huge { mebibytes: 1024, gzip }).class(Class::Members));
        let output = tap(json!({"max_page_mb": 1})).read(&ALL);
        assert_eq!((output.status, sim.count(Class::Members)), (Some(1), 1), "it would be as large another time");
        let errors = output.errors();
        assert_eq!(errors.iter().map(|(kind, stream, _)| (*kind, *stream)).collect::<Vec<_>>(), [("config_error", "members")]);
        assert!(errors[0].2.contains("larger than 1 MiB; hint: raise `max_page_mb`"), "{}", errors[0].2);
        for stream in ["teams", "channels", "messages", "message_replies"] {
            assert_eq!(output.statuses(stream).last(), Some(&"COMPLETE"), "{stream}");
        }
    }
}

#[test]
fn a_record_that_is_too_large_is_skipped_and_reported() {
    // Next to each one that is too large is one that is not.
    let (large, fits) = ("x".repeat((1 << 20) + 1), "x".repeat(900_000));
    let sim = tenant(2, 2, 2);
    let (teams, channels) = sim.read_tenant(|tenant| (tenant.team_ids(), tenant.channel_ids(&tenant.team_ids()[0])));
    sim.with_tenant(|tenant| {
        for text in [&large, &fits] {
            let root = tenant.post(&channels[0], Post::text(text.as_str())).unwrap();
            tenant.reply(&root, Post::text(text.as_str())).unwrap();
        }
        for (team, text) in teams.iter().zip([&large, &fits]) {
            tenant.set_team_property(team, "new", json!(text)).unwrap();
        }
        for (channel, text) in channels.iter().zip([&large, &fits]) {
            tenant.set_channel_property(channel, "new", json!(text)).unwrap();
        }
    });
    let member = sim.truth().members.values().next().unwrap()["id"].as_str().unwrap().to_owned();
    let from = format!(r#""id":"{member}""#);
    sim.inject(Rule::new(Fault::Replace { to: format!(r#"{from},"new":"{large}""#), from }).class(Class::Members));
    let mut settings = everything();
    settings["max_record_mb"] = 1.into();
    let output = Tap::new(&config(&sim, settings.clone())).read(&ALL);
    assert_eq!(output.status, Some(1));
    let errors = output.errors();
    assert_eq!(errors.iter().map(|error| error.1).collect::<BTreeSet<_>>(), ALL.into_iter().collect());
    for (kind, stream, text) in &errors {
        assert!(*kind == "config_error" && text.contains("larger than 1 MiB (`max_record_mb`) and were skipped"), "{stream}: {text}");
    }
    let truth = sim.truth();
    for stream in ALL {
        assert_eq!(output.records(stream).count(), truth::table(&truth, stream).len() - 1, "{stream}: one is left out");
    }
    assert!(output.lines.iter().all(|line| line.len() < (1 << 20) + 1000));

    // Incremental reads report it once.
    let mut reader = reader(3).with(settings);
    let root = reader.post(&large);
    reader.reply(&root, &large);
    assert_eq!(reader.run().output.status, Some(1));
    reader.later(HOUR);
    let new = reader.post("new");
    assert!(reader.read().emits(&new));
}

/// The peak memory in MiB of a run when it has written this text; its requests for members stall.
fn peak_until(sim: &GraphSim, written: &str) -> u64 {
    sim.inject(Rule::new(Fault::Stall).class(Class::Members));
    let tap = Tap::new(&config(sim, everything()));
    tap.file("catalog.json", json!({"streams": ALL.map(configured)}).to_string());
    let arguments = ["read", "--config", "config.json", "--catalog", "catalog.json"];
    let mut child = tap.command().args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let found = lines.find(|line| line.as_ref().unwrap().contains(written));
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(found.is_some(), "it ended before it wrote {written}");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
}

#[test]
fn a_page_takes_little_more_memory_than_its_text() {
    let parts = |part: &str| vec![part; 8_000_000 / part.len()].join(",");
    let trivial = [
        parts("{}"),
        parts("7"),
        format!(r#"{{"id":"1","replies":[{}]}}"#, parts("{}")),
        format!(r#"{{"id":"1",{}}}"#, parts(r#""":1"#)),
        parts(&format!(r#"{{"id":"1","replies":[{}]}}"#, vec![r#"{"\n":1}"#; 1000].join(","))),
    ];
    in_parallel(trivial, |items| {
        let sim = tenant(1, 1, 1);
        sim.inject(Rule::new(Fault::respond(200, &[], format!(r#"{{"value":[{items}]}}"#))).class(Class::Messages));
        let peak = peak_until(&sim, r#"unexpected response: "#);
        assert!(peak < 80, "{peak} MiB for {}", &items[..40]);
    });
}

#[test]
fn a_large_body_is_cleaned_in_place() {
    let sim = tenant(1, 1, 1);
    let text = "x".repeat(900_000);
    let message = |id: usize| format!(r#"{{"id":"{id}","lastModifiedDateTime":"2026-01-01T00:00:00Z","body":{{"content":"{text}"}}}}"#);
    let mut body = format!("{{\"value\":[{},\n", (1..=49).map(message).collect::<Vec<_>>().join(",")).into_bytes();
    body.extend_from_slice(b"{\"id\":\"50\",\"subject\":\"\xff\\u0000\"}]}");
    sim.inject(Rule::new(Fault::respond(200, &[], body)).class(Class::Messages));
    let peak = peak_until(&sim, r#""stream":"messages","data":{"id":"50","#);
    assert!(peak < 100, "{peak} MiB");
}

#[test]
fn only_the_start_of_an_error_response_is_read() {
    let sim = tenant(1, 1, 1);
    let body = format!(r#"{{"error":{{"code":"Forbidden","message":"{}"}}}}"#, "x".repeat(44_000_000));
    sim.inject(Rule::new(Fault::respond(403, &[], body)).class(Class::Messages));
    let peak = peak_until(&sim, "cannot read the messages in channel");
    assert!(peak < 60, "{peak} MiB");
}

#[test]
fn a_damaged_list_item_is_reported_by_one_run_only() {
    for (protocol, class) in
        BOTH.into_iter().flat_map(|protocol| [Class::Groups, Class::Channels, Class::Members].map(|class| (protocol, class)))
    {
        let mut reader = reader(3).with_protocol(protocol).streams(&ALL);
        let damage = |reader: &Reader, item: &str| {
            reader.sim.clear_faults();
            let to = format!(r#""value":[{item},"#);
            reader.sim.inject(Rule::new(Fault::Replace { from: r#""value":["#.to_owned(), to }).class(class));
        };
        damage(&reader, r#"{"id":"","displayName":"damaged"}"#);
        let run = reader.run();
        assert_eq!((run.output.status, run.emitted(MESSAGES)), (Some(1), 3), "{class:?}");
        for _ in 0..2 {
            reader.later(HOUR);
            reader.read();
        }
        // The item has changed.
        damage(&reader, r#"{"id":"","displayName":"damaged again"}"#);
        assert_eq!(reader.run().output.status, Some(1), "{class:?}");
        reader.read();
        reader.sim.clear_faults();
        reader.read();
        assert!(reader.states.values().all(|state| state["damage"] == json!([])), "what is whole again is forgotten: {:?}", reader.states);
    }
}
