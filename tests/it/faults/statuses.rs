//! Every error status on every route: the number of attempts, the failure type, and the effect on other streams.

use std::{collections::BTreeMap, time::Duration};

use graph_sim::{Class, Fault, GraphSim, Host, LinkStyle, PageKind, Rule};
use serde_json::{Value, json};

use crate::support::{ALL, Output, Protocol, Tap, config, everything, in_parallel, incremental::Runs, tenant, truth};

const MESSAGES: &[&str] = &["messages", "message_replies"];
const CONFIG_ERROR: &str = "config_error";
const TRANSIENT_ERROR: &str = "transient_error";
const SYSTEM_ERROR: &str = "system_error";

/// Throttled requests are limited by time, not by attempts: there are more attempts than this.
const MIN_THROTTLED_ATTEMPTS: u64 = 12;

/// The number of attempts for this status, and the failure type.
fn expected(status: u16) -> (u64, &'static str) {
    match status {
        // With the requested page size, and without it.
        400 => (2, CONFIG_ERROR),
        401 => (2, CONFIG_ERROR),
        // The team exists, but its list does not.
        404 => (1, SYSTEM_ERROR),
        304 | 408 | 409 | 421 | 423 | 425 => (7, TRANSIENT_ERROR),
        429 => (MIN_THROTTLED_ATTEMPTS, TRANSIENT_ERROR),
        501 | 505 | 511 => (1, CONFIG_ERROR),
        500..=599 => (7, TRANSIENT_ERROR),
        _ => (1, CONFIG_ERROR),
    }
}

/// The part of a message about the response, after what failed, without the status and the ids of the request.
fn parts(sentence: &str) -> (&str, String) {
    let at = sentence.match_indices(": ").map(|(at, _)| at).find(|at| sentence[at + 2..].bytes().take(3).all(|byte| byte.is_ascii_digit()));
    let (tried, answer) = sentence.split_at(at.unwrap_or_else(|| panic!("no status: {sentence}")));
    let mut parts = answer[2..].split("request-id ");
    let reported = parts.next().unwrap_or_default();
    let behind: Vec<_> = parts.map(|part| format!("request-id <guid>{}", &part[36..])).collect();
    assert_eq!(behind.len(), 2, "Graph's id and ours: {sentence}");
    let answer = format!("{reported}{}", behind.concat());
    // The number of attempts varies while requests are throttled.
    let often = answer.split("; tried ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
    match often.filter(|&times: &u64| times >= MIN_THROTTLED_ATTEMPTS) {
        Some(times) => (tried, answer.replace(&format!("; tried {times} times"), "; tried <often> times")),
        None => (tried, answer),
    }
}

/// Checks the number of requests, or a minimum if they were throttled.
fn assert_requests(requested: u64, expected: u64, case: &str) {
    assert!(requested == expected || expected == MIN_THROTTLED_ATTEMPTS && requested > expected, "{case}: {requested}");
}

/// Formats numbers as ranges.
fn ranges(numbers: &[u16]) -> String {
    let runs = numbers.chunk_by(|one, next| one + 1 == *next);
    let range = |run: &[u16]| if run.len() == 1 { run[0].to_string() } else { format!("{}-{}", run[0], run[run.len() - 1]) };
    runs.map(range).collect::<Vec<_>>().join(", ")
}

#[test]
fn every_status_is_retried_as_often_as_useful() {
    let statuses: Vec<u16> = (300..600).collect();
    // One team per status.
    let sim = tenant(statuses.len(), 1, 0);
    let teams = sim.read_tenant(|tenant| tenant.team_ids());
    let elsewhere = format!("{}/v1.0/groups", sim.foreign_url());
    for (status, team) in statuses.iter().zip(&teams) {
        let body = json!({"error": {"code": "Code", "message": "What Graph says."}}).to_string();
        sim.inject(Rule::new(Fault::respond(*status, &[("Location", &elsewhere)], body)).class(Class::Members).team(team));
    }
    let sentences = in_parallel(statuses.iter().zip(&teams), |(&status, team)| {
        let output = Tap::new(&config(&sim, json!({"team_id": team}))).read(&["channels", "members"]);
        assert_eq!((output.status, output.statuses("channels").last()), (Some(1), Some(&"COMPLETE")), "{status}");
        let errors = output.errors();
        assert_eq!((errors.len(), errors[0].0, errors[0].1), (1, expected(status).1, "members"), "{status}: {errors:?}");
        let (tried, answer) = parts(errors[0].2);
        let exists = if status == 404 { ", although the team exists" } else { "" };
        assert_eq!(tried, format!("cannot list the members of team {team}{exists}: GET /v1.0/teams/{team}/members"));
        let (reported, rest) = answer.split_once(" (").unwrap();
        assert!(reported.starts_with(&format!("{status} ")), "{status}: {answer}");
        format!("<status> ({}", rest.replace(team.as_str(), "<team>"))
    });
    let journal = sim.journal();
    let mut requested = BTreeMap::new();
    journal.entries_of(Class::Members).for_each(|entry| *requested.entry(entry.team().unwrap().to_owned()).or_insert(0) += 1);
    for (status, team) in statuses.iter().zip(&teams) {
        let (requested, expected) = (requested[team], expected(*status).0);
        assert!(requested == expected || *status == 429 && requested > expected, "{status}: {requested}");
    }
    assert!(journal.entries().all(|entry| entry.host != Host::Foreign), "redirects are not followed");
    let mut alike: BTreeMap<String, Vec<u16>> = BTreeMap::new();
    sentences.into_iter().zip(statuses).for_each(|(sentence, status)| alike.entry(sentence).or_default().push(status));
    let mut lines: Vec<_> = alike.into_iter().map(|(sentence, statuses)| format!("{}:\n    {sentence}", ranges(&statuses))).collect();
    lines.sort();
    insta::assert_snapshot!(lines.join("\n"));
}

/// A request that fails: what it needs, and which streams are incomplete without it.
struct Route {
    name: &'static str,
    settings: fn(&Place) -> Value,
    rule: fn(Rule, &Place) -> Rule,
    fails: &'static [&'static str],
}

