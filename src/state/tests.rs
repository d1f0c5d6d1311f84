//! Tests of whole states: the format, reading old versions, and rejecting invalid states.

use serde_json::{Value, json, value::to_raw_value};

use chrono::{DateTime, TimeDelta, Utc};

use super::{initial::read, stream::Partitioned, version::FullRefresh, *};
use crate::{
    level::{MESSAGE, ids, key},
    streams::Stream,
};

/// The local clock, later than all times in these states.
const NOW: &str = "2026-12-01T00:00:00Z";

const KEY: &str = "t/19:c@thread.tacv2";

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn incremental(written: &Value) -> Result<StreamState, InvalidState> {
    StreamState::begin_incremental(Some(&to_raw_value(written).unwrap()), "contoso.com", &MESSAGE.trail(), time(NOW))
}

fn full_refresh(written: &Value, now: &str) -> StreamState {
    StreamState::begin_full_refresh(Some(&to_raw_value(written).unwrap()), "contoso.com", &MESSAGE.trail(), time(now))
}

fn written(state: &StreamState) -> Value {
    serde_json::to_value(state).unwrap()
}

fn keys(state: &StreamState) -> Vec<String> {
    state.keys().collect()
}

fn idle() -> Position {
    Position {
        last_modified_date_time: Some(time("2026-11-20T10:00:00.12345Z")),
        read_at: Some(time("2026-11-20T10:01:00Z")),
        since: Some(time("2024-01-01T00:00:00Z")),
        delta_link: Some("/v1.0/teams/t/channels/19:c@thread.tacv2/messages/delta?$deltatoken=y".into()),
        delta_at: Some(time("2026-11-20T10:00:00Z")),
        ..Position::default()
    }
}

fn walk(link: Option<&str>) -> WalkState {
    WalkState {
        link: link.map(str::to_owned),
        head: Some(time("2026-11-20T10:00:00.123Z")),
        read_at: Some(time("2026-11-20T10:01:00.5Z")),
        until: Some(time("2026-11-20T09:00:00Z")),
        cutoff: time("2026-11-19T09:00:00.000000001Z"),
        began: Some(time("2026-11-20T09:00:00Z")),
        oldest_deferred: Some(time("2026-11-19T08:00:00.5Z")),
        lists_roots_only: link.is_some(),
    }
}

/// A state with a channel in a walk, a channel in a delta round, an idle channel, and a thread.
fn busy() -> StreamState {
    let mut state = StreamState::new_partitioned("contoso.com", &MESSAGE.trail());
    let walked = walk(Some("/v1.0/teams('t')/channels('19:c@thread.tacv2')/messages?$skiptoken=x"));
    state.set(
        KEY,
        Some(Position {
            walk: Some(walked),
            import: Some("completed".to_owned()),
            skipped: vec!["00c0ffee".to_owned()],
            gap_at: idle().read_at,
            ..idle()
        }),
    );
    let round = RoundState {
        link: "/v1.0/teams('t')/channels('19%3Ad%40thread.tacv2')/messages/microsoft.graph.delta()?$skiptoken=z".into(),
        at: time("2026-11-20T10:02:00Z"),
    };
    let delta = DeltaState { round: Some(round), refused_at: Some(time("2026-11-20T10:03:00Z")) };
    state.set("t/19:d@thread.tacv2", Some(Position { delta_link: None, delta, since: None, ..idle() }));
    let link = "/v1.0/TEAMS/u/channels/19:e@thread.tacv2/messages/delta?$deltatoken=y";
    state.set("u/19:e@thread.tacv2", Some(Position { delta_link: Some(link.to_owned()), ..idle() }));
    state.set("t/19:c@thread.tacv2/1616963377068", Some(Position { delta_link: None, delta_at: None, ..idle() }));
    state
}

