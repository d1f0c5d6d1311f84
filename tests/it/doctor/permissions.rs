//! Set-ups to which Graph refuses something.

use graph_sim::{Class, Fault, GraphSim, Rule};
use serde_json::json;

use super::{pin, said};
use crate::support::{everything, tenant};

/// What all streams take.
const ALL_ROLES: [&str; 5] =
    ["GroupMember.Read.All", "Team.ReadBasic.All", "Channel.ReadBasic.All", "TeamMember.Read.All", "ChannelMessage.Read.All"];

/// A tenant in which the application has these permissions.
fn granted(roles: &[&str]) -> GraphSim {
    let sim = tenant(2, 2, 2);
    sim.set_roles(roles);
    sim
}

/// What is granted beside this permission.
fn without(lacking: &str) -> Vec<&'static str> {
    ALL_ROLES.into_iter().filter(|role| *role != lacking).collect()
}

/// A tenant in which everything is granted and Graph refuses the messages all the same.
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
fn what_graph_refuses_is_explained_by_the_token() {
    let all = everything();
    let named = |sim: &GraphSim| {
        let (team, channel) = sim.truth().channels.into_keys().next().unwrap();
        json!({"team_id": team, "channel_id": channel, "fetch_all_messages": true})
    };
    let without_groups = ["Team.ReadBasic.All", "Channel.ReadBasic.All", "ChannelMessage.Read.All", "TeamMember.Read.All", "Chat.Read.All"];
    let nothing_is_sure = Fault::status(403);
    let licence = "Failed to get license information for the user. Ensure user has a valid Office365 license assigned to them.";
    let mut told = Vec::new();
    let mut tell = |what, sim: GraphSim| told.push((what, said(&sim, &all)));
    tell("everything is granted", granted(&ALL_ROLES));
    tell("more is granted than must be", granted(&["Group.Read.All", "TeamMember.ReadWrite.All"]));
    tell("no permission at all", granted(&[]));
    tell("all but to list groups", granted(&without_groups));
    tell("a permission is missing: messages", granted(&without("ChannelMessage.Read.All")));
    tell("the same, and another permission is named for policies", {
        granted(&[&without("ChannelMessage.Read.All")[..], &["Policy.Read.All", "LicenseAssignment.Read.All"]].concat())
    });
    tell("teams can be listed, channels cannot", granted(&without("Channel.ReadBasic.All")));
    tell("groups can be listed, teams cannot be read", granted(&without("Team.ReadBasic.All")));
    tell("a permission that should do, and with which Graph refuses", {
        let sim = granted(&["Group.ReadWrite.All", "TeamMember.Read.All"]);
        sim.switches(|switches| switches.group_roles_open_messages = false);
        sim
    });
    tell("an opaque token without permissions", opaque(granted(&[])));
    tell("an opaque token, and a refusal that says nothing", opaque(refusing(nothing_is_sure.clone())));
    tell("refused in spite of the permission", refusing(nothing_is_sure));
    tell("a licence is wanted (403)", refusing(Fault::graph(403, "Forbidden", licence)));
    tell("a licence is wanted (402)", refusing(Fault::graph(402, "PaymentRequired", "Payment Required")));
    tell("a policy of the tenant", refusing(Fault::graph(403, "Forbidden", "User Login. Teams is disabled for your tenant.")));
    tell("a token that Graph does not take", {
        let sim = granted(&ALL_ROLES);
        sim.inject(Rule::new(Fault::status(401)).door(graph_sim::Door::Graph));
        sim
    });
    let sim = granted(&["ChannelMessage.Read.All"]);
    let settings = named(&sim);
    told.push(("messages of one channel, and no other permission", said(&sim, &settings)));
    let mut settings = settings;
    settings["team_id"] = sim.truth().teams.into_keys().collect::<Vec<_>>().into();
    told.push(("the same, and the channel may be in any of two teams", said(&sim, &settings)));
    let sim = granted(&ALL_ROLES[..1]);
    let mut settings = named(&sim);
    settings["cloud"] = "us_gov".into();
    settings["tenant_id"] = sim.credentials().domain.clone().into();
    told.push(("the consent of a tenant in another cloud that is named by its domain", said(&sim, &settings)));
    pin("what_graph_refuses_is_explained_by_the_token", &told);
}