/// The ids of a tenant with one channel.
struct Place {
    team: String,
    channel: String,
    root: String,
}

const ROUTES: [Route; 8] = [
    Route { name: "groups", settings: |_| json!({}), rule: |rule, _| rule.class(Class::Groups), fails: &["teams"] },
    Route { name: "team", settings: |_| json!({}), rule: |rule, _| rule.class(Class::Team), fails: &["teams"] },
    Route {
        name: "channels",
        settings: |_| json!({}),
        rule: |rule, _| rule.class(Class::Channels),
        fails: &["channels", "messages", "message_replies"],
    },
    Route { name: "members", settings: |_| json!({}), rule: |rule, _| rule.class(Class::Members), fails: &["members"] },
    Route { name: "messages", settings: |_| json!({}), rule: |rule, _| rule.class(Class::Messages).page(PageKind::First), fails: MESSAGES },
    Route {
        name: "next messages",
        settings: |_| json!({"top": 4}),
        rule: |rule, _| rule.class(Class::Messages).page(PageKind::Next),
        fails: MESSAGES,
    },
    Route {
        name: "replies beyond those of the page",
        settings: |_| json!({}),
        rule: |rule, place| rule.class(Class::Replies).message(&place.root),
        fails: MESSAGES,
    },
    Route {
        name: "replies of a thread that is named",
        settings: |place| json!({"channel_id": place.channel, "message_id": place.root, "fetch_all_channels": false, "fetch_all_messages": false}),
        rule: |rule, place| rule.class(Class::Replies).message(&place.root),
        fails: &["message_replies"],
    },
];

/// An outage of a service behind Graph that is reported with another status.
fn outage(status: u16) -> Fault {
    let code = [(400, "BadRequest"), (403, "Forbidden"), (404, "NotFound")].into_iter().find(|(known, _)| *known == status).unwrap().1;
    Fault::graph(status, code, "Failed to execute Skype backend request GetThreadS2SRequest.")
}