#[test]
fn the_state_format_is_stable() {
    insta::assert_json_snapshot!(busy());
    insta::assert_json_snapshot!(StreamState::new_partitioned("contoso.com", &MESSAGE.trail()));
    let mut snapshot = StreamState::new_snapshot();
    insta::assert_json_snapshot!(snapshot);
    snapshot.set_skipped(vec!["00c0ffee".to_owned()]);
    insta::assert_json_snapshot!(snapshot);
}

#[test]
fn a_written_state_is_read_back() {
    let state = busy();
    assert_eq!(incremental(&written(&state)), Ok(state.clone()));
    let all = ["t/19:c@thread.tacv2", "t/19:d@thread.tacv2", "t/19:c@thread.tacv2/1616963377068", "u/19:e@thread.tacv2"];
    assert_eq!(keys(&state), all);
    assert_eq!(
        state.position("u/19:e@thread.tacv2").unwrap().delta_link.unwrap(),
        "/v1.0/TEAMS/u/channels/19:e@thread.tacv2/messages/delta?$deltatoken=y"
    );
    let mut snapshot = StreamState::new_snapshot();
    snapshot.set_skipped(vec!["00c0ffee".to_owned()]);
    assert_eq!(StreamState::begin_snapshot(Some(&to_raw_value(&snapshot).unwrap())), Ok(snapshot));
}

#[test]
fn partitions_may_have_any_number_of_ids() {
    let mut state = StreamState::new_partitioned("contoso.com", &MESSAGE.trail());
    let keys = [key(&["19:chat@thread.v2"]), key(&["a/b", "c%d"]), key(&["t", "c", "m"])];
    for key in &keys {
        state.set(key, Some(Position { delta_link: None, ..idle() }));
    }
    let written = written(&state);
    assert_eq!(written["partitions"][0]["parents"], json!([]));
    assert_eq!((&written["partitions"][1]["parents"], &written["partitions"][1]["entries"][0]["id"]), (&json!(["a/b"]), &json!("c%d")));
    let read = incremental(&written).unwrap();
    assert_eq!(read, state);
    assert!(keys.iter().all(|key| read.position(key).is_some()));
}

#[test]
fn a_deleted_channel_is_removed_from_the_state() {
    let mut state = busy();
    state.set("u/19:e@thread.tacv2", None);
    state.set("u/19:unknown@thread.tacv2", None);
    assert_eq!(state.position("u/19:e@thread.tacv2"), None);
    assert!(!written(&state).to_string().contains("19:e@"));
    assert_eq!(written(&state)["partitions"].as_array().unwrap().len(), 2, "a group without partitions is removed too");
    state.set("tt/c", Some(Position::default()));
    state.set(KEY, None);
    assert_eq!(keys(&state), ["t/19:d@thread.tacv2", "tt/c"], "threads are removed with their channel");
    state.set("t", None);
    assert_eq!(keys(&state), ["tt/c"], "channels are removed with their team");
}

#[test]
fn changes_do_not_affect_clones() {
    let before = busy();
    let mut after = before.clone();
    after.set(KEY, Some(Position::default()));
    after.set("t/19:aa@thread.tacv2", Some(idle()));
    assert_eq!(before, busy());
    assert_eq!((after.position(KEY), keys(&after).len()), (Some(Position::default()), 5));
}

#[test]
fn keys_and_partitions_may_be_reordered() {
    let state = busy();
    let mut other = written(&state);
    for group in other["partitions"].as_array_mut().unwrap() {
        group["entries"].as_array_mut().unwrap().reverse();
    }
    other["partitions"].as_array_mut().unwrap().reverse();
    other.sort_all_objects();
    assert_eq!(incremental(&other), Ok(state));
}

#[test]
fn states_without_content_are_empty() {
    let empty = StreamState::new_partitioned("contoso.com", &MESSAGE.trail());
    assert_eq!(StreamState::begin_incremental(None, "contoso.com", &MESSAGE.trail(), time(NOW)), Ok(empty.clone()));
    for written in [
        json!(null),
        json!({}),
        json!({"partitions": [], "context": null, "a": {}}),
        json!({"version": 1}),
        json!({"version": 1.0, "channels": null}),
        json!({"version": 1, "channels": {"t/c": null}}),
        json!({"version": 2}),
        json!({"version": 2, "full": [], "partitions": []}),
    ] {
        assert_eq!(incremental(&written), Ok(empty.clone()), "{written}");
    }
}

