//! Set-ups that name channels and messages without the place in which they are.

use graph_sim::{Block, Class};
use serde_json::{Value, json};

use super::{pin, said};
use crate::support::tenant;

const NO_CHANNEL: &str = "19:00000000000000000000000000000000@thread.tacv2";
const NO_MESSAGE: &str = "1616963377068";

/// Of all teams these channels.
fn channels(ids: &[&str]) -> Value {
    json!({"fetch_all_teams": true, "channel_id": ids, "fetch_all_messages": true})
}

/// Of all channels these threads.
fn threads(ids: &[&str]) -> Value {
    json!({"fetch_all_teams": true, "fetch_all_channels": true, "message_id": ids})
}

#[test]
fn what_is_named_without_its_place_is_looked_for() {
    let sim = tenant(3, 2, 2);
    sim.with_tenant(|tenant| tenant.create_group_without_team("No team yet"));
    let truth = sim.truth();
    let (team, channel) = truth.channels.keys().last().unwrap().clone();
    let other_team = truth.channels.keys().next().unwrap().0.clone();
    let message = truth.messages.keys().last().unwrap().1.to_string();
    let nowhere = "11111111-2222-3333-4444-555555555555";
    let cases = [
        ("a channel of any team", channels(&[&channel])),
        ("a channel of no team", channels(&[NO_CHANNEL])),
        ("one of two channels is in no team", channels(&[&channel, NO_CHANNEL])),
        ("a channel of neither of two teams", json!({"team_id": [other_team, team], "channel_id": NO_CHANNEL, "fetch_all_messages": true})),
        (
            "a channel of teams that are not there",
            json!({"team_id": [nowhere, "11111111-2222-3333-4444-666666666666"], "channel_id": channel, "fetch_all_messages": true}),
        ),
        (
            "the second of two channels of a team is not there",
            json!({"team_id": team, "channel_id": [channel, NO_CHANNEL], "fetch_all_messages": true}),
        ),
        (
            "the second of two teams is not there",
            json!({"team_id": [team, nowhere], "fetch_all_channels": true, "fetch_all_messages": true}),
        ),
        ("a message of any channel", threads(&[&message])),
        ("a message of no channel", threads(&[NO_MESSAGE])),
        ("one of two messages is in no channel", threads(&[&message, NO_MESSAGE])),
    ];
    let told: Vec<_> = cases.into_iter().map(|(what, settings)| (what, said(&sim, &settings))).collect();
    pin("what_is_named_without_its_place_is_looked_for", &told);
}

#[test]
fn a_check_does_not_look_into_every_team_and_says_so() {
    let sim = tenant(24, 1, 1);
    let lists = || sim.journal().entries().filter(|entry| entry.request.path.ends_with("/channels")).count();
    let truth = sim.truth();
    let there = &truth.channels.keys().next().unwrap().1;
    let mut told = Vec::new();
    for (what, settings) in [
        ("a channel of none of the first teams", channels(&[NO_CHANNEL])),
        ("a message of none of the first channels", threads(&[NO_MESSAGE])),
    ] {
        told.push((what, said(&sim, &settings)));
        assert_eq!(lists(), 20);
    }
    assert_eq!(sim.count(Class::Messages) + sim.count(Class::Replies), 21);
    // Which teams come first is Graph's choice: the channel of one team at least is beyond them.
    let both = truth.channels.keys().map(|(_, channel)| said(&sim, &channels(&[channel]))).collect::<Vec<_>>();
    let (known, unknown): (Vec<_>, Vec<_>) = both.iter().partition(|said| !said.contains("not known yet"));
    assert_eq!((known.len(), unknown.len()), (20, 4));
    assert!(known.iter().all(|said| said.contains("messages: works\n")), "{there}");
    pin("a_check_does_not_look_into_every_team_and_says_so", &told);
}

#[test]
fn a_team_that_is_refused_does_not_hide_a_channel_of_another() {
    let sim = tenant(3, 1, 1);
    let truth = sim.truth();
    let blocked = truth.channels.keys().next().unwrap();
    sim.with_tenant(|tenant| tenant.block_team(&blocked.0, Block::forbidden())).unwrap();
    for (_, channel) in truth.channels.keys().filter(|channel| *channel != blocked) {
        let said = said(&sim, &json!({"fetch_all_teams": true, "channel_id": channel, "fetch_all_messages": true}));
        assert!(said.contains("LOG INFO: messages: works\n"), "{said}");
    }
}

#[test]
fn where_channels_may_not_be_listed_they_are_tried_in_each_team() {
    let sim = tenant(2, 1, 1);
    sim.set_roles(&[
        "GroupMember.Read.All",
        "Team.ReadBasic.All",
        "TeamSettings.Read.All",
        "TeamMember.Read.All",
        "ChannelMessage.Read.All",
    ]);
    for (_, channel) in sim.truth().channels.keys() {
        let said = said(&sim, &channels(&[channel]));
        assert!(said.contains("LOG INFO: messages: works\n"), "{said}");
    }
    let said = said(&sim, &channels(&[NO_CHANNEL]));
    assert!(said.contains(&format!("LOG WARN: messages: `channel_id` {NO_CHANNEL} was not found in any of the teams")), "{said}");
}

#[test]
fn the_permission_for_messages_is_tried_though_the_channel_is_not_found_yet() {
    let sim = tenant(21, 1, 1);
    sim.set_roles(&["GroupMember.Read.All", "Team.ReadBasic.All", "TeamSettings.Read.All", "TeamMember.Read.All", "Channel.ReadBasic.All"]);
    let said = said(&sim, &channels(&[NO_CHANNEL]));
    assert!(said.contains("messages: the token does not have the application permission ChannelMessage.Read.All"), "{said}");
}