/// One fault for each verdict: the number of attempts, the failure type, and whether a link counts as lost.
fn faults() -> Vec<(&'static str, Fault, u64, &'static str, bool)> {
    vec![
        ("302", Fault::Redirect("http://127.0.0.1:1/v1.0/groups".to_owned()), 1, CONFIG_ERROR, true),
        ("400", Fault::status(400), 1, CONFIG_ERROR, true),
        ("400 of the back end", outage(400), 7, TRANSIENT_ERROR, false),
        ("403 of the back end", outage(403), 7, TRANSIENT_ERROR, false),
        ("404 of the back end", outage(404), 7, TRANSIENT_ERROR, false),
        ("401", Fault::status(401), 2, CONFIG_ERROR, false),
        ("403", Fault::status(403), 1, CONFIG_ERROR, true),
        ("404", Fault::graph(404, "ItemNotFound", "No team found."), 1, CONFIG_ERROR, true),
        ("404 of nothing", Fault::Empty { status: 404 }, 2, CONFIG_ERROR, true),
        ("425", Fault::status(425), 7, TRANSIENT_ERROR, false),
        ("429", Fault::status(429), MIN_THROTTLED_ATTEMPTS, TRANSIENT_ERROR, false),
        ("500", Fault::status(500), 7, TRANSIENT_ERROR, false),
        ("501", Fault::status(501), 1, CONFIG_ERROR, false),
    ]
}

/// One channel of six threads with more replies than fit on a page.
fn one_channel() -> (GraphSim, Place) {
    let sim = tenant(1, 1, 6);
    sim.switches(|switches| (switches.inline_replies, switches.link_style) = (0, Some(LinkStyle::Slash)));
    let place = sim.with_tenant(|tenant| {
        let (team, channel) = (tenant.team_ids().remove(0), tenant.all_channel_ids().remove(0));
        let root = tenant.roots(&channel).remove(0);
        (0..3).for_each(|_| _ = tenant.reply(&root, graph_sim::Post::text("a reply")).unwrap());
        Place { team, channel, root: root.id_text() }
    });
    (sim, place)
}

#[test]
fn every_status_on_every_route_follows_the_retry_table() {
    let cases = ROUTES.iter().flat_map(|route| faults().into_iter().map(move |fault| (route, fault)));
    let emitted = in_parallel(cases, |(route, (what, fault, tries, kind, is_lost))| {
        let (sim, place) = one_channel();
        sim.inject((route.rule)(Rule::new(fault), &place));
        let mut settings = json!({"team_id": place.team, "fetch_all_channels": true, "fetch_all_messages": true});
        settings.as_object_mut().unwrap().extend((route.settings)(&place).as_object().unwrap().clone());
        let output = Tap::new(&config(&sim, settings)).read(&ALL);
        let case = format!("{}, {what}", route.name);
        let is_missing = what.starts_with("404") && kind == CONFIG_ERROR;
        // A list that returned a page exists, so a refused further page is not a configuration error.
        let is_later = ["next messages", "replies beyond those of the page"].contains(&route.name);
        let is_of_graph = is_later && is_lost && what != "302";
        // The team exists, but its list does not.
        let is_of_list = what == "404 of nothing" && ["channels", "members"].contains(&route.name);
        let kind = if is_of_graph || is_of_list { SYSTEM_ERROR } else { kind };
        let is_nothing = is_missing && route.name == "team";
        let fails: &[&str] = if is_nothing { &[] } else { route.fails };
        // If a link is lost, its list is requested again once, and fails at the same page.
        let begun = match route.name {
            // With and without replies; then with and without page size.
            "messages" if what == "400" => 3,
            // The link, and the list with and without page size.
            "replies beyond those of the page" if what == "400" => 3,
            "members" | "replies of a thread that is named" if what == "400" => 2,
            "next messages" if is_lost => 2,
            "replies beyond those of the page" if is_lost => 2,
            _ => 1,
        };
        assert_requests(sim.faults_applied(), tries * begun, &case);
        assert_eq!(output.status, Some(i32::from(!is_nothing)), "{case}");
        let errors = output.errors();
        assert_eq!(
            errors.iter().map(|(kind, stream, _)| (*kind, *stream)).collect::<Vec<_>>(),
            fails.iter().map(|stream| (kind, *stream)).collect::<Vec<_>>(),
            "{case}"
        );
        for stream in ALL {
            let last = if fails.contains(&stream) { "INCOMPLETE" } else { "COMPLETE" };
            assert_eq!(output.statuses(stream).last(), Some(&last), "{case}: {stream}");
        }
        let sentences: Vec<_> = errors.iter().map(|(_, _, sentence)| *sentence).collect();
        assert!(sentences.iter().all(|sentence| sentences[0] == *sentence), "{case}: {sentences:?}");
        let sentence = sentences.first()?;
        let (tried, answer) = parts(sentence);
        let tried = tried
            .replace(", although the team exists", "")
            .replace(" (not the first page)", "")
            .replace(&place.team, "<team>")
            .replace(&place.channel, "<channel>")
            .replace(&place.root, "<message>");
        Some((route.name, tried, what, answer.replace(&place.team, "<team>").replace(&place.channel, "<channel>")))
    });
    // The first part of a message depends on the route, the second mostly on the response.
    let (mut tried, mut reported) = (BTreeMap::new(), BTreeMap::<_, Vec<_>>::new());
    for (route, sentence, what, answer) in emitted.into_iter().flatten() {
        assert_eq!(tried.entry(route).or_insert_with(|| sentence.clone()), &sentence);
        reported.entry((what, answer)).or_default().push(route);
    }
    let tried = tried.into_iter().map(|(route, sentence)| format!("{route}:\n    {sentence}: ..."));
    let reported = reported.into_iter().map(|((what, answer), routes)| format!("{what} ({}):\n    ... {answer}", routes.join(", ")));
    insta::assert_snapshot!(tried.chain(reported).collect::<Vec<_>>().join("\n"));
}