#[test]
fn a_full_refresh_resumes_from_its_own_progress() {
    let channel = |read_at: &str| Some(Position { read_at: Some(time(read_at)), ..Position::default() });
    let mut state = full_refresh(&Value::Null, "2026-11-20T12:00:00Z");
    assert!(state.is_full_refresh());
    state.set("t/new", channel("2026-11-20T11:00:00Z"));
    let open = WalkState { began: Some(time("2026-11-20T11:00:01Z")), ..walk(None) };
    state.set("t/open", Some(Position { walk: Some(open.clone()), ..Position::default() }));
    state.set("t/from an earlier walk", Some(Position { walk: Some(open), ..channel("2026-11-20T11:30:00Z").unwrap() }));
    let mut begun = written(&state);
    let [local, graph] = ["2026-11-20T12:00:00Z", "2026-11-20T11:00:00Z"].map(|clock| time(clock).timestamp());
    assert_eq!(begun["full"], json!([local, graph]));
    // Some destinations merge states of version 1 and so leave channels of an earlier state in the new one.
    let entries = begun["partitions"][0]["entries"].as_array_mut().unwrap();
    entries.push(json!({"id": "old", "readAt": "2026-11-19T11:00:00Z"}));
    assert_eq!(keys(&full_refresh(&begun, "2026-11-20T12:00:00Z")), ["t/new", "t/open"]);
    for other in ["2026-11-28T12:00:00Z", "2026-11-12T12:00:00Z"] {
        assert!(full_refresh(&begun, other).is_empty(), "too old, or started with a wrong local clock");
    }
    assert!(incremental(&begun).unwrap().is_empty(), "an incremental run starts from the beginning");
    begun["partitions"][0]["entries"][0]["readAt"] = json!("soon");
    assert!(full_refresh(&begun, "2026-11-20T12:00:00Z").is_empty(), "a damaged full refresh starts again");
    state.end_full_refresh();
    assert_eq!(written(&state)["full"], json!([]));
    assert!(full_refresh(&written(&state), "2026-11-20T12:00:00Z").is_empty());
    assert_eq!(keys(&incremental(&written(&state)).unwrap()).len(), 3);
}

/// The name of a state in `version_1_states` and `version_2_states`, and its text in both versions. Version 1 wrote the first one in a run on a
/// simulated tenant; the release with five streams wrote the second one.
macro_rules! fixture {
    ($name:literal) => {
        ($name, include_str!(concat!("version_1_states/", $name, ".json")), include_str!(concat!("version_2_states/", $name, ".json")))
    };
}

const FIXTURES: [(&str, &str, &str); 8] = [
    fixture!("full_refresh"),
    fixture!("gone"),
    fixture!("idle"),
    fixture!("idle_brackets"),
    fixture!("refused"),
    fixture!("round"),
    fixture!("thread"),
    fixture!("walk"),
];

#[test]
fn states_of_version_1_are_read() {
    let tenant = "fa9a3bb0-6145-48cf-a7d3-bb88d2cd89cb";
    for (name, version_1, _) in FIXTURES {
        let streams: StoredStates<'_> = serde_json::from_str(version_1).unwrap();
        let begin = |written: &RawValue| match name {
            "full_refresh" => StreamState::begin_full_refresh(Some(written), tenant, &MESSAGE.trail(), time("2026-11-24T00:00:00Z")),
            _ => StreamState::begin_incremental(Some(written), tenant, &MESSAGE.trail(), time(NOW)).unwrap(),
        };
        let states: BTreeMap<_, _> = streams.into_iter().map(|(stream, written)| (stream, begin(written))).collect();
        insta::assert_json_snapshot!(format!("version_1_{name}"), states);
    }
}

