//! Changes to the tenant, and the switches for what Graph does not document.

use std::time::Duration;

use graph_sim::{Class, DeletedBody, Fault, Flavour, MemberKind, Membership, MessageRef, PageKind, Post, Switches};
use serde_json::{Value, json};

use crate::client::{Sim, ids};

/// Posts three roots, one second apart. Returns them oldest first.
fn three_roots(sim: &Sim, channel: &str) -> Vec<MessageRef> {
    let post = |index: u32| {
        sim.clock().advance(Duration::from_secs(1));
        sim.with_tenant(|tenant| tenant.post(channel, Post::text(format!("root {index}")))).unwrap()
    };
    let posts = (0..3).map(post).collect();
    sim.clock().advance(Duration::from_secs(1));
    posts
}

/// The indexes of the listed roots, newest activity first.
fn order(sim: &Sim, team: &str, channel: &str, roots: &[MessageRef]) -> Vec<usize> {
    let (items, _) = sim.all(&sim.path(team, channel, "/messages"));
    ids(&items).iter().map(|id| roots.iter().position(|root| root.id_text() == *id).unwrap()).collect()
}

fn message(sim: &Sim, at: &MessageRef) -> Value {
    let rest = if at.is_root() { format!("/messages/{}", at.id) } else { format!("/messages/{}/replies/{}", at.root, at.id) };
    sim.get(&sim.path(&at.team, &at.channel, &rest)).json()
}

/// graph.md 2.5, 3: a reply does not change the lastModifiedDateTime of its root.
#[test]
fn a_reply_moves_the_chain_and_does_not_change_the_root() {
    let (sim, team, channel) = Sim::one_channel();
    let roots = three_roots(&sim, &channel);
    let before = message(&sim, &roots[0]);
    let reply = sim.with_tenant(|tenant| tenant.reply(&roots[0], Post::text("late"))).unwrap();
    assert_eq!(order(&sim, &team, &channel, &roots), [0, 2, 1]);
    assert_eq!(message(&sim, &roots[0]), before);
    assert_eq!(message(&sim, &reply)["replyToId"], roots[0].id_text());
}

/// graph.md 3: an edit sets lastEditedDateTime and lastModifiedDateTime, and changes the etag.
#[test]
fn an_edit_changes_times_and_moves_the_chain() {
    let (sim, team, channel) = Sim::one_channel();
    let roots = three_roots(&sim, &channel);
    let before = message(&sim, &roots[1]);
    sim.with_tenant(|tenant| tenant.edit(&roots[1], "new \"text\"")).unwrap();
    let after = message(&sim, &roots[1]);
    assert_eq!(after["body"], json!({ "contentType": "text", "content": "new \"text\"" }));
    assert_eq!((&before["lastEditedDateTime"], &after["lastEditedDateTime"]), (&Value::Null, &after["lastModifiedDateTime"]));
    assert!(before["etag"] != after["etag"] && before["createdDateTime"] == after["createdDateTime"]);
    assert_eq!(order(&sim, &team, &channel, &roots), [1, 2, 0]);
}

/// graph.md 3: reactions change lastModifiedDateTime since 2020. The switches restore the behaviour of 2019.
#[test]
fn reactions_move_the_chain_depending_on_the_switches() {
    let (sim, team, channel) = Sim::one_channel();
    let roots = three_roots(&sim, &channel);
    sim.switches(|switches| (switches.reaction_modifies, switches.reaction_moves_chain) = (false, false));
    let before = message(&sim, &roots[0]);
    sim.with_tenant(|tenant| tenant.react(&roots[0], "👍")).unwrap();
    let after = message(&sim, &roots[0]);
    assert_eq!((after["reactions"].as_array().unwrap().len(), &after["lastModifiedDateTime"]), (1, &before["lastModifiedDateTime"]));
    assert_eq!(order(&sim, &team, &channel, &roots), [2, 1, 0]);
    sim.switches(|switches| *switches = Switches::default());
    sim.with_tenant(|tenant| tenant.unreact(&roots[0])).unwrap();
    let after = message(&sim, &roots[0]);
    assert!(after["reactions"] == json!([]) && after["lastModifiedDateTime"] != before["lastModifiedDateTime"]);
    assert_eq!(order(&sim, &team, &channel, &roots), [0, 2, 1]);
}

