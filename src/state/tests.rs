//! States as a whole: their form, what is taken back, and what is refused.

use serde_json::{Value, json, value::to_raw_value};

use chrono::{DateTime, TimeDelta, Utc};

use super::{begin::read, stream::Partitioned, version::Full, *};
use crate::{
    level::{MESSAGE, ids, key},
    streams::Stream,
};

/// Our own clock, after all times in these states.
const NOW: &str = "2026-12-01T00:00:00Z";

const KEY: &str = "t/19:c@thread.tacv2";

fn time(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn incremental(written: &Value) -> Result<StreamState, Invalid> {
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
        floor: time("2026-11-19T09:00:00.000000001Z"),
        began: Some(time("2026-11-20T09:00:00Z")),
        owed: Some(time("2026-11-19T08:00:00.5Z")),
        is_of_roots: link.is_some(),
    }
}

/// A state with partitions of all kinds: of a channel that is walked, of one in a round of delta, of an idle one, and of a thread.
fn busy() -> StreamState {
    let mut state = StreamState::of_partitions("contoso.com", &MESSAGE.trail());
    let walked = walk(Some("/v1.0/teams('t')/channels('19:c@thread.tacv2')/messages?$skiptoken=x"));
    state.set(
        KEY,
        Some(Position {
            walk: Some(walked),
            import: Some("completed".to_owned()),
            damage: vec!["00c0ffee".to_owned()],
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
fn the_form_of_a_state_does_not_change() {
    insta::assert_json_snapshot!(busy());
    insta::assert_json_snapshot!(StreamState::of_partitions("contoso.com", &MESSAGE.trail()));
    let mut snapshot = StreamState::of_snapshot();
    insta::assert_json_snapshot!(snapshot);
    snapshot.set_damage(vec!["00c0ffee".to_owned()]);
    insta::assert_json_snapshot!(snapshot);
}

#[test]
fn a_state_that_was_written_is_read_again() {
    let state = busy();
    assert_eq!(incremental(&written(&state)), Ok(state.clone()));
    let all = ["t/19:c@thread.tacv2", "t/19:d@thread.tacv2", "t/19:c@thread.tacv2/1616963377068", "u/19:e@thread.tacv2"];
    assert_eq!(keys(&state), all);
    assert_eq!(
        state.position("u/19:e@thread.tacv2").unwrap().delta_link.unwrap(),
        "/v1.0/TEAMS/u/channels/19:e@thread.tacv2/messages/delta?$deltatoken=y"
    );
    let mut snapshot = StreamState::of_snapshot();
    snapshot.set_damage(vec!["00c0ffee".to_owned()]);
    assert_eq!(StreamState::begin_snapshot(Some(&to_raw_value(&snapshot).unwrap())), Ok(snapshot));
}

#[test]
fn partitions_may_have_any_number_of_ids() {
    let mut state = StreamState::of_partitions("contoso.com", &MESSAGE.trail());
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
fn a_channel_that_is_gone_is_left_out() {
    let mut state = busy();
    state.set("u/19:e@thread.tacv2", None);
    state.set("u/19:unknown@thread.tacv2", None);
    assert_eq!(state.position("u/19:e@thread.tacv2"), None);
    assert!(!written(&state).to_string().contains("19:e@"));
    assert_eq!(written(&state)["partitions"].as_array().unwrap().len(), 2, "a group without partitions is left out, too");
    state.set("tt/c", Some(Position::default()));
    state.set(KEY, None);
    assert_eq!(keys(&state), ["t/19:d@thread.tacv2", "tt/c"], "threads go with their channel");
    state.set("t", None);
    assert_eq!(keys(&state), ["tt/c"], "channels go with their team");
}

#[test]
fn a_clone_does_not_see_what_is_changed_later() {
    let before = busy();
    let mut after = before.clone();
    after.set(KEY, Some(Position::default()));
    after.set("t/19:aa@thread.tacv2", Some(idle()));
    assert_eq!(before, busy());
    assert_eq!((after.position(KEY), keys(&after).len()), (Some(Position::default()), 5));
}

#[test]
fn another_order_of_keys_and_partitions_is_taken() {
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
fn nothing_usable_means_that_nothing_was_read() {
    let nothing = StreamState::of_partitions("contoso.com", &MESSAGE.trail());
    assert_eq!(StreamState::begin_incremental(None, "contoso.com", &MESSAGE.trail(), time(NOW)), Ok(nothing.clone()));
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
        assert_eq!(incremental(&written), Ok(nothing.clone()), "{written}");
    }
}

#[test]
fn a_full_refresh_takes_up_what_the_same_one_has_read() {
    let channel = |read_at: &str| Some(Position { read_at: Some(time(read_at)), ..Position::default() });
    let mut state = full_refresh(&Value::Null, "2026-11-20T12:00:00Z");
    assert!(state.is_full());
    state.set("t/new", channel("2026-11-20T11:00:00Z"));
    let open = WalkState { began: Some(time("2026-11-20T11:00:01Z")), ..walk(None) };
    state.set("t/open", Some(Position { walk: Some(open.clone()), ..Position::default() }));
    state.set("t/of a walk before", Some(Position { walk: Some(open), ..channel("2026-11-20T11:30:00Z").unwrap() }));
    let mut begun = written(&state);
    let [own, graph] = ["2026-11-20T12:00:00Z", "2026-11-20T11:00:00Z"].map(|clock| time(clock).timestamp());
    assert_eq!(begun["full"], json!([own, graph]));
    // As a destination could leave it that merges states of version 1: channels of an earlier state among those of this one.
    let entries = begun["partitions"][0]["entries"].as_array_mut().unwrap();
    entries.push(json!({"id": "old", "readAt": "2026-11-19T11:00:00Z"}));
    assert_eq!(keys(&full_refresh(&begun, "2026-11-20T12:00:00Z")), ["t/new", "t/open"]);
    for other in ["2026-11-28T12:00:00Z", "2026-11-12T12:00:00Z"] {
        assert!(full_refresh(&begun, other).is_empty(), "too old, or begun when our clock was wrong");
    }
    assert!(incremental(&begun).unwrap().is_empty(), "an incremental run begins anew");
    begun["partitions"][0]["entries"][0]["readAt"] = json!("soon");
    assert!(full_refresh(&begun, "2026-11-20T12:00:00Z").is_empty(), "what is damaged is not needed");
    state.end_full_refresh();
    assert_eq!(written(&state)["full"], json!([]));
    assert!(full_refresh(&written(&state), "2026-11-20T12:00:00Z").is_empty());
    assert_eq!(keys(&incremental(&written(&state)).unwrap()).len(), 3);
}

/// States that version 1 wrote in runs on a simulated tenant.
const OF_VERSION_1: [(&str, &str); 8] = [
    ("full_refresh", include_str!("version_1_states/full_refresh.json")),
    ("gone", include_str!("version_1_states/gone.json")),
    ("idle", include_str!("version_1_states/idle.json")),
    ("idle_brackets", include_str!("version_1_states/idle_brackets.json")),
    ("refused", include_str!("version_1_states/refused.json")),
    ("round", include_str!("version_1_states/round.json")),
    ("thread", include_str!("version_1_states/thread.json")),
    ("walk", include_str!("version_1_states/walk.json")),
];

#[test]
fn states_of_version_1_are_read() {
    let tenant = "fa9a3bb0-6145-48cf-a7d3-bb88d2cd89cb";
    for (name, text) in OF_VERSION_1 {
        let streams: Written<'_> = serde_json::from_str(text).unwrap();
        let begin = |written: &RawValue| match name {
            "full_refresh" => StreamState::begin_full_refresh(Some(written), tenant, &MESSAGE.trail(), time("2026-11-24T00:00:00Z")),
            _ => StreamState::begin_incremental(Some(written), tenant, &MESSAGE.trail(), time(NOW)).unwrap(),
        };
        let states: BTreeMap<_, _> = streams.into_iter().map(|(stream, written)| (stream, begin(written))).collect();
        insta::assert_json_snapshot!(format!("version_1_{name}"), states);
    }
}

/// The same states as version 2 writes them, from the release that had five streams.
const OF_VERSION_2: [(&str, &str); 8] = [
    ("full_refresh", include_str!("version_2_states/full_refresh.json")),
    ("gone", include_str!("version_2_states/gone.json")),
    ("idle", include_str!("version_2_states/idle.json")),
    ("idle_brackets", include_str!("version_2_states/idle_brackets.json")),
    ("refused", include_str!("version_2_states/refused.json")),
    ("round", include_str!("version_2_states/round.json")),
    ("thread", include_str!("version_2_states/thread.json")),
    ("walk", include_str!("version_2_states/walk.json")),
];

#[test]
fn states_of_version_2_are_read_and_written_as_they_were() {
    let tenant = "fa9a3bb0-6145-48cf-a7d3-bb88d2cd89cb";
    for (name, text) in OF_VERSION_2 {
        let streams: BTreeMap<String, &RawValue> = serde_json::from_str(text).unwrap();
        for (stream, given) in streams {
            let trail = Stream::named(&stream).unwrap().trail();
            let state = match (name, trail.is_empty()) {
                (_, true) => StreamState::begin_snapshot(Some(given)).unwrap(),
                ("full_refresh", _) => StreamState::begin_full_refresh(Some(given), tenant, &trail, time("2026-11-24T00:00:00Z")),
                _ => StreamState::begin_incremental(Some(given), tenant, &trail, time(NOW)).unwrap(),
            };
            assert_eq!(written(&state), serde_json::from_str::<Value>(given.get()).unwrap(), "{name}: {stream}");
        }
    }
}

#[test]
fn partitions_of_the_same_parents_in_many_pieces_take_no_longer_for_each() {
    let piece = |at| json!({"parents": ["t"], "entries": [{"id": format!("c{at:06}"), "readAt": 1}]});
    let (state, began) = (
        json!({"version": 2, "tenant": "contoso.com", "partitions": (0..60_000).rev().map(piece).collect::<Value>()}),
        std::time::Instant::now(),
    );
    let state = incremental(&state).unwrap();
    assert!(keys(&state).is_sorted() && keys(&state).len() == 60_000);
    assert!(began.elapsed().as_secs() < 10);
}

#[test]
fn of_marks_no_more_are_taken_than_a_run_writes() {
    let marks = |count| (0..count).map(|at| format!("{at:08x}")).collect::<Vec<_>>();
    let entries = json!([{"parents": ["t"], "entries": [{"id": "c", "damage": marks(100)}]}]);
    let state = incremental(&json!({"version": 2, "tenant": "contoso.com", "damage": marks(5000), "partitions": entries})).unwrap();
    assert_eq!(state.damage(), marks(MOST_DAMAGE));
    assert_eq!(state.position("t/c").unwrap().damage, marks(MOST_DAMAGE_OF_PARTITION));
}

/// Stands wherever something is wrong: nothing of a state is shown.
const CANARY: &str = "s3cret-canary";

#[test]
fn what_cannot_be_used_is_named_by_its_key_and_not_shown() {
    let one = |channel: Value| json!({"version": 1, "tenant": "contoso.com", "channels": {"t/c": channel}});
    let groups = |groups: Value| json!({"version": 2, "tenant": "contoso.com", "full": [], "partitions": groups});
    let two = |mut entry: Value| {
        entry["id"] = json!("c");
        groups(json!([{"parents": ["t"], "entries": [entry]}]))
    };
    let page = "/v1.0/teams/t/channels/c/messages?$skiptoken=s3cret-canary";
    let mut said = String::new();
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
        said += &format!("{written}\n    {reason}\n");
    }
    insta::assert_snapshot!(said);
    let damage = to_raw_value(&json!({"version": 2, "damage": [5, CANARY]})).unwrap();
    assert_eq!(StreamState::begin_snapshot(Some(&damage)).unwrap_err().to_string(), "`damage[0]` is not a string");
}

mod merged {
    //! Whatever two states a consumer merges, the newer one is read.

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

    /// A link below the list of a partition, in one of the spellings of Graph.
    fn link(key: &str, below: &str) -> BoxedStrategy<String> {
        let (ids, below): (Vec<String>, _) = (ids(key).collect(), below.to_owned());
        (any::<bool>(), "[a-z=%&]{1,9}")
            .prop_map(move |(is_bracketed, query)| {
                let part = |name: &str, id: &String| if is_bracketed { format!("/{name}('{id}')") } else { format!("/{name}/{id}") };
                let parts: String = ["teams", "channels", "messages"].iter().zip(&ids).map(|(name, id)| part(name, id)).collect();
                let list = if ids.len() == 3 { "replies" } else { "messages" };
                format!("/v1.0{parts}/{list}{below}?{query}")
            })
            .boxed()
    }

    fn walk(key: &str) -> BoxedStrategy<WalkState> {
        let times = (option::of(moment()), clock(), option::of(moment()), moment(), clock(), option::of(moment()));
        (option::of(link(key, "")), times)
            .prop_map(|(link, (head, read_at, until, floor, began, owed))| WalkState {
                link,
                head,
                read_at: Some(read_at),
                until,
                began: Some(began),
                owed,
                ..WalkState::new(floor)
            })
            .boxed()
    }

    fn channel(key: &str) -> BoxedStrategy<Position> {
        let round = (link(key, "/delta"), clock()).prop_map(|(link, at)| RoundState { link, at });
        let delta = (option::of(link(key, "/delta()")), option::of(clock()), option::of(round), option::of(clock()));
        let times = (option::of(moment()), option::of(clock()), option::of(moment()));
        (times, option::of(walk(key)), delta, prop::collection::vec("[0-9a-f]{8}", 0..3))
            .prop_map(|((last_modified_date_time, read_at, since), walk, (delta_link, delta_at, round, refused_at), damage)| Position {
                last_modified_date_time,
                read_at,
                since,
                walk,
                delta_link,
                delta_at,
                delta: DeltaState { round, refused_at },
                damage,
                ..Position::default()
            })
            .boxed()
    }

    /// A state, or one of a full refresh that is under way.
    fn state() -> impl Strategy<Value = StreamState> {
        let full = option::of((clock(), option::of(clock()))).prop_map(|full| full.map(|(begun, mark)| Full { begun, mark }));
        (KEYS.map(|key| option::of(channel(key))), full).prop_map(|(channels, full)| {
            let mut state = StreamState {
                damage: Vec::new(),
                partitioned: Some(Partitioned { full, ..Partitioned::new("contoso.com", MESSAGE.trail()) }),
            };
            KEYS.into_iter().zip(channels).for_each(|(key, channel)| state.set(key, channel));
            state
        })
    }

    /// The state as version 1 wrote it: null wherever something is absent, and for a channel that is gone.
    fn as_version_1(state: &StreamState) -> Value {
        let text = |time: Option<DateTime<Utc>>| time.map(|time| time.to_rfc3339());
        let channels: Map<_, _> = KEYS
            .into_iter()
            .map(|key| {
                let channel = state.position(key).map(|channel| {
                    let walk = channel.walk.map(|walk| {
                        json!({"link": walk.link, "head": text(walk.head), "readAt": text(walk.read_at), "until": text(walk.until),
                            "floor": walk.floor, "began": text(walk.began), "owed": text(walk.owed)})
                    });
                    let round = channel.delta.round.map(|round| json!({"link": round.link, "at": round.at}));
                    let delta = json!({"round": round, "refusedAt": text(channel.delta.refused_at)});
                    json!({"lastModifiedDateTime": text(channel.last_modified_date_time), "readAt": text(channel.read_at),
                        "since": text(channel.since), "walk": walk, "deltaLink": channel.delta_link, "deltaAt": text(channel.delta_at),
                        "delta": delta, "damage": channel.damage})
                });
                (key.to_owned(), json!(channel))
            })
            .collect();
        let full = state.partitioned.as_ref().and_then(|own| own.full).map(|full| full.mark.map_or(json!(true), |mark| json!(mark)));
        json!({"version": 1, "tenant": "contoso.com", "full": full, "channels": channels})
    }

    /// What is read, whether or not a full refresh is under way.
    fn read_from(written: &Value) -> Partitioned {
        let raw = to_raw_value(written).unwrap();
        let (version, members) = read(Some(&raw)).unwrap().unwrap();
        Partitioned::read(version, &members, "contoso.com", &MESSAGE.trail()).unwrap()
    }

    fn bookmarks(state: Value) -> Map<String, Value> {
        json!({"bookmarks": {"messages": state}}).as_object().unwrap().clone()
    }

    proptest! {
        #[test]
        fn no_time_of_graphs_clock_is_later_than_ours_and_than_the_messages(state in state(), now in clock()) {
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
        fn the_newer_state_is_read(old in state(), new in state(), versions in prop::sample::select(vec![(2, 2), (1, 2), (2, 1)])) {
            let form = |state: &StreamState, version| if version == 1 { as_version_1(state) } else { written(state) };
            let mut kept = bookmarks(form(&old, versions.0));
            merge(&mut kept, &bookmarks(form(&new, versions.1))).unwrap();
            let read = read_from(&kept["bookmarks"]["messages"]);
            let new = new.partitioned.as_ref().unwrap();
            prop_assert_eq!(&read.partitions, &new.partitions);
            prop_assert_eq!(read.full.map(|full| full.mark), new.full.map(|full| full.mark));
        }
    }
}