#[test]
fn states_of_version_2_are_written_back_unchanged() {
    let tenant = "fa9a3bb0-6145-48cf-a7d3-bb88d2cd89cb";
    for (name, _, version_2) in FIXTURES {
        let streams: BTreeMap<String, &RawValue> = serde_json::from_str(version_2).unwrap();
        for (stream, json) in streams {
            let trail = Stream::by_name(&stream).unwrap().trail();
            let state = match (name, trail.is_empty()) {
                (_, true) => StreamState::begin_snapshot(Some(json)).unwrap(),
                ("full_refresh", _) => StreamState::begin_full_refresh(Some(json), tenant, &trail, time("2026-11-24T00:00:00Z")),
                _ => StreamState::begin_incremental(Some(json), tenant, &trail, time(NOW)).unwrap(),
            };
            assert_eq!(written(&state), serde_json::from_str::<Value>(json.get()).unwrap(), "{name}: {stream}");
        }
    }
}

#[test]
fn reading_many_groups_with_the_same_parents_takes_linear_time() {
    let group = |at| json!({"parents": ["t"], "entries": [{"id": format!("c{at:06}"), "readAt": 1}]});
    let (state, began) = (
        json!({"version": 2, "tenant": "contoso.com", "partitions": (0..60_000).rev().map(group).collect::<Value>()}),
        std::time::Instant::now(),
    );
    let state = incremental(&state).unwrap();
    assert!(keys(&state).is_sorted() && keys(&state).len() == 60_000);
    assert!(began.elapsed().as_secs() < 10);
}

#[test]
fn fingerprints_of_skipped_items_are_limited_to_what_a_run_writes() {
    let hashes = |count| (0..count).map(|at| format!("{at:08x}")).collect::<Vec<_>>();
    let entries = json!([{"parents": ["t"], "entries": [{"id": "c", "damage": hashes(100)}]}]);
    let state = incremental(&json!({"version": 2, "tenant": "contoso.com", "damage": hashes(5000), "partitions": entries})).unwrap();
    assert_eq!(state.skipped(), hashes(MAX_SKIPPED_PER_STREAM));
    assert_eq!(state.position("t/c").unwrap().skipped, hashes(MAX_SKIPPED_PER_PARTITION));
}

/// A value that is invalid everywhere and must not appear in any error.
const CANARY: &str = "s3cret-canary";