#[test]
fn no_response_to_delta_fails_a_stream() {
    let mut faults = faults();
    faults.push(("410", Fault::status(410), 1, CONFIG_ERROR, true));
    in_parallel(faults, |(what, fault, tries, _, _)| {
        for runs_before in [1, 2] {
            let (sim, place) = one_channel();
            let mut runs = Runs::new(Tap::new(&config(&sim, everything())), Protocol::Airbyte);
            for _ in 0..runs_before {
                assert_eq!(runs.run().status, Some(0));
                sim.clock().advance(Duration::from_secs(3600));
            }
            sim.inject(Rule::new(fault.clone()).class(Class::Delta));
            sim.with_tenant(|tenant| tenant.post(&place.channel, graph_sim::Post::text("meanwhile"))).unwrap();
            let output = runs.run();
            assert_eq!(output.status, Some(0), "{what}: {:?}", output.errors());
            // After a rejected link, delta is started again.
            let requested = if what == "410" && runs_before == 2 { 2 } else { tries };
            assert_requests(sim.faults_applied(), requested, what);
            let reported = match (what, runs_before) {
                ("400", _) | ("410", 1) => "Graph refuses delta queries for channel",
                ("410", _) => "Graph rejected the delta token of channel",
                _ => "the delta query for channel",
            };
            let warnings = output.logs("WARN");
            assert!(warnings.iter().any(|warning| warning.contains(reported)), "{what}: {warnings:?}");
            runs.assert_complete(&sim);
        }
    });
}

fn read(sim: &GraphSim) -> Output {
    Tap::new(&config(sim, everything())).read(&ALL)
}

