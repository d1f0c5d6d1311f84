//! Channels that are deleted, and channels that only fail today.

use graph_sim::{Block, Class, Fault, MessageRef, Options, Post, Rule};
use scenario::states;
use serde_json::{Value, json};

use super::{BOTH, DAY, HOUR, MESSAGES, REPLIES, Reader, spec};
use crate::support::Protocol;

/// A reader of two known channels, and the id of the second one.
fn two_channels(protocol: Protocol) -> (Reader, String) {
    let mut reader = Reader::new(Options::new(spec(2, 24)).manual_clock()).with_protocol(protocol);
    for _ in 0..2 {
        reader.read();
        reader.later(HOUR);
    }
    let channel = reader.channels().swap_remove(1);
    (reader, channel)
}

fn edit_in(reader: &Reader, channel: &str) -> MessageRef {
    reader.sim.with_tenant(|tenant| {
        let root = tenant.roots(channel).swap_remove(20);
        tenant.edit(&root, "edited").unwrap();
        root
    })
}

#[test]
fn a_deleted_channel_is_removed_from_the_state() {
    for protocol in BOTH {
        let (mut reader, channel) = two_channels(protocol);
        let key = reader.key(&channel);
        reader.sim.with_tenant(|tenant| tenant.delete_channel(&channel)).unwrap();
        let run = reader.read();
        assert!(run.warnings("").is_empty(), "{:?}", run.warnings(""));
        for stream in [MESSAGES, REPLIES] {
            let keys: Vec<_> = states::entries(&reader.states[stream]).map(|(key, _)| key).collect();
            assert!(keys.len() == 1 && !keys.contains(&key), "{stream}: {keys:?}");
        }
        reader.later(HOUR);
        let run = reader.read();
        assert_eq!((run.emitted_total(), run.message_requests()), (0, 2));
    }
}

#[test]
fn a_deleted_channel_is_recognised_in_the_message_of_an_outage() {
    let (mut reader, channel) = two_channels(Protocol::Airbyte);
    reader.sim.with_tenant(|tenant| tenant.delete_channel(&channel)).unwrap();
    let words = Fault::graph(404, "NotFound", "Failed to execute Skype backend request GetThreadS2SRequest.");
    reader.sim.inject(Rule::new(words).class(Class::Other).channel(&channel));
    let run = reader.read();
    assert!(run.warnings("").is_empty(), "{:?}", run.warnings(""));
    assert!(reader.sim.faults_applied() > 0, "the channel was requested");
    for stream in [MESSAGES, REPLIES] {
        assert_eq!(states::entries(&reader.states[stream]).count(), 1, "{stream}");
    }
}

#[test]
fn threads_of_a_deleted_channel_are_removed_from_the_state() {
    let (mut reader, channel) = two_channels(Protocol::Airbyte);
    let thread = reader.sim.read_tenant(|tenant| {
        let mut roots = tenant.roots(&channel).into_iter();
        roots.find(|root| !tenant.replies(root).is_empty()).unwrap()
    });
    reader.streams = vec![REPLIES];
    reader.set(json!({"fetch_all_messages": false, "message_id": thread.id_text()}));
    reader.read();
    let key = format!("{}/{}", reader.key(&channel), thread.id);
    assert!(states::entry(&reader.states[REPLIES], &key).is_object());
    reader.sim.with_tenant(|tenant| tenant.delete_channel(&channel)).unwrap();
    reader.set(json!({"fetch_all_messages": true}));
    reader.read();
    assert!(states::entry(&reader.states[REPLIES], &key).is_null());
}

#[test]
fn a_channel_that_is_forbidden_today_keeps_its_state() {
    for protocol in BOTH {
        let (mut reader, channel) = two_channels(protocol);
        let before = [MESSAGES, REPLIES].map(|stream| reader.state(stream, &channel).clone());
        reader.sim.with_tenant(|tenant| tenant.block_channel(&channel, Block::forbidden())).unwrap();
        let run = reader.read();
        assert_eq!(run.warnings(&channel).len(), 1, "{:?}", run.warnings(""));
        assert_kept_and_used(&mut reader, &channel, &before);
    }
}