#[test]
fn errors_name_the_key_and_hide_the_value() {
    let one = |channel: Value| json!({"version": 1, "tenant": "contoso.com", "channels": {"t/c": channel}});
    let groups = |groups: Value| json!({"version": 2, "tenant": "contoso.com", "full": [], "partitions": groups});
    let two = |mut entry: Value| {
        entry["id"] = json!("c");
        groups(json!([{"parents": ["t"], "entries": [entry]}]))
    };
    let page = "/v1.0/teams/t/channels/c/messages?$skiptoken=s3cret-canary";
    let mut errors = String::new();
    for written in [
        json!([CANARY]),
        json!(CANARY),
        json!(5),
        json!({"tenant_id": CANARY, "client_secret": CANARY}),
        json!({"lastModifiedDateTime": CANARY}),
        json!({"channels": {CANARY: {}}}),
        json!({"version": 3}),
        json!({"version": "2"}),
        json!({"version": CANARY}),
        json!({"version": 1.5}),
        json!({"version": null, "channels": {"t/c": {}}}),
        json!({"version": 2, "tenant": CANARY}),
        json!({"version": 2, "tenant": 5}),
        json!({"version": 1, "tenant": null}),
        json!({"version": 1, "tenant": [CANARY]}),
        json!({"version": 2, "partitions": [{"parents": ["t"], "entries": [{"id": "c"}]}]}),
        json!({"version": 1, "full": 7}),
        json!({"version": 1, "full": "2026-11-20T10:00:00"}),
        json!({"version": 1, "full": CANARY}),
        json!({"version": 2, "full": null}),
        json!({"version": 2, "full": true}),
        json!({"version": 2, "full": [CANARY]}),
        json!({"version": 2, "full": [1, 2, 3]}),
        json!({"version": 2, "full": [1, CANARY]}),
        json!({"version": 2, "full": [9_000_000_000_000_000_u64]}),
        json!({"version": 2, "since": [5]}),
        json!({"version": 1, "channels": [CANARY]}),
        json!({"version": 1, "tenant": "contoso.com", "channels": {"/": {}}}),
        one(json!(CANARY)),
        one(json!([])),
        one(json!({"readAt": CANARY})),
        one(json!({"readAt": 1_795_168_860})),
        one(json!({"lastModifiedDateTime": 5})),
        one(json!({"readAt": "+262142-01-01T00:00:00Z"})),
        one(json!({"since": "-0001-01-01T00:00:00Z"})),
        one(json!({"damage": CANARY})),
        one(json!({"damage": [5]})),
        one(json!({"deltaLink": {"a": CANARY}})),
        one(json!({"deltaLink": "https://s3cret-canary.example/v1.0/teams/t/channels/c/messages/delta?a"})),
        one(json!({"deltaLink": "/v1.0/teams/t/channels/s3cret-canary/messages/delta?a"})),
        one(json!({"deltaLink": "messages/delta?a"})),
        one(json!({"delta": [CANARY]})),
        one(json!({"delta": {"round": {"link": CANARY, "at": "2026-11-20T10:00:00Z"}}})),
        one(json!({"delta": {"round": {"link": "/v1.0/teams/t/channels/c/messages/delta?a"}}})),
        one(json!({"delta": {"refusedAt": {}}})),
        one(json!({"walk": {"link": page, "floor": -1}})),
        one(json!({"walk": {"link": page, "floor": "2026-11-20T10:00:00Z"}})),
        one(json!({"walk": {"link": null}})),
        groups(json!({CANARY: CANARY})),
        groups(json!([CANARY])),
        groups(json!([{"entries": []}])),
        groups(json!([{"parents": CANARY, "entries": []}])),
        groups(json!([{"parents": [5], "entries": []}])),
        groups(json!([{"parents": [""], "entries": []}])),
        groups(json!([{"parents": ["t"]}])),
        groups(json!([{"parents": ["t"], "entries": {CANARY: 1}}])),
        groups(json!([{"parents": ["t"], "entries": [CANARY]}])),
        groups(json!([{"parents": ["t"], "entries": [{"readAt": 5}]}])),
        groups(json!([{"parents": ["t"], "entries": [{"id": 5}]}])),
        groups(json!([{"parents": ["t"], "entries": [{"id": ""}]}])),
        groups(json!([{"parents": ["t"], "entries": [{"id": "c"}, {"id": "d"}, {"id": "c"}]}])),
        groups(json!([{"parents": ["t"], "entries": [{"id": "c"}]}, {"parents": ["t"], "entries": [{"id": "c"}]}])),
        two(json!({"lastModifiedDateTime": 1_795_168_860})),
        two(json!({"readAt": 1.5})),
        two(json!({"readAt": 8_210_266_876_799_i64})),
        two(json!({"readAt": {CANARY: CANARY}})),
        two(json!({"deltaLink": "s3cret-canary"})),
        two(json!({"deltaLink": "/v1.0/teams/t/channels/C/messages/delta?a"})),
        two(json!({"deltaRound": {"at": 5}})),
        two(json!({"deltaRound": {"link": "messages/delta?a", "at": null}})),
        two(json!({"walk": {"link": "messages/1/replies?a", "floor": "2026-11-20T10:00:00Z", "readAt": 5, "began": 5}})),
        two(json!({"walk": {"link": "messages?a", "floor": "2026-11-20T10:00:00Z", "readAt": 5}})),
    ] {
        let reason = incremental(&written).unwrap_err().to_string();
        assert!(!reason.contains(CANARY), "{written}: {reason}");
        errors += &format!("{written}\n    {reason}\n");
    }
    insta::assert_snapshot!(errors);
    let skipped = to_raw_value(&json!({"version": 2, "damage": [5, CANARY]})).unwrap();
    assert_eq!(StreamState::begin_snapshot(Some(&skipped)).unwrap_err().to_string(), "`damage[0]` is not a string");
}

