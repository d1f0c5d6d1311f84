//! Links that Graph no longer accepts: the pass restarts, and nothing is lost.

use std::time::Duration;

use graph_sim::{Class, Fault, LinkStyle, PageKind, Paging, Post, Rule};
use scenario::states;
use serde_json::{Map, Value, json};

use super::{BOTH, DAY, MESSAGES, REPLIES, reader};
use crate::support::Protocol;

#[test]
fn a_walk_resumes_from_its_link() {
    let cases =
        [(Protocol::Airbyte, LinkStyle::FunctionEncoded), (Protocol::Singer, LinkStyle::Function), (Protocol::Airbyte, LinkStyle::Slash)];
    for (protocol, style) in cases {
        let mut reader = reader(40).with_protocol(protocol).with(json!({"top": 4}));
        reader.sim.switches(|switches| switches.link_style = Some(style));
        let first = reader.fail_at(6);
        let channel = reader.channel();
        let start = match style {
            LinkStyle::FunctionEncoded => "(%)messages?",
            LinkStyle::Function => "()messages?",
            LinkStyle::Slash => "messages?",
        };
        for stream in [MESSAGES, REPLIES] {
            let link = reader.state(stream, &channel)["walk"]["link"].as_str().unwrap();
            assert!(link.starts_with(start), "{link}");
        }
        let second = reader.read();
        // Five pages, and one from the top that closes the walk.
        assert_eq!((first.emitted(MESSAGES), second.emitted(MESSAGES)), (20, 24));
        assert_eq!((second.request_count(Class::Messages), second.requests(Class::Messages)[0].page), (6, PageKind::Next));
        reader.assert_complete();
    }
}

#[test]
fn a_resume_link_that_expired_between_two_runs_restarts_its_pass() {
    for (protocol, paging) in [(Protocol::Airbyte, Paging::Position), (Protocol::Singer, Paging::Offset)] {
        let mut reader = reader(40).with_protocol(protocol).with(json!({"top": 4, "use_delta_api": false}));
        reader.sim.switches(|switches| switches.paging = paging);
        let last = reader.roots().pop().unwrap();
        reader.fail_at(6);
        reader.sim.with_tenant(|tenant| tenant.expire_links());
        reader.later(DAY);
        reader.edit(&last, "meanwhile");
        let run = reader.read();
        assert_eq!(run.journal.with_status(400), 1);
        assert_eq!(run.emitted(MESSAGES), 40, "the pass begins at the top");
        assert!(run.warnings("").is_empty(), "an expired link is not reported");
        reader.assert_complete();
    }
}

#[test]
fn a_link_that_expires_during_a_run_restarts_its_pass() {
    let mut reader = reader(40).with(json!({"top": 4, "use_delta_api": false}));
    let mut unread = reader.roots().pop();
    reader.sim.on_request(move |request, tenant| {
        if request.class == Class::Messages && request.class_number == 6 {
            tenant.expire_links();
            tenant.clock().advance(Duration::from_secs(1));
            tenant.reply(&unread.take().unwrap(), Post::text("meanwhile")).unwrap();
        }
        None
    });
    let run = reader.read();
    assert_eq!((run.journal.with_status(400), run.emitted(MESSAGES)), (1, 40), "nothing is emitted twice in a run");
    reader.assert_complete();
}

#[test]
fn a_closing_pass_with_an_expired_link_restarts_at_its_beginning() {
    let mut reader = reader(30).with(json!({"top": 5, "use_delta_api": false}));
    reader.read();
    reader.later(DAY);
    // Half of the threads change, and as many again during the walk, so the closing pass is long too.
    for root in reader.roots().iter().rev().take(15) {
        reader.edit(root, "changed");
    }
    let unread: Vec<_> = reader.roots().into_iter().skip(15).collect();
    reader.sim.on_request(move |request, tenant| {
        if request.class == Class::Messages {
            tenant.clock().advance(Duration::from_secs(1));
            match request.class_number {
                2 => unread.iter().for_each(|root| tenant.edit(root, "changed meanwhile").unwrap()),
                6 => tenant.expire_links(),
                _ => {}
            }
        }
        None
    });
    let run = reader.read();
    assert_eq!(run.journal.with_status(400), 1);
    reader.assert_complete();
}

