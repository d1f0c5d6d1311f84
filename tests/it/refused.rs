//! Missing permissions: what is missing and what the token has is reported once.

use graph_sim::{Class, Fault, GraphSim, Rule};
use serde_json::Value;

use crate::support::{ALL, Output, Tap, config, everything, tenant};

/// The permissions of all streams except messages.
const WITHOUT_MESSAGES: [&str; 4] = ["GroupMember.Read.All", "Team.ReadBasic.All", "Channel.ReadBasic.All", "TeamMember.Read.All"];

fn tenant_with_roles(roles: &[&str]) -> (GraphSim, Tap) {
    let sim = tenant(3, 6, 1);
    sim.set_roles(roles);
    let tap = Tap::new(&config(&sim, everything()));
    (sim, tap)
}

fn plan(tap: &Tap) -> (Vec<String>, Vec<String>) {
    let finished = tap.execute(&["plan", "--config", "config.json", "--format", "json"], &[]);
    let plan: Value = serde_json::from_str(&finished.stdout).unwrap();
    let texts = |key: &str| plan[key].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect();
    (texts("refused"), texts("failed"))
}

/// The errors of the streams, which must be exactly these streams.
fn errors<'o>(output: &'o Output, streams: &[&str]) -> Vec<&'o str> {
    let errors = output.errors();
    assert_eq!(errors.iter().map(|(_, stream, _)| *stream).collect::<Vec<_>>(), streams, "{errors:?}");
    assert!(errors.iter().all(|(kind, ..)| *kind == "config_error"));
    errors.into_iter().map(|(.., text)| text).collect()
}

#[test]
fn a_missing_permission_is_reported_once_for_any_number_of_parents() {
    let (_sim, tap) = tenant_with_roles(&WITHOUT_MESSAGES);
    let output = tap.read(&ALL);
    let has = "the token has GroupMember.Read.All, Team.ReadBasic.All, Channel.ReadBasic.All and TeamMember.Read.All, and lacks \
               ChannelMessage.Read.All: grant the application permission ChannelMessage.Read.All and admin consent; this takes \
               effect after a few minutes";
    let warned = output.logs("WARN");
    assert!(
        warned.len() == 1 && warned[0].ends_with(&format!("; hint: {has} (reported once for messages, message_replies)")),
        "{warned:?}"
    );
    for text in errors(&output, &["messages", "message_replies"]) {
        assert!(
            text.starts_with("none of 18 teams or channels could be read; for example: cannot read the messages in channel 19:"),
            "{text}"
        );
        assert!(text.ends_with(has), "{text}");
    }
    assert!(output.logs("INFO").contains(&"messages: 0 records, 18 parents refused or missing"));
    let details = tap.sync(&["--debug"]);
    assert_eq!(details.logged("DEBUG").iter().filter(|line| line.starts_with("cannot read the messages in channel ")).count(), 17);
    assert_eq!(details.logged("WARNING").len(), 1);

    let (refused, failed) = plan(&tap);
    assert_eq!((refused.len(), failed.len()), (0, 1), "{refused:?}");
    assert!(
        failed[0].starts_with("messages, message_replies would fail: none of 18 teams or channels could be read; for example: cannot read"),
        "{failed:?}"
    );
}

#[test]
fn two_missing_permissions_are_two_reports_with_their_streams() {
    let (_sim, tap) = tenant_with_roles(&["GroupMember.Read.All", "ChannelMessage.Read.All"]);
    let output = tap.read(&ALL);
    let warned = output.logs("WARN");
    let reported = |end: &str| warned.iter().filter(|line| line.ends_with(end)).count();
    assert_eq!(warned.len(), 3, "{warned:?}");
    assert_eq!(reported("(reported once for teams)"), 1);
    assert_eq!(reported("(reported once for members)"), 1);
    assert_eq!(reported("(reported once for channels, messages, message_replies)"), 1);
    let errors = errors(&output, &ALL);
    assert!(errors.iter().all(|text| text.starts_with("none of 3 teams or channels could be read; for example: cannot ")), "{errors:?}");
}

