//! Which streams are tried: those that are selected by default, and those that are named.

use graph_sim::{Class, Fault, GraphSim, Rule};
use serde_json::{Value, json};

use super::{assert_each_is_asked_once, lines, pin, said};
use crate::support::{Tap, config, everything, tenant};

const NO_CHANNEL: &str = "19:00000000000000000000000000000000@thread.tacv2";

/// What `check --streams` writes.
fn said_of(sim: &GraphSim, streams: &str, settings: Value) -> String {
    sim.clear_journal();
    let tap = Tap::new(&config(sim, settings));
    let check = tap.run(&["check", "--config", "config.json", "--streams", streams]);
    assert_each_is_asked_once(sim);
    lines(&check)
}

#[test]
fn streams_that_are_named_are_tried_beside_those_that_are_selected_by_default() {
    let sim = tenant(2, 2, 1);
    let (team, channel) = sim.truth().channels.into_keys().next().unwrap();
    let named = json!({"team_id": team, "channel_id": channel});
    let mut told = vec![("a further stream of any channel", said_of(&sim, "channel_members", everything()))];
    told.push(("of a channel that is named", said_of(&sim, "channel_members, teams", named.clone())));
    told.push(("nothing is said of channels", said_of(&sim, "channel_members", json!({"team_id": team}))));
    told.push(("of a channel that is not there", said_of(&sim, "channel_members", json!({"team_id": team, "channel_id": NO_CHANNEL}))));
    told.push(("a stream that there is not", said_of(&sim, "channel_members,chats", everything())));
    sim.inject(Rule::new(Fault::graph(400, "BadRequest", "It is broken")).class(Class::AllMembers));
    told.push(("Graph does not give its list", said_of(&sim, "channel_members", everything())));
    sim.clear_faults();
    sim.set_roles(&[
        "GroupMember.Read.All",
        "Team.ReadBasic.All",
        "Channel.ReadBasic.All",
        "TeamMember.Read.All",
        "ChannelMessage.Read.All",
    ]);
    told.push(("its permission is missing", said_of(&sim, "channel_members", named)));
    pin("streams_that_are_named_are_tried", &told);
}

#[test]
fn a_stream_that_is_not_selected_by_default_is_not_tried() {
    let sim = tenant(1, 1, 1);
    let said = said(&sim, &everything());
    assert!(!said.contains("channel_members"), "{said}");
    assert_eq!(sim.count(Class::AllMembers), 0);
}
