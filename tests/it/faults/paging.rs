//! Foreign links in every position, and rounds of delta with both links or none.

use std::thread;

use graph_sim::{Class, Fault, GraphSim, Host, LinkFault, Options, PageKind, Rule, TenantSpec};
use serde_json::json;

use crate::{
    incremental::{BOTH, HOUR, MESSAGES, REPLIES, Reader, reader},
    support::{ALL, Tap, config, everything, tenant, truth},
};

/// A tenant in which every list has a second page.
fn paged() -> GraphSim {
    let spec = TenantSpec { groups_without_team: 0, ..TenantSpec::uniform(1, 2, 12).replies(6, 0) };
    let sim = GraphSim::start(Options { gzip: false, ..Options::new(spec).manual_clock() }).unwrap();
    sim.switches(|switches| {
        (switches.inline_replies, switches.replies_page, switches.channels_page) = (1, 1, 1);
    });
    sim
}

/// Replacements of a link up to its path, and whether the result is a link.
fn foreign_links(sim: &GraphSim) -> [(String, bool); 10] {
    let (graph, foreign) = (sim.graph_url(), sim.foreign_url());
    let host = foreign.trim_start_matches("http://");
    [
        (format!("\"{foreign}"), true),
        ("\"http://127.0.0.1:1".to_owned(), true),
        (format!("\"{}", graph.replace("http://", "http://user@")), true),
        (format!("\"{graph}@{host}"), true),
        (format!("\"//{host}"), true),
        // On this host, but outside the API version.
        (format!("\"{graph}/beta"), true),
        (format!("\"{graph}/v1.0/..%2Fbeta"), true),
        ("\"".to_owned(), true),
        ("\"\",\"x\":\"".to_owned(), true),
        ("5,\"x\":\"".to_owned(), false),
    ]
}

fn replace(sim: &GraphSim, name: &str, by: &str) -> Fault {
    Fault::Replace { from: format!("\"{name}\":\"{}", sim.graph_url()), to: format!("\"{name}\":{by}") }
}

#[test]
fn no_link_leads_the_token_to_another_host() {
    let next = "@odata.nextLink";
    let places = [
        (Class::Groups, next, "teams"),
        (Class::Channels, next, "channels"),
        (Class::Members, next, "members"),
        (Class::Messages, next, "messages"),
        (Class::Messages, "replies@odata.nextLink", "message_replies"),
        (Class::Replies, next, "message_replies"),
    ];
    let check = |class: Class, name: &str, stream: &'static str| {
        let sim = paged();
        let mut settings = everything();
        settings["top"] = 5.into();
        if class == Class::Groups {
            sim.switches(|switches| switches.empty_pages = 1);
        }
        for (by, is_link) in foreign_links(&sim) {
            if class == Class::Replies && !is_link {
                // The list of the thread is requested instead, which needs no link here.
                continue;
            }
            sim.clear_faults();
            let applied = sim.faults_applied();
            sim.inject(Rule::new(replace(&sim, name, &by)).class(class));
            let output = Tap::new(&config(&sim, settings.clone())).read(&ALL);
            assert!(sim.faults_applied() > applied && output.status == Some(1), "{class:?} {name} {by}");
            let errors: Vec<_> = output.errors().into_iter().filter(|error| error.1 == stream).collect();
            let (kind, reported) =
                if is_link { ("system_error", "a link in the response points to ") } else { ("transient_error", "a link is not a string") };
            assert!(errors.len() == 1 && errors[0].0 == kind && errors[0].2.contains(reported), "{class:?} {name} {by}: {errors:?}");
        }
        // Without a link, the list ends.
        sim.clear_faults();
        sim.inject(Rule::new(replace(&sim, name, "null,\"x\":\"")).class(class));
        let output = Tap::new(&config(&sim, settings)).read(&["members", "teams"]);
        assert_eq!(output.status, Some(0), "{class:?} {name} null: {:?}", output.errors());
        assert!(sim.journal().entries().all(|entry| entry.host != Host::Foreign), "a token never leaves");
    };
    thread::scope(|scope| {
        for (class, name, stream) in places {
            scope.spawn(move || check(class, name, stream));
        }
        for name in ["@odata.nextLink", "@odata.deltaLink"] {
            scope.spawn(move || {
                let mut reader = reader_with_delta();
                let kept = reader.states.clone();
                for (by, is_link) in foreign_links(&reader.sim) {
                    reader.states.clone_from(&kept);
                    reader.sim.clear_faults();
                    let applied = reader.sim.faults_applied();
                    reader.sim.inject(Rule::new(replace(&reader.sim, name, &by)).class(Class::Delta));
                    let run = reader.run();
                    assert!(reader.sim.faults_applied() > applied, "{name} {by}");
                    assert_eq!(run.output.status, Some(i32::from(is_link)), "{name} {by}: {:?}", run.output.errors());
                    let links = serde_json::to_string(&reader.states).unwrap();
                    assert!(!links.contains(reader.sim.foreign_url().trim_start_matches("http://")), "{name} {by}: {links}");
                }
                assert!(reader.sim.journal().entries().all(|entry| entry.host != Host::Foreign), "a token never leaves");
                reader.sim.clear_faults();
                reader.later(HOUR);
                reader.read();
                reader.assert_complete();
            });
        }
    });
}