#[test]
fn a_link_without_a_response_is_retried_for_a_day() {
    let mut reader = reader(30).with(json!({"top": 5}));
    reader.fail_at(4);
    // The maximum number of attempts.
    let unanswered = || Rule::new(Fault::status(503)).class(Class::Messages).page(PageKind::Next).times(7);
    reader.later(DAY / 2);
    reader.sim.inject(unanswered());
    let run = reader.run();
    assert_eq!((run.output.status, run.request_count(Class::Messages), run.emitted_total()), (Some(1), 7, 0));
    reader.later(DAY);
    reader.sim.inject(unanswered());
    let run = reader.read();
    assert_eq!(run.emitted(MESSAGES), 30, "the pass begins at the top");
    reader.assert_complete();
}

#[test]
fn links_that_always_expire_are_an_error() {
    let mut reader = reader(30).with(json!({"top": 5}));
    reader.sim.on_request(|request, tenant| {
        if request.page == PageKind::Next {
            tenant.expire_links();
        }
        None
    });
    let run = reader.run();
    assert_eq!(run.output.status, Some(1));
    assert!(run.message_requests() < 20, "{} requests", run.message_requests());
    reader.sim.clear_hook();
    reader.read();
    reader.assert_complete();
}

#[test]
fn a_state_with_a_foreign_link_is_refused_before_any_request() {
    for protocol in BOTH {
        let mut reader = reader(20).with_protocol(protocol).with(json!({"top": 5}));
        reader.fail_at(3);
        let (channel, good) = (reader.channel(), reader.states.clone());
        let key = reader.key(&channel);
        let (team, _) = key.split_once('/').unwrap();
        let entry = |states: &mut Map<String, Value>, link: &str, at: &str| {
            let entry = states::entry_mut(&mut states[MESSAGES], &key);
            match at {
                "walk.link" => entry["walk"]["link"] = link.into(),
                "deltaRound.link" => entry["deltaRound"] = json!({"link": link, "at": 1_732_525_200}),
                _ => entry[at] = link.into(),
            }
        };
        let elsewhere = reader.sim.with_tenant(|tenant| tenant.create_channel(team, "Elsewhere", graph_sim::Membership::Private).unwrap());
        let thread = reader.roots()[0].id;
        let foreign = reader.sim.foreign_url();
        let base = format!("/v1.0/teams/{team}/channels/{channel}");
        for (at, link) in [
            ("walk.link", format!("{foreign}{base}/messages?$skiptoken=x")),
            ("walk.link", format!("//{}{base}/messages?$skiptoken=x", foreign.trim_start_matches("http://"))),
            ("walk.link", format!("/v1.0/teams/{team}/channels/{elsewhere}/messages?$skiptoken=x")),
            ("walk.link", format!("/v1.0/teams/{team}/channels/{}/messages?$skiptoken=x", channel.to_uppercase())),
            ("walk.link", format!("{base}/messages/{thread}/replies?$skiptoken=x")),
            ("walk.link", format!("messages/{thread}/replies?$skiptoken=x")),
            ("walk.link", format!("{base}/members?$skiptoken=x")),
            ("walk.link", format!("{base}/messages/delta?$skiptoken=x")),
            ("walk.link", format!("{base}/messages")),
            ("walk.link", format!("/v1.0('teams')/{team}('channels')/{channel}('messages')?$skiptoken=x")),
            ("deltaLink", format!("/v1.0/teams/x/channels/{elsewhere}/messages/delta?$deltatoken=x")),
            ("deltaLink", format!("{base}/messages?$skiptoken=x")),
            ("deltaRound.link", "()messages/delta(a)?$skiptoken=x".to_owned()),
        ] {
            reader.states = good.clone();
            entry(&mut reader.states, &link, at);
            assert_refused(&mut reader, &format!("partitions[0].entries[0].{at}"));
        }
        reader.states = good;
        reader.read();
        reader.assert_complete();
    }
}

#[test]
fn a_team_id_in_capitals_resumes_from_its_links() {
    let mut reader = reader(40).with(json!({"top": 4}));
    let (channel, team) = (reader.channel(), reader.sim.read_tenant(|tenant| tenant.team_ids().swap_remove(0)));
    reader.set(json!({"fetch_all_teams": false, "fetch_all_channels": false, "team_id": team.to_uppercase(), "channel_id": channel}));
    reader.fail_at(6);
    let run = reader.read();
    assert_eq!((run.emitted(MESSAGES), run.requests(Class::Messages)[0].page), (24, PageKind::Next));
}

fn assert_refused(reader: &mut super::Reader, key: &str) {
    let run = reader.run();
    let reported = format!("{:?}{}", run.output.errors(), run.output.stderr);
    assert_eq!((run.output.status, run.journal.total()), (Some(1), 0), "{reported}");
    assert!(reported.contains(key), "{key}: {reported}");
}