/// graph.md 3 and 9 (question 3): switches set the other effects of a soft deletion.
#[test]
fn deleted_messages_remain_in_the_list() {
    let (sim, team, channel) = Sim::one_channel();
    let roots = three_roots(&sim, &channel);
    sim.switches(|switches| (switches.delete_moves_chain, switches.delete_modifies) = (false, false));
    let before = message(&sim, &roots[0]);
    sim.with_tenant(|tenant| tenant.delete(&roots[0])).unwrap();
    let after = message(&sim, &roots[0]);
    assert_eq!((&after["body"]["content"], after["deletedDateTime"].is_string()), (&json!(""), true));
    assert_eq!(after["lastModifiedDateTime"], before["lastModifiedDateTime"]);
    assert_eq!(order(&sim, &team, &channel, &roots), [2, 1, 0]);
    sim.switches(|switches| {
        (switches.deleted_body, switches.deleted_from_null, switches.deleted_stamp) = (DeletedBody::Null, true, false);
    });
    let after = message(&sim, &roots[0]);
    assert_eq!((&after["body"]["content"], &after["from"], &after["deletedDateTime"]), (&Value::Null, &Value::Null, &Value::Null));
    sim.switches(|switches| *switches = Switches::default());
    sim.with_tenant(|tenant| tenant.undelete(&roots[0])).unwrap();
    let undone = message(&sim, &roots[0]);
    assert_eq!((&undone["body"], &undone["deletedDateTime"]), (&before["body"], &Value::Null));
    assert_eq!(order(&sim, &team, &channel, &roots), [0, 2, 1]);
}

/// graph.md 3: messages that a retention policy removes are not reported.
#[test]
fn removed_messages_disappear() {
    let (sim, team, channel) = Sim::one_channel();
    let roots = three_roots(&sim, &channel);
    let reply = sim.with_tenant(|tenant| tenant.reply(&roots[0], Post::text("reply"))).unwrap();
    sim.with_tenant(|tenant| tenant.remove(&reply)).unwrap();
    assert_eq!(order(&sim, &team, &channel, &roots), [2, 1, 0]);
    sim.with_tenant(|tenant| tenant.remove(&roots[2])).unwrap();
    assert_eq!(order(&sim, &team, &channel, &roots), [1, 0]);
    assert_eq!(sim.get(&sim.path(&team, &channel, &format!("/messages/{}", roots[2].id))).status, 404);
    assert!(sim.with_tenant(|tenant| tenant.delete(&roots[2])).is_err());
}

#[test]
fn a_message_may_become_visible_after_its_creation_time() {
    let (sim, team, channel) = Sim::one_channel();
    let mut roots = three_roots(&sim, &channel);
    let late =
        sim.with_tenant(|tenant| tenant.ago(Duration::from_millis(2500), |tenant| tenant.post(&channel, Post::text("late")))).unwrap();
    roots.push(late);
    assert_eq!(order(&sim, &team, &channel, &roots), [2, 1, 3, 0]);
}

#[test]
fn two_posts_in_one_millisecond_have_different_ids() {
    let (sim, _, channel) = Sim::one_channel();
    let (one, two) =
        sim.with_tenant(|tenant| (tenant.post(&channel, Post::text("1")).unwrap(), tenant.post(&channel, Post::text("2")).unwrap()));
    assert_eq!(one.id + 1, two.id);
    assert_eq!(message(&sim, &one)["createdDateTime"], message(&sim, &two)["createdDateTime"]);
}

