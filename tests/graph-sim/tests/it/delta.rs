//! Delta of channel messages.

use std::{collections::HashSet, time::Duration};

use graph_sim::{DeltaDeletes, DeltaSupport, DeltaTop, ExpiredToken, Options, Post, TenantSpec, Time};
use serde_json::Value;

use crate::client::{Sim, ids};

const REFUSED: &str = "Parameter 'DeltaToken' not supported for this request.";

/// Reads a whole round. Returns its items and its deltaLink.
fn round(sim: &Sim, path: &str) -> (Vec<Value>, String) {
    let (mut items, mut next) = (Vec::new(), path.to_owned());
    loop {
        let reply = sim.get(&next);
        assert_eq!(reply.status, 200, "{}", reply.text());
        let page = reply.json();
        items.extend(page["value"].as_array().unwrap().iter().cloned());
        match (page["@odata.nextLink"].as_str(), page["@odata.deltaLink"].as_str()) {
            (Some(link), None) => next = link.to_owned(),
            (None, Some(link)) => return (items, link.to_owned()),
            links => panic!("a page must have exactly one link: {links:?}"),
        }
    }
}

fn delta_path(sim: &Sim, team: &str, channel: &str) -> String {
    sim.path(team, channel, "/messages/delta")
}

/// graph.md 4.1, 4.2: pages and then a deltaLink; items are roots only and have their type.
#[test]
fn the_first_round_lists_the_last_eight_months() {
    let sim = Sim::new(TenantSpec::uniform(1, 1, 200));
    let team = sim.read_tenant(|tenant| tenant.team_ids()[0].clone());
    let channel = sim.read_tenant(|tenant| tenant.channel_ids(&team)[0].clone());
    let (items, link) = round(&sim, &delta_path(&sim, &team, &channel));
    assert!(link.contains("$deltatoken=") && link.contains("/messages/delta"));
    assert!(items.iter().all(|item| item["@odata.type"] == "#microsoft.graph.chatMessage" && item["replyToId"].is_null()));
    let horizon = Time::parse("2024-03-25T08:00:00Z").unwrap();
    let truth = sim.truth();
    let active: HashSet<u64> = truth
        .messages
        .values()
        .chain(truth.replies.values())
        .filter(|message| Time::parse(message.value().unwrap()["lastModifiedDateTime"].as_str().unwrap()).unwrap() > horizon)
        .map(|message| message.root)
        .collect();
    assert!((20..190).contains(&active.len()));
    assert_eq!(ids(&items).iter().map(|id| id.parse::<u64>().unwrap()).collect::<HashSet<_>>(), active);
}

/// graph.md 4.2: `$filter` accepts `lastModifiedDateTime gt` only.
#[test]
fn only_one_filter_is_supported() {
    let (sim, team, channel) = Sim::one_channel();
    let old = sim.with_tenant(|tenant| tenant.post(&channel, Post::text("old"))).unwrap();
    sim.clock().advance(Duration::from_secs(3000));
    let new = sim.with_tenant(|tenant| tenant.post(&channel, Post::text("new"))).unwrap();
    let path = delta_path(&sim, &team, &channel);
    let (items, _) = round(&sim, &format!("{path}?$filter=lastModifiedDateTime%20gt%202024-11-25T08:30:00Z"));
    assert_eq!(ids(&items), [new.id_text()]);
    // With a new reply, an old root matches the filter.
    sim.with_tenant(|tenant| tenant.reply(&old, Post::text("reply"))).unwrap();
    let (items, _) = round(&sim, &format!("{path}?$filter=lastModifiedDateTime+gt+2024-11-25T08:30:00Z"));
    assert_eq!(items.len(), 2);
    for filter in ["lastModifiedDateTime%20lt%202024-11-25T08:30:00Z", "createdDateTime%20gt%202024-11-25T08:30:00Z", "x"] {
        let reply = sim.get(&format!("{path}?$filter={filter}"));
        assert_eq!((reply.status, reply.error().1.as_str()), (400, "Parameter 'Filter' not supported for this request."));
    }
    assert_eq!(sim.get(&format!("{path}?$select=id")).status, 400);
}