/// A reader of messages with delta, and more changes than fit on a page of delta.
fn reader_with_delta() -> Reader {
    let mut reader = reader(30).streams(&[MESSAGES]);
    reader.sim.switches(|switches| switches.delta.page = 5);
    reader.start_delta();
    change(&reader);
    reader
}

fn change(reader: &Reader) {
    for number in 0..12 {
        reader.post(&format!("new {number}"));
    }
    reader.later(HOUR);
}

#[test]
fn delta_with_both_links_or_none_loses_nothing() {
    for protocol in BOTH {
        for streams in [&[MESSAGES][..], &[MESSAGES, REPLIES]] {
            for fault in [LinkFault::Both, LinkFault::Neither] {
                // On a page with a nextLink, and on the last page.
                for nth in [1, 3] {
                    let mut reader = reader_with_delta().with_protocol(protocol).streams(streams);
                    reader.sim.inject(Rule::new(Fault::Link(fault.clone())).class(Class::Delta).nth(nth));
                    let what = format!("{protocol:?} {streams:?} {fault:?} {nth}");
                    reader.read();
                    reader.assert_complete();
                    assert_eq!(reader.sim.faults_applied(), 1, "{what}");
                    change(&reader);
                    reader.read();
                    reader.assert_complete();
                    reader.later(HOUR);
                    let run = reader.read();
                    assert_eq!((run.emitted_total(), run.warnings("delta").len()), (0, 0), "{what}");
                }
            }
        }
    }
    let mut reader = reader_with_delta();
    reader.sim.inject(Rule::new(Fault::Link(LinkFault::Neither)).class(Class::Delta));
    assert_eq!(reader.read().warnings("ended without a deltaLink; the next run repeats it").len(), 1);
    reader.assert_complete();
}

#[test]
fn a_list_with_an_expired_link_restarts_once_and_repeats_nothing() {
    for class in [Class::Groups, Class::Members, Class::Channels] {
        let sim = tenant(4, 3, 1);
        sim.switches(|switches| switches.channels_page = 1);
        let settings = config(&sim, json!({"fetch_all_teams": true, "top": 2}));
        let streams = ["teams", "channels", "members"];
        let ended =
            || Rule::new(Fault::graph(400, "BadRequest", "The provided skip token is not valid.")).class(class).page(PageKind::Next);
        sim.inject(ended().nth(1));
        let output = Tap::new(&settings).read(&streams);
        assert_eq!(output.status, Some(0), "{class:?}: {:?}", output.errors());
        let truth = sim.truth();
        for stream in streams {
            truth::assert_equal(stream, &output.table(stream), &truth::table(&truth, stream));
            assert_eq!(output.records(stream).count(), output.table(stream).len(), "{class:?}: {stream}");
        }
        // A link that always expires is an error, not an endless loop.
        sim.inject(ended());
        assert_eq!(Tap::new(&settings).read(&streams).status, Some(1), "{class:?}");
    }
}
