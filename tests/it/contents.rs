//! A record contains everything that Graph sent: each column of each awkward message is compared with Graph's JSON, property by property.

use graph_sim::{GraphSim, Membership, Options, Post, TenantSpec, damaged};
use serde_json::json;

use crate::support::{Tap, config, everything, truth};

fn one_channel() -> (GraphSim, String) {
    let sim = GraphSim::start(Options::new(TenantSpec::empty())).unwrap();
    let channel = sim.with_tenant(|tenant| {
        let team = tenant.create_team("Awkward");
        tenant.create_channel(&team, "Corpus", Membership::Standard).unwrap()
    });
    (sim, channel)
}

#[test]
fn every_awkward_message_is_emitted_completely() {
    let (sim, channel) = one_channel();
    let names = sim.with_tenant(|tenant| tenant.post_corpus(&channel).unwrap());
    assert!(names.len() > 100, "{}", names.len());
    let output = Tap::new(&config(&sim, everything())).read(&["messages", "message_replies"]);
    assert_eq!(output.status, Some(0), "{:?}", output.errors());
    let truth = sim.truth();
    for stream in ["messages", "message_replies"] {
        truth::assert_equal(stream, &output.table(stream), &truth::table(&truth, stream));
    }
    let changed: Vec<_> = output.logs("WARN").into_iter().filter(|line| line.starts_with("text that")).collect();
    assert_eq!(changed, ["text that destinations cannot store was changed (NUL characters removed: 2, lone surrogates replaced: 4)"]);
}

#[test]
fn unknown_and_ill_typed_properties_of_teams_and_channels_are_kept() {
    let (sim, channel) = one_channel();
    sim.with_tenant(|tenant| {
        let team = tenant.team_ids().remove(0);
        tenant.set_team_property(&team, "brandNew", json!({"a": [1, null]})).unwrap();
        tenant.set_team_property(&team, "isArchived", json!("perhaps")).unwrap();
        tenant.set_team_property(&team, "funSettings", json!(null)).unwrap();
        tenant.set_channel_property(&channel, "createdDateTime", json!("long ago")).unwrap();
    });
    let output = Tap::new(&config(&sim, everything())).read(&["teams", "channels"]);
    let truth = sim.truth();
    for stream in ["teams", "channels"] {
        truth::assert_equal(stream, &output.table(stream), &truth::table(&truth, stream));
    }
    let team = output.records("teams").next().unwrap();
    assert_eq!((&team["isArchived"], &team["funSettings"]), (&json!(null), &json!(null)));
    assert_eq!(team["_additional_properties"]["isArchived"], "perhaps");
}

#[test]
fn a_date_before_1900_is_null_and_kept_in_the_additional_properties() {
    let (sim, channel) = one_channel();
    sim.with_tenant(|tenant| {
        tenant.set_channel_property(&channel, "createdDateTime", json!("0001-01-01T00:00:00Z")).unwrap();
    });
    let output = Tap::new(&config(&sim, everything())).read(&["channels"]);
    let record = output.records("channels").find(|record| record["id"] == channel).unwrap();
    assert_eq!(record["createdDateTime"], json!(null));
    assert_eq!(record["_additional_properties"]["createdDateTime"], "0001-01-01T00:00:00Z");
}

#[test]
fn new_enum_members_keep_their_names() {
    let (sim, channel) = one_channel();
    sim.with_tenant(|tenant| {
        let team = tenant.team_ids().remove(0);
        tenant.create_channel(&team, "Shared", Membership::Shared).unwrap();
        tenant.post_corpus(&channel).unwrap();
    });
    let output = Tap::new(&config(&sim, everything())).read(&["channels", "messages"]);
    assert!(output.records("channels").any(|channel| channel["membershipType"] == "shared"));
    assert!(output.records("messages").any(|message| message["messageType"] == "systemEventMessage"));
    assert!(output.messages.iter().all(|message| !message.to_string().contains("unknownFutureValue")));
    assert!(
        sim.journal()
            .entries()
            .filter(|entry| entry.authorized)
            .all(|entry| entry.prefer.as_deref() == Some("include-unknown-enum-members"))
    );
}

#[test]
fn equal_ids_in_two_channels_are_two_messages() {
    let (sim, one) = one_channel();
    let other = sim.with_tenant(|tenant| {
        let team = tenant.team_ids().remove(0);
        let other = tenant.create_channel(&team, "Other", Membership::Standard).unwrap();
        let id = tenant.post(&one, Post::text("here")).unwrap().id;
        tenant.post(&other, Post::text("there").id(id)).unwrap();
        other
    });
    let output = Tap::new(&config(&sim, everything())).read(&["messages"]);
    let mut channels: Vec<_> = output.table("messages").into_keys().map(|key| key[0].clone()).collect();
    channels.sort();
    let mut expected = vec![one, other];
    expected.sort();
    assert_eq!(channels, expected);
}

#[test]
fn damaged_items_are_requested_again_and_then_reported() {
    let (sim, channel) = one_channel();
    let kinds = damaged().len();
    sim.with_tenant(|tenant| {
        let root = tenant.post(&channel, Post::text("whole")).unwrap();
        tenant.reply(&root, Post::text("whole too")).unwrap();
        for awkward in damaged() {
            tenant.post(&channel, awkward.root).unwrap();
            tenant.reply(&root, awkward.reply).unwrap();
        }
    });
    let output = Tap::new(&config(&sim, everything())).read(&["messages", "message_replies"]);
    assert_eq!(output.status, Some(1));
    assert_eq!((output.table("messages").len(), output.table("message_replies").len()), (1, 1));
    let errors = output.errors();
    assert_eq!(
        errors.iter().map(|(kind, stream, _)| (*kind, *stream)).collect::<Vec<_>>(),
        [("system_error", "messages"), ("system_error", "message_replies")]
    );
    assert!(errors[0].2.contains(&format!("{} items are malformed (not an object, or no usable id)", 2 * kinds)), "{}", errors[0].2);
    let journal = sim.journal();
    let requested = journal.entries_of(graph_sim::Class::Messages).filter(|entry| entry.channel() == Some(&channel)).count();
    assert_eq!(requested, 2, "the page is requested again");
}