/// graph.md 3, 4: later rounds report posts, edits, replies and deletions, but reactions only with a switch.
#[test]
fn later_rounds_report_changes() {
    let (sim, team, channel) = Sim::one_channel();
    let posts: Vec<_> = (0..4).map(|_| sim.with_tenant(|tenant| tenant.post(&channel, Post::text("x"))).unwrap()).collect();
    let (items, link) = round(&sim, &delta_path(&sim, &team, &channel));
    assert_eq!(items.len(), 4);
    let (items, link) = round(&sim, &link);
    assert_eq!(items.len(), 0);
    sim.clock().advance(Duration::from_secs(1));
    sim.with_tenant(|tenant| {
        tenant.edit(&posts[0], "edited").unwrap();
        tenant.reply(&posts[1], Post::text("reply")).unwrap();
        tenant.delete(&posts[2]).unwrap();
        tenant.react(&posts[3], "like").unwrap();
        tenant.edit(&posts[0], "again").unwrap();
    });
    let (items, quiet) = round(&sim, &link);
    assert_eq!(ids(&items).into_iter().collect::<HashSet<_>>().len(), items.len());
    assert_eq!(ids(&items).len(), 3);
    assert!(items.iter().any(|item| item["deletedDateTime"].is_string()));
    sim.switches(|switches| switches.delta.reports_reactions = true);
    assert_eq!(round(&sim, &link).0.len(), 4, "an old link can be used again");
    assert_eq!(round(&sim, &quiet).0.len(), 0);
    sim.switches(|switches| (switches.delta.reports_deletes, switches.delta.reports_replies) = (DeltaDeletes::Silent, false));
    assert_eq!(round(&sim, &link).0.len(), 2);
    sim.switches(|switches| switches.delta.skips_every = 1);
    assert_eq!(round(&sim, &link).0.len(), 0);
}

/// graph.md 3, 4.1
#[test]
fn switches_report_deletions_and_removals_as_removed() {
    let (sim, team, channel) = Sim::one_channel();
    let posts: Vec<_> = (0..2).map(|_| sim.with_tenant(|tenant| tenant.post(&channel, Post::text("x"))).unwrap()).collect();
    let (_, link) = round(&sim, &delta_path(&sim, &team, &channel));
    sim.with_tenant(|tenant| (tenant.delete(&posts[0]).unwrap(), tenant.remove(&posts[1]).unwrap()));
    assert_eq!(round(&sim, &link).0.len(), 1, "a hard removal is not reported");
    sim.switches(|switches| (switches.delta.reports_deletes, switches.delta.reports_removals) = (DeltaDeletes::Removed, true));
    let (items, _) = round(&sim, &link);
    let reasons: Vec<&Value> = items.iter().map(|item| &item["@removed"]["reason"]).collect();
    assert_eq!(reasons, ["changed", "deleted"]);
}

/// graph.md 4.1: a change during a round is reported in this round or the next one.
#[test]
fn a_change_during_a_round_is_not_lost() {
    let (sim, team, channel) = Sim::one_channel();
    let posts: Vec<_> = (0..30).map(|_| sim.with_tenant(|tenant| tenant.post(&channel, Post::text("x"))).unwrap()).collect();
    let first = sim.get(&delta_path(&sim, &team, &channel)).json();
    sim.clock().advance(Duration::from_secs(1));
    // Moves from the second page to the top of the first.
    sim.with_tenant(|tenant| tenant.edit(&posts[0], "moved")).unwrap();
    let (items, link) = round(&sim, first["@odata.nextLink"].as_str().unwrap());
    assert!(!ids(&items).contains(&posts[0].id_text().as_str()));
    assert_eq!(ids(&round(&sim, &link).0), [posts[0].id_text()]);
}

/// graph.md 4.1: also, the first page may be empty.
#[test]
fn items_may_repeat_and_be_in_random_order() {
    let (sim, team, channel) = Sim::one_channel();
    for _ in 0..50 {
        sim.with_tenant(|tenant| tenant.post(&channel, Post::text("x"))).unwrap();
    }
    sim.switches(|switches| (switches.delta.shuffle, switches.delta.repeats, switches.delta.empty_first_page) = (true, true, true));
    let path = delta_path(&sim, &team, &channel);
    assert_eq!(sim.get(&path).json()["value"].as_array().unwrap().len(), 0);
    let (items, _) = round(&sim, &path);
    let ids = ids(&items);
    assert_eq!((ids.len(), ids.iter().collect::<HashSet<_>>().len()), (52, 50));
    assert!(!ids.is_sorted() && !ids.iter().rev().is_sorted());
}