mod merged {
    //! If a consumer merges two states, the newer one wins.

    use proptest::{option, prelude::*};
    use scenario::states::merge;
    use serde_json::Map;

    use super::*;

    const KEYS: [&str; 4] = ["t/19:c@thread.tacv2", "t/19:d@thread.tacv2", "t/19:c@thread.tacv2/161", "u/19:e@thread.tacv2"];

    fn clock() -> impl Strategy<Value = DateTime<Utc>> {
        (0..2_000_000_000_i64).prop_map(|seconds| DateTime::from_timestamp(seconds, 0).unwrap())
    }

    fn moment() -> impl Strategy<Value = DateTime<Utc>> {
        (clock(), 0..10_i64).prop_map(|(time, tenths)| time + TimeDelta::nanoseconds(tenths * 123_456_700))
    }

    /// A link below the list of a partition, in one of Graph's spellings.
    fn link(key: &str, below: &str) -> BoxedStrategy<String> {
        let (ids, below): (Vec<String>, _) = (ids(key).collect(), below.to_owned());
        (any::<bool>(), "[a-z=%&]{1,9}")
            .prop_map(move |(is_bracketed, query)| {
                let segment = |name: &str, id: &String| if is_bracketed { format!("/{name}('{id}')") } else { format!("/{name}/{id}") };
                let segments: String = ["teams", "channels", "messages"].iter().zip(&ids).map(|(name, id)| segment(name, id)).collect();
                let list = if ids.len() == 3 { "replies" } else { "messages" };
                format!("/v1.0{segments}/{list}{below}?{query}")
            })
            .boxed()
    }

    fn walk(key: &str) -> BoxedStrategy<WalkState> {
        let times = (option::of(moment()), clock(), option::of(moment()), moment(), clock(), option::of(moment()));
        (option::of(link(key, "")), times)
            .prop_map(|(link, (head, read_at, until, cutoff, began, oldest_deferred))| WalkState {
                link,
                head,
                read_at: Some(read_at),
                until,
                began: Some(began),
                oldest_deferred,
                ..WalkState::new(cutoff)
            })
            .boxed()
    }

    fn channel(key: &str) -> BoxedStrategy<Position> {
        let round = (link(key, "/delta"), clock()).prop_map(|(link, at)| RoundState { link, at });
        let delta = (option::of(link(key, "/delta()")), option::of(clock()), option::of(round), option::of(clock()));
        let times = (option::of(moment()), option::of(clock()), option::of(moment()));
        (times, option::of(walk(key)), delta, prop::collection::vec("[0-9a-f]{8}", 0..3))
            .prop_map(|((last_modified_date_time, read_at, since), walk, (delta_link, delta_at, round, refused_at), skipped)| Position {
                last_modified_date_time,
                read_at,
                since,
                walk,
                delta_link,
                delta_at,
                delta: DeltaState { round, refused_at },
                skipped,
                ..Position::default()
            })
            .boxed()
    }

    /// Any state, sometimes with a full refresh in progress.
    fn state() -> impl Strategy<Value = StreamState> {
        let full_refresh = option::of((clock(), option::of(clock())))
            .prop_map(|starts| starts.map(|(local_start, graph_start)| FullRefresh { local_start, graph_start }));
        (KEYS.map(|key| option::of(channel(key))), full_refresh).prop_map(|(channels, full_refresh)| {
            let mut state = StreamState {
                skipped: Vec::new(),
                partitioned: Some(Partitioned { full_refresh, ..Partitioned::new("contoso.com", MESSAGE.trail()) }),
            };
            KEYS.into_iter().zip(channels).for_each(|(key, channel)| state.set(key, channel));
            state
        })
    }