#[test]
fn one_failed_parent_does_not_stop_the_others_of_its_stream() {
    for (protocol, status, failure) in
        [(Protocol::Airbyte, 500, TRANSIENT_ERROR), (Protocol::Airbyte, 501, CONFIG_ERROR), (Protocol::Singer, 501, "")]
    {
        let sim = tenant(2, 3, 8);
        let channel = sim.read_tenant(|tenant| tenant.all_channel_ids().remove(0));
        sim.inject(Rule::new(Fault::status(status)).class(Class::Messages).channel(&channel));
        let mut settings = everything();
        settings["max_concurrent_threads"] = 1.into();
        let mut runs = Runs::new(Tap::new(&config(&sim, settings)), protocol);
        let first = runs.run();
        assert_eq!((first.status, first.records("messages").count(), first.records("members").count()), (Some(1), 5 * 8, 24));
        if protocol == Protocol::Airbyte {
            let errors = first.errors();
            assert_eq!(errors.iter().map(|(_, stream, _)| *stream).collect::<Vec<_>>(), MESSAGES);
            assert!(errors.iter().all(|(kind, _, text)| *kind == failure && text.contains(&channel)), "{errors:?}");
        } else {
            assert!(first.critical().contains(&channel), "{}", first.stderr);
        }
        sim.clear_faults();
        let second = runs.run();
        assert_eq!((second.status, second.records("messages").filter(|record| record["channel_id"] == channel).count()), (Some(0), 8));
        runs.assert_complete(&sim);
    }
}

#[test]
fn transient_errors_are_reported_before_permanent_ones() {
    let sim = tenant(1, 1, 2);
    sim.inject(Rule::new(Fault::status(403)).class(Class::Team));
    sim.inject(Rule::new(Fault::status(400)).class(Class::Members));
    sim.inject(Rule::new(Fault::status(503)).class(Class::Messages));
    let output = read(&sim);
    let kinds: Vec<_> = output.errors().into_iter().map(|(kind, stream, _)| (kind, stream)).collect();
    assert_eq!(
        kinds,
        [(TRANSIENT_ERROR, "messages"), (TRANSIENT_ERROR, "message_replies"), (CONFIG_ERROR, "teams"), (CONFIG_ERROR, "members")]
    );
    assert_eq!((output.status, output.statuses("channels").last()), (Some(1), Some(&"COMPLETE")));
    let sync = Tap::new(&config(&sim, everything())).sync(&[]);
    assert!(sync.critical().contains(": 503 "), "{}", sync.stderr);
    let streams: Vec<_> = sync.logged("ERROR").into_iter().filter_map(|line| line.split(": ").next()).collect();
    assert_eq!(streams, ["messages", "message_replies", "teams", "members"]);
}

#[test]
fn a_404_that_names_nothing_is_retried_once() {
    let nothing = [Fault::status(404), Fault::Empty { status: 404 }, Fault::Html { status: 404 }];
    let named = [Fault::graph(404, "ItemNotFound", "No team found with Group Id x"), Fault::graph(404, "NotFound", "NotFound")];
    for (faults, requested) in [(&nothing[..], 2), (&named[..], 1)] {
        for fault in faults {
            let sim = tenant(1, 2, 2);
            let channel = sim.read_tenant(|tenant| tenant.all_channel_ids().remove(1));
            let rule = Rule::new(fault.clone()).class(Class::Messages).channel(&channel);
            sim.inject(rule.clone());
            let output = read(&sim);
            assert_eq!((output.status, sim.faults_applied()), (Some(0), requested), "{fault:?}: {:?}", output.errors());
            let warnings: Vec<_> = output.logs("WARN").into_iter().filter(|warning| warning.contains(&channel)).collect();
            assert!(warnings.len() == 1 && warnings[0].contains("404 Not Found"), "{warnings:?}");
            assert_eq!(output.records("messages").count(), 2);
            if requested == 2 {
                sim.clear_faults();
                sim.inject(rule.times(1));
                assert_whole(&sim, &read(&sim));
            }
        }
    }
}

fn assert_whole(sim: &GraphSim, output: &Output) {
    assert_eq!(output.status, Some(0), "{:?}", output.errors());
    assert!(output.logs("WARN").is_empty(), "{:?}", output.logs("WARN"));
    let truth = sim.truth();
    for stream in ALL {
        truth::assert_equal(stream, &output.table(stream), &truth::table(&truth, stream));
    }
}