/// graph.md 4.2
#[test]
fn an_empty_channel_returns_a_next_link_that_fails() {
    let (sim, team, channel) = Sim::one_channel();
    let path = delta_path(&sim, &team, &channel);
    let page = sim.get(&path).json();
    assert_eq!(page["value"].as_array().unwrap().len(), 0);
    let reply = sim.get(page["@odata.nextLink"].as_str().unwrap());
    assert_eq!((reply.status, reply.error()), (400, ("BadRequest".to_owned(), REFUSED.to_owned())));
    sim.switches(|switches| switches.delta.empty_channel_quirk = false);
    assert_eq!(round(&sim, &path).0.len(), 0);
}

/// graph.md 4.1, 4.2
#[test]
fn expired_tokens_return_one_of_five_errors() {
    let (sim, team, channel) = Sim::one_channel();
    sim.with_tenant(|tenant| tenant.post(&channel, Post::text("x"))).unwrap();
    let path = delta_path(&sim, &team, &channel);
    let (_, link) = round(&sim, &path);
    sim.with_tenant(|tenant| tenant.expire_delta(&channel)).unwrap();
    for (expired, status, code) in [
        (ExpiredToken::SyncStateNotFound, 404, "syncStateNotFound"),
        (ExpiredToken::SyncStateInvalid, 400, "SyncStateInvalid"),
        (ExpiredToken::ResyncRequired, 400, "resyncRequired"),
        (ExpiredToken::NotSupported, 400, "BadRequest"),
        (ExpiredToken::Gone, 410, "resyncRequired"),
    ] {
        sim.switches(|switches| switches.delta.expired = expired);
        let reply = sim.get(&link);
        assert_eq!((reply.status, reply.error().0.as_str()), (status, code));
    }
    let restart = sim.get(&link).header("location").to_owned();
    assert!(restart.ends_with("$deltatoken="), "{restart}");
    let (items, fresh) = round(&sim, &restart);
    assert_eq!(items.len(), 1);
    sim.switches(|switches| switches.delta.token_lifetime = Some(3600));
    sim.clock().advance(Duration::from_secs(3601));
    // The access token has expired too.
    let sim = Sim { token: crate::client::new_token(&sim), ..sim };
    assert_eq!(sim.get(&fresh).status, 410);
}

/// graph.md 4.2, with the messages that were observed in production.
#[test]
fn channels_may_not_support_delta() {
    let (sim, team, channel) = Sim::one_channel();
    sim.with_tenant(|tenant| tenant.post(&channel, Post::text("x"))).unwrap();
    let path = delta_path(&sim, &team, &channel);
    let filtered = format!("{path}?$filter=lastModifiedDateTime%20gt%202024-01-01T00:00:00Z");
    for (support, bare, with_filter) in [
        (DeltaSupport::NotSupported, Some("Invalid request. Delta query is not supported by this resource."), 400),
        (DeltaSupport::NoDeltaToken, Some(REFUSED), 400),
        (DeltaSupport::NeedsFilter, Some(REFUSED), 200),
        (DeltaSupport::NoFilter, None, 400),
        (DeltaSupport::Supported, None, 200),
    ] {
        sim.with_tenant(|tenant| tenant.set_delta_support(&channel, support)).unwrap();
        let reply = sim.get(&path);
        assert_eq!((reply.status == 400).then(|| reply.error().1).as_deref(), bare);
        assert_eq!(sim.get(&filtered).status, with_filter);
    }
}

/// graph.md 4.2 and 9 (question 5)
#[test]
fn top_is_refused_or_accepted_or_breaks_the_next_page() {
    let sim = Sim::with(Options::new(TenantSpec { history_days: 30, ..TenantSpec::uniform(1, 1, 30) }).manual_clock());
    let team = sim.read_tenant(|tenant| tenant.team_ids()[0].clone());
    let channel = sim.read_tenant(|tenant| tenant.channel_ids(&team)[0].clone());
    let path = format!("{}?$top=10", delta_path(&sim, &team, &channel));
    assert_eq!(sim.get(&path).error().1, "Parameter 'Top' not supported for this request.");
    sim.switches(|switches| switches.delta.top = DeltaTop::Break);
    let next = sim.get(&path).json()["@odata.nextLink"].as_str().unwrap().to_owned();
    assert_eq!(sim.get(&next).error().1, REFUSED);
    sim.switches(|switches| switches.delta.top = DeltaTop::Accept);
    assert_eq!(round(&sim, &path).0.len(), 30);
}