    /// The state as version 1 wrote it, with null for absent values and for deleted channels.
    fn as_version_1(state: &StreamState) -> Value {
        let date_time = |time: Option<DateTime<Utc>>| time.map(|time| time.to_rfc3339());
        let channels: Map<_, _> = KEYS
            .into_iter()
            .map(|key| {
                let channel = state.position(key).map(|channel| {
                    let walk = channel.walk.map(|walk| {
                        json!({"link": walk.link, "head": date_time(walk.head), "readAt": date_time(walk.read_at), "until": date_time(walk.until),
                            "floor": walk.cutoff, "began": date_time(walk.began), "owed": date_time(walk.oldest_deferred)})
                    });
                    let round = channel.delta.round.map(|round| json!({"link": round.link, "at": round.at}));
                    let delta = json!({"round": round, "refusedAt": date_time(channel.delta.refused_at)});
                    json!({"lastModifiedDateTime": date_time(channel.last_modified_date_time), "readAt": date_time(channel.read_at),
                        "since": date_time(channel.since), "walk": walk, "deltaLink": channel.delta_link, "deltaAt": date_time(channel.delta_at),
                        "delta": delta, "damage": channel.skipped})
                });
                (key.to_owned(), json!(channel))
            })
            .collect();
        let full_refresh = state.partitioned.as_ref().and_then(|partitioned| partitioned.full_refresh);
        let full = full_refresh.map(|full_refresh| full_refresh.graph_start.map_or(json!(true), |start| json!(start)));
        json!({"version": 1, "tenant": "contoso.com", "full": full, "channels": channels})
    }

    /// Reads a state whether or not a full refresh is in progress.
    fn read_from(written: &Value) -> Partitioned {
        let raw = to_raw_value(written).unwrap();
        let (version, members) = read(Some(&raw)).unwrap().unwrap();
        Partitioned::read(version, &members, "contoso.com", &MESSAGE.trail()).unwrap()
    }

    fn bookhashes(state: Value) -> Map<String, Value> {
        json!({"bookmarks": {"messages": state}}).as_object().unwrap().clone()
    }

    proptest! {
        #[test]
        fn times_of_graphs_clock_are_not_in_the_future(state in state(), now in clock()) {
            let begin = |written: &StreamState| {
                StreamState::begin_incremental(Some(&to_raw_value(written).unwrap()), "contoso.com", &MESSAGE.trail(), now).unwrap()
            };
            let begun = begin(&state);
            for key in begun.keys() {
                let channel = begun.position(&key).unwrap();
                let latest = channel.last_modified_date_time.max(Some(now));
                let round = channel.delta.round.map(|round| round.at);
                let dates = [channel.read_at, channel.delta_at, channel.gap_at, channel.delta.refused_at, round];
                prop_assert!(dates.into_iter().all(|date| date <= latest), "{}: {:?}", key, dates);
                let walk = channel.walk.as_ref();
                let of_walk = walk.map(|walk| (walk.read_at.max(walk.began), latest.max(walk.head)));
                prop_assert!(of_walk.is_none_or(|(date, latest)| date <= latest), "{}: {:?}", key, of_walk);
            }
            prop_assert_eq!(begin(&begun), begun);
        }

        #[test]
        fn the_newer_state_wins(old in state(), new in state(), versions in prop::sample::select(vec![(2, 2), (1, 2), (2, 1)])) {
            let write = |state: &StreamState, version| if version == 1 { as_version_1(state) } else { written(state) };
            let mut kept = bookhashes(write(&old, versions.0));
            merge(&mut kept, &bookhashes(write(&new, versions.1))).unwrap();
            let read = read_from(&kept["bookmarks"]["messages"]);
            let new = new.partitioned.as_ref().unwrap();
            prop_assert_eq!(&read.partitions, &new.partitions);
            prop_assert_eq!(read.full_refresh.map(|full| full.graph_start), new.full_refresh.map(|full| full.graph_start));
        }
    }
}
