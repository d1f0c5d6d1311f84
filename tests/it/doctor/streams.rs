//! Which streams are checked: the default ones, and those named on the command line.

use graph_sim::{Class, Fault, GraphSim, Rule};
use serde_json::{Value, json};

use super::{assert_no_request_twice, assert_snapshot, checked, lines};
use crate::support::{Tap, config, everything, tenant};

const NO_CHANNEL: &str = "19:00000000000000000000000000000000@thread.tacv2";

/// The output of `check --streams`.
fn output_of(sim: &GraphSim, streams: &str, settings: Value) -> String {
    sim.clear_journal();
    let tap = Tap::new(&config(sim, settings));
    let check = tap.run(&["check", "--config", "config.json", "--streams", streams]);
    assert_no_request_twice(sim);
    lines(&check)
}

#[test]
fn named_streams_are_checked_in_addition_to_the_default_ones() {
    let sim = tenant(2, 2, 1);
    let (team, channel) = sim.truth().channels.into_keys().next().unwrap();
    let named = json!({"team_id": team, "channel_id": channel});
    let mut outputs = vec![("an opt-in stream, in any channel", output_of(&sim, "channel_members", everything()))];
    outputs.push(("in a configured channel", output_of(&sim, "channel_members, teams", named.clone())));
    outputs.push(("no channel is configured", output_of(&sim, "channel_members", json!({"team_id": team}))));
    outputs
        .push(("in a channel that does not exist", output_of(&sim, "channel_members", json!({"team_id": team, "channel_id": NO_CHANNEL}))));
    outputs.push(("an unknown stream", output_of(&sim, "channel_members,chats", everything())));
    sim.inject(Rule::new(Fault::graph(400, "BadRequest", "It is broken")).class(Class::AllMembers));
    outputs.push(("Graph does not return its list", output_of(&sim, "channel_members", everything())));
    sim.clear_faults();
    sim.set_roles(&[
        "GroupMember.Read.All",
        "Team.ReadBasic.All",
        "Channel.ReadBasic.All",
        "TeamMember.Read.All",
        "ChannelMessage.Read.All",
    ]);
    outputs.push(("its permission is missing", output_of(&sim, "channel_members", named)));
    assert_snapshot("named_streams_are_checked", &outputs);
}

#[test]
fn opt_in_streams_are_not_checked_by_default() {
    let sim = tenant(1, 1, 1);
    let output = checked(&sim, &everything());
    assert!(!output.contains("channel_members"), "{output}");
    assert_eq!(sim.count(Class::AllMembers), 0);
}