#[test]
fn teams_channels_and_members_can_be_changed() {
    let (sim, team, general) = Sim::one_channel();
    let channels = format!("/v1.0/teams/{team}/channels");
    let added = sim.with_tenant(|tenant| tenant.create_channel(&team, "Ideas", Membership::Shared)).unwrap();
    sim.with_tenant(|tenant| tenant.rename_channel(&general, "Allgemein")).unwrap();
    let list = sim.all(&channels).0;
    assert_eq!(ids(&list), [&general, &added]);
    assert_eq!((&list[0]["displayName"], &list[1]["membershipType"]), (&json!("Allgemein"), &json!("shared")));
    sim.with_tenant(|tenant| tenant.delete_channel(&general)).unwrap();
    assert_eq!(ids(&sim.all(&channels).0), [&added]);
    let member = sim.with_tenant(|tenant| tenant.add_member(&team, MemberKind::PhoneUser, &["guest"])).unwrap();
    let members = sim.all(&format!("/v1.0/teams/{team}/members")).0;
    assert_eq!((members.len(), &members[1]["id"], &members[1]["roles"]), (2, &json!(member), &json!(["guest"])));
    sim.with_tenant(|tenant| tenant.remove_member(&team, &member)).unwrap();
    assert_eq!(sim.all(&format!("/v1.0/teams/{team}/members")).0.len(), 1);
    sim.with_tenant(|tenant| tenant.rename_team(&team, "Renamed")).unwrap();
    sim.with_tenant(|tenant| tenant.set_team_property(&team, "mood", json!("new"))).unwrap();
    let got = sim.get(&format!("/v1.0/teams/{team}")).json();
    assert_eq!((&got["displayName"], &got["mood"]), (&json!("Renamed"), &json!("new")));
    sim.with_tenant(|tenant| tenant.delete_team(&team)).unwrap();
    assert_eq!(sim.get(&channels).status, 404);
    assert_eq!(sim.all("/v1.0/groups").0.len(), 0);
}

#[test]
fn a_page_reflects_the_changes_of_the_hook_for_its_request() {
    let (sim, team, channel) = Sim::one_channel();
    let roots = three_roots(&sim, &channel);
    let (posted_to, oldest) = (channel.clone(), roots[0].clone());
    sim.on_request(move |request, tenant| {
        if request.class == Class::Messages && request.page == PageKind::Next {
            tenant.edit(&oldest, "edited by the hook").unwrap();
            tenant.post(&posted_to, Post::generated(Flavour::Html)).unwrap();
        }
        (request.class == Class::Team).then(|| Fault::status(503))
    });
    let first = sim.get(&sim.path(&team, &channel, "/messages?$top=2")).json();
    let second = sim.get(first["@odata.nextLink"].as_str().unwrap()).json();
    assert_eq!(second["value"], json!([]), "the oldest moved up before the second page");
    assert_eq!(sim.get(&format!("/v1.0/teams/{team}")).status, 503);
    sim.clear_hook();
    assert_eq!(sim.get(&sim.path(&team, &channel, "/messages")).json()["value"].as_array().unwrap().len(), 4);
}

#[test]
fn an_item_can_be_damaged_and_restored_in_place() {
    let (sim, team, channel) = Sim::one_channel();
    let roots = three_roots(&sim, &channel);
    let path = sim.path(&team, &channel, "/messages");
    let whole = sim.get(&path).json()["value"].clone();
    sim.with_tenant(|tenant| tenant.set_raw(&roots[1], Some("{}"))).unwrap();
    let damaged = sim.get(&path).json()["value"].clone();
    assert_eq!((&damaged[0], &damaged[1], &damaged[2]), (&whole[0], &json!({}), &whole[2]));
    sim.with_tenant(|tenant| tenant.set_raw(&roots[1], None)).unwrap();
    assert_eq!(sim.get(&path).json()["value"], whole);
}