#[test]
fn an_outage_with_another_status_is_retried_and_not_a_missing_permission() {
    let texts = ["Failed to execute Skype backend request GetThreadS2SRequest.", "failed to execute BACKEND REQUEST."];
    let cases = [(400, "BadRequest"), (403, "Forbidden"), (404, "NotFound"), (404, "UnknownError")];
    in_parallel(cases.into_iter().flat_map(|case| texts.map(|text| (case, text))), |((status, code), text)| {
        let outage = || Rule::new(Fault::graph(status, code, text));
        let sim = tenant(1, 2, 6);
        for class in [Class::Groups, Class::Team, Class::Channels, Class::Members, Class::Messages] {
            sim.inject(outage().class(class).times(3));
        }
        assert_whole(&sim, &read(&sim));
        let channel = sim.read_tenant(|tenant| tenant.all_channel_ids().remove(0));
        sim.inject(outage().class(Class::Messages).channel(&channel));
        sim.inject(outage().class(Class::Members));
        sim.inject(outage().class(Class::Team));
        let output = read(&sim);
        let errors = output.errors();
        let streams: Vec<_> = errors.iter().map(|(_, stream, _)| *stream).collect();
        assert_eq!((output.status, streams), (Some(1), vec!["teams", "members", "messages", "message_replies"]), "{errors:?}");
        for (kind, _, reported) in errors {
            assert!(kind == TRANSIENT_ERROR && reported.contains(text) && reported.contains("tried 7 times"), "{reported}");
            assert!(
                reported.contains("hint: a service that Graph depends on had an outage: run again") && !reported.contains("grant"),
                "{reported}"
            );
        }
        assert_eq!(output.records("messages").count(), 6, "the other channel is read");
        // A check shows no useless hint either.
        let check = Tap::new(&config(&sim, everything())).check();
        let lines = [check.logs("WARN"), check.logs("INFO")].concat().join("\n");
        assert!(!lines.contains("grant") && !lines.contains("was not found") && lines.contains(text), "{lines}");
    });
}

#[test]
fn messages_of_graph_are_shown_with_code_and_request_id() {
    let roles = "Missing role permissions on the request. API requires one of 'ChannelMessage.Read.All, Group.Read.All'. \
        Roles on the request 'Team.ReadBasic.All'. Resource specific consent grants on the request ''.";
    let cases = [
        ("missing roles", Fault::graph(403, "Forbidden", roles)),
        ("a directory route", Fault::graph(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")),
        (
            "RSC",
            Fault::graph(
                403,
                "Forbidden",
                "Application is not allowed to perform operations on the user 'x', neither is allowed access through RSC permission evaluation.",
            ),
        ),
        ("a protected API", Fault::status(403)),
        ("a licence", Fault::graph(402, "PaymentRequired", "The tenant has no licence for this API.")),
        ("application-only", Fault::graph(412, "PreconditionFailed", "Requested API is not supported in application-only context")),
        ("an id that is none", Fault::graph(400, "BadRequest", "teamId needs to be a valid GUID")),
        ("no Teams", Fault::graph(404, "ItemNotFound", "No team found with Group Id x")),
    ];
    let mut emitted = Vec::new();
    for (what, fault) in cases {
        let (sim, place) = one_channel();
        let Fault::Graph { status, code, message, .. } = &fault else { panic!("{fault:?}") };
        sim.inject(Rule::new(fault.clone()).class(Class::Messages));
        let settings = json!({"team_id": place.team, "fetch_all_channels": true, "fetch_all_messages": true});
        let tap = Tap::new(&config(&sim, settings));
        let output = tap.read(&["messages"]);
        let (kind, _, sentence) = output.errors()[0];
        assert_eq!(kind, CONFIG_ERROR);
        for part in [format!("{status} "), format!("({code}: {message}, request-id "), place.team.clone(), place.channel.clone()] {
            assert!(sentence.contains(&part), "{part}: {sentence}");
        }
        emitted.push(format!("{what}:\n    {}", parts(sentence).1.replace(&place.channel, "<channel>")));
        assert!(tap.check().logs("WARN")[0].contains(message), "{what}");
    }
    insta::assert_snapshot!(emitted.join("\n"));
}