#[test]
fn a_parent_refused_for_another_reason_is_reported_separately() {
    let (sim, tap) = tenant_with_roles(&["GroupMember.Read.All", "Team.ReadBasic.All", "Channel.ReadBasic.All", "ChannelMessage.Read.All"]);
    let channels: Vec<_> = sim.truth().channels.into_keys().map(|(_, channel)| channel).take(2).collect();
    for channel in &channels {
        sim.with_tenant(|tenant| tenant.block_channel(channel, graph_sim::Block::forbidden())).unwrap();
    }
    let output = tap.read(&ALL);
    let warned = output.logs("WARN");
    assert_eq!(warned.len(), 3, "{warned:?}");
    for channel in &channels {
        let of_channel: Vec<_> = warned.iter().filter(|line| line.contains(channel)).collect();
        assert!(
            of_channel.len() == 1
                && of_channel[0].contains("hint: Graph refused the request even though the token has ChannelMessage.Read.All: "),
            "{warned:?}"
        );
    }
    errors(&output, &["members"]);
}

#[test]
fn a_listed_permission_that_is_not_sufficient_is_reported() {
    let (sim, tap) = tenant_with_roles(&["Group.ReadWrite.All", "TeamMember.Read.All"]);
    sim.switches(|switches| switches.group_roles_open_messages = false);
    let named = "the token has Group.ReadWrite.All, which Graph did not accept here, and lacks ChannelMessage.Read.All: grant the application \
                 permission ChannelMessage.Read.All and admin consent";
    let output = tap.read(&ALL);
    for text in errors(&output, &["messages", "message_replies"]) {
        assert!(text.contains(named), "{text}");
    }
    assert_eq!(output.logs("WARN").len(), 1);
    let (_, failed) = plan(&tap);
    assert!(failed.len() == 1 && failed[0].contains(named), "{failed:?}");
    let check = tap.check();
    let line = "messages: the token has Group.ReadWrite.All, which Graph did not accept here; it does not have the application permission \
                ChannelMessage.Read.All. Graph's response: ";
    assert!(check.logs("WARN").iter().any(|text| text.starts_with(line)), "{:?}", check.logs("WARN"));
    assert!(check.verdict().1.contains("permission missing for messages, message_replies: "), "{:?}", check.verdict());
}

#[test]
fn licences_and_policies_are_not_missing_permissions() {
    let licence = "Failed to get license information for the user. Ensure user has a valid Office365 license assigned to them.";
    for (fault, hint) in [
        (Fault::graph(403, "Forbidden", licence), "hint: a licence is missing: "),
        (Fault::graph(402, "PaymentRequired", "Payment Required"), "hint: a licence is missing: "),
        (Fault::graph(403, "Forbidden", "User Login. Teams is disabled for your tenant."), "hint: the tenant does not allow this: "),
    ] {
        let (sim, tap) = tenant_with_roles(&WITHOUT_MESSAGES);
        sim.inject(Rule::new(fault).class(Class::Messages));
        let output = tap.read(&["messages"]);
        assert!(errors(&output, &["messages"])[0].contains(hint), "{:?}", output.errors());
        assert!(!output.errors()[0].2.contains("grant the application permission"));
    }
}

#[test]
fn with_an_unreadable_token_the_message_of_graph_is_shown() {
    let (sim, tap) = tenant_with_roles(&WITHOUT_MESSAGES);
    sim.switches(|switches| switches.opaque_tokens = true);
    let output = tap.read(&ALL);
    let warned = output.logs("WARN");
    assert!(
        warned.len() == 1 && warned[0].contains("hint: grant the application permission ChannelMessage.Read.All and admin"),
        "{warned:?}"
    );
}