#[test]
fn a_channel_without_a_response_today_keeps_its_state() {
    let (mut reader, channel) = two_channels(Protocol::Singer);
    let before = [MESSAGES, REPLIES].map(|stream| reader.state(stream, &channel).clone());
    reader.sim.inject(Rule::new(Fault::status(503)).channel(&channel));
    let run = reader.run();
    assert_eq!(run.output.status, Some(1));
    reader.sim.clear_faults();
    assert_kept_and_used(&mut reader, &channel, &before);
}

#[test]
fn a_channel_that_is_listed_but_missing_today_keeps_its_state() {
    let (mut reader, channel) = two_channels(Protocol::Airbyte);
    let before = [MESSAGES, REPLIES].map(|stream| reader.state(stream, &channel).clone());
    reader.sim.with_tenant(|tenant| tenant.block_channel(&channel, Block::not_found())).unwrap();
    reader.read();
    assert_kept_and_used(&mut reader, &channel, &before);
}

/// The relevant state of the channel is unchanged, and the next run that can read the channel continues from it.
fn assert_kept_and_used(reader: &mut Reader, channel: &str, before: &[Value; 2]) {
    for (stream, before) in [MESSAGES, REPLIES].into_iter().zip(before) {
        let now = reader.state(stream, channel);
        for key in ["lastModifiedDateTime", "readAt", "since", "deltaLink"] {
            assert_eq!(now[key], before[key], "{stream}: {key}");
        }
    }
    reader.sim.with_tenant(|tenant| tenant.block_channel(channel, None)).unwrap();
    reader.later(DAY);
    let edited = edit_in(reader, channel);
    let run = reader.read();
    assert_eq!((run.emitted_total(), run.emits(&edited), run.message_requests()), (1, true, 4));
    reader.assert_complete();
}

