//! Setups in which Graph refuses something.

use graph_sim::{Class, Fault, GraphSim, Rule};
use serde_json::json;

use super::{assert_snapshot, checked};
use crate::support::{everything, tenant};

/// The permissions that all streams need.
const ALL_ROLES: [&str; 5] =
    ["GroupMember.Read.All", "Team.ReadBasic.All", "Channel.ReadBasic.All", "TeamMember.Read.All", "ChannelMessage.Read.All"];

/// A tenant in which the application has these permissions.
fn granted(roles: &[&str]) -> GraphSim {
    let sim = tenant(2, 2, 2);
    sim.set_roles(roles);
    sim
}

/// All of these permissions but one.
fn without(lacking: &str) -> Vec<&'static str> {
    ALL_ROLES.into_iter().filter(|role| *role != lacking).collect()
}

/// A tenant in which every permission is granted but Graph refuses the messages.
fn refusing(fault: Fault) -> GraphSim {
    let sim = granted(&ALL_ROLES);
    sim.inject(Rule::new(fault).class(Class::Messages));
    sim
}

fn opaque(sim: GraphSim) -> GraphSim {
    sim.switches(|switches| switches.opaque_tokens = true);
    sim
}

#[test]
fn refusals_are_explained_with_the_roles_of_the_token() {
    let all = everything();
    let named = |sim: &GraphSim| {
        let (team, channel) = sim.truth().channels.into_keys().next().unwrap();
        json!({"team_id": team, "channel_id": channel, "fetch_all_messages": true})
    };
    let without_groups = ["Team.ReadBasic.All", "Channel.ReadBasic.All", "ChannelMessage.Read.All", "TeamMember.Read.All", "Chat.Read.All"];
    let unexplained = Fault::status(403);
    let licence = "Failed to get license information for the user. Ensure user has a valid Office365 license assigned to them.";
    let mut outputs = Vec::new();
    let mut add = |setup, sim: GraphSim| outputs.push((setup, checked(&sim, &all)));
    add("everything is granted", granted(&ALL_ROLES));
    add("more is granted than necessary", granted(&["Group.Read.All", "TeamMember.ReadWrite.All"]));
    add("no permission at all", granted(&[]));
    add("all but to list groups", granted(&without_groups));
    add("a permission is missing: messages", granted(&without("ChannelMessage.Read.All")));
    add("the same, with permissions that have Policy and License in their names", {
        granted(&[&without("ChannelMessage.Read.All")[..], &["Policy.Read.All", "LicenseAssignment.Read.All"]].concat())
    });
    add("teams can be listed, channels cannot", granted(&without("Channel.ReadBasic.All")));
    add("groups can be listed, teams cannot be read", granted(&without("Team.ReadBasic.All")));
    add("a permission that should be enough, but Graph refuses", {
        let sim = granted(&["Group.ReadWrite.All", "TeamMember.Read.All"]);
        sim.switches(|switches| switches.group_roles_open_messages = false);
        sim
    });
    add("an opaque token without permissions", opaque(granted(&[])));
    add("an opaque token, and an unexplained refusal", opaque(refusing(unexplained.clone())));
    add("refused although the permission is granted", refusing(unexplained));
    add("a licence is missing (403)", refusing(Fault::graph(403, "Forbidden", licence)));
    add("a licence is missing (402)", refusing(Fault::graph(402, "PaymentRequired", "Payment Required")));
    add("a policy of the tenant", refusing(Fault::graph(403, "Forbidden", "User Login. Teams is disabled for your tenant.")));
    add("a token that Graph does not accept", {
        let sim = granted(&ALL_ROLES);
        sim.inject(Rule::new(Fault::status(401)).host(graph_sim::Host::Graph));
        sim
    });
    let sim = granted(&["ChannelMessage.Read.All"]);
    let settings = named(&sim);
    outputs.push(("messages of one channel, and no other permission", checked(&sim, &settings)));
    let mut settings = settings;
    settings["team_id"] = sim.truth().teams.into_keys().collect::<Vec<_>>().into();
    outputs.push(("the same, and the channel may be in any of two teams", checked(&sim, &settings)));
    let sim = granted(&ALL_ROLES[..1]);
    let mut settings = named(&sim);
    settings["cloud"] = "us_gov".into();
    settings["tenant_id"] = sim.credentials().domain.clone().into();
    outputs.push(("the consent of a tenant in another cloud, configured by its domain", checked(&sim, &settings)));
    assert_snapshot("refusals_are_explained_with_the_roles_of_the_token", &outputs);
}