#[test]
fn an_empty_list_of_channels_does_not_clear_the_state() {
    for protocol in BOTH {
        let (mut reader, channel) = two_channels(protocol);
        let before = reader.states.clone();
        let nothing = Fault::respond(200, &[("content-type", "application/json")], r#"{"value":[]}"#);
        reader.sim.inject(Rule::new(nothing).class(Class::Channels));
        let run = reader.run();
        reader.sim.clear_faults();
        assert_eq!((run.output.status, run.request_count(Class::Channels) >= 2), (Some(1), true), "requested again, then a failure");
        for stream in [MESSAGES, REPLIES] {
            assert_eq!(reader.states[stream]["partitions"], before[stream]["partitions"], "{stream}");
        }
        // The empty list was temporary.
        reader.sim.inject(Rule::new(Fault::respond(200, &[], r#"{"value":[]}"#)).class(Class::Channels).times(1));
        let edited = edit_in(&reader, &channel);
        let run = reader.read();
        assert_eq!((run.emitted_total(), run.emits(&edited)), (1, true));
        reader.assert_complete();
    }
}

#[test]
fn a_channel_missing_from_one_list_is_still_read() {
    for protocol in BOTH {
        let (mut reader, channel) = two_channels(protocol);
        let incomplete = json!({"value": [{"id": reader.channel(), "displayName": "General"}]}).to_string();
        reader.sim.inject(Rule::new(Fault::respond(200, &[], incomplete)).class(Class::Channels).times(1));
        let edited = edit_in(&reader, &channel);
        reader.later(HOUR);
        let run = reader.read();
        assert_eq!((run.emitted_total(), run.emits(&edited)), (1, true));
        assert_continued(&mut reader, &channel);
    }
}

#[test]
fn a_channel_that_is_no_longer_configured_keeps_its_state() {
    let (mut reader, channel) = two_channels(Protocol::Singer);
    let (team, first) = (reader.sim.read_tenant(|tenant| tenant.team_ids().swap_remove(0)), reader.channel());
    reader.set(json!({"fetch_all_teams": false, "fetch_all_channels": false, "team_id": team, "channel_id": first}));
    let run = reader.read();
    assert_eq!(run.message_requests(), 2);
    reader.later(HOUR);
    reader.sim.with_tenant(|tenant| tenant.post(&channel, Post::text("meanwhile"))).unwrap();
    reader.set(json!({"channel_id": format!("{first},{channel}")}));
    assert_eq!(reader.read().emitted_total(), 1);
    reader.assert_complete();
}

/// Adds unknown channels to the states: this many in each of this many teams.
fn add_unknown_channels(reader: &mut Reader, teams: usize, channels: usize) {
    for stream in [MESSAGES, REPLIES] {
        let entries: Vec<_> =
            (0..channels).map(|number| json!({"id": format!("19:{number:032x}@thread.tacv2"), "readAt": 1_732_525_200})).collect();
        let groups = reader.states[stream]["partitions"].as_array_mut().unwrap();
        groups.extend((0..teams).map(|team| json!({"parents": [format!("00000000-0000-4000-8000-{team:012}")], "entries": entries})));
    }
}

/// Existing channels keep their state: only their changes are emitted.
fn assert_continued(reader: &mut Reader, channel: &str) {
    reader.later(HOUR);
    let edited = edit_in(reader, channel);
    let run = reader.read();
    assert_eq!((run.emitted_total(), run.emits(&edited)), (1, true));
    reader.assert_complete();
}

#[test]
fn the_channels_of_a_deleted_team_are_removed_with_one_request() {
    for protocol in BOTH {
        let (mut reader, channel) = two_channels(protocol);
        add_unknown_channels(&mut reader, 30, 100);
        let run = reader.read();
        assert_eq!((run.request_count(Class::Team), run.request_count(Class::Other)), (30, 0), "one for both streams");
        for stream in [MESSAGES, REPLIES] {
            assert_eq!(states::entries(&reader.states[stream]).count(), 2);
        }
        assert_continued(&mut reader, &channel);
    }
}

#[test]
fn thousands_of_unlisted_channels_are_requested_in_several_runs() {
    let (mut reader, channel) = two_channels(Protocol::Singer);
    add_unknown_channels(&mut reader, 150, 20);
    // The request for the existing team.
    let team = reader.sim.read_tenant(|tenant| tenant.team_ids().swap_remove(0));
    for stream in [MESSAGES, REPLIES] {
        let groups = reader.states[stream]["partitions"].as_array_mut().unwrap();
        let unknown = groups.last().unwrap()["entries"].clone();
        let group = groups.iter_mut().find(|group| group["parents"][0] == *team).unwrap();
        group["entries"].as_array_mut().unwrap().extend(unknown.as_array().unwrap().clone());
    }
    let mut requested = Vec::new();
    while states::entries(&reader.states[MESSAGES]).count() > 2 {
        let run = reader.read();
        requested.push(run.request_count(Class::Team) + run.request_count(Class::Other));
        assert!(requested.len() < 6, "{requested:?}");
        reader.later(HOUR);
    }
    assert!(
        requested.len() > 1 && requested.iter().all(|requested| *requested <= 100) && requested.iter().sum::<u64>() == 170,
        "{requested:?}"
    );
    assert_continued(&mut reader, &channel);
}

#[test]
fn the_state_of_a_team_that_is_not_listed_today_is_kept() {
    for block in [Fault::graph(403, "Forbidden", "no"), Fault::status(503), Fault::respond(200, &[], json!({"id": "t"}).to_string())] {
        let (mut reader, channel) = two_channels(Protocol::Airbyte);
        // The list omits the team, and nothing shows that it is deleted.
        reader.sim.inject(Rule::new(Fault::respond(200, &[], json!({"value": []}).to_string())).class(Class::Groups).times(1));
        reader.sim.inject(Rule::new(block).class(Class::Team));
        reader.run();
        reader.sim.clear_faults();
        assert_continued(&mut reader, &channel);
    }
}
