//! A later page of a list is refused although the pages before it were returned: nothing is treated as deleted or silently skipped.

use graph_sim::{Class, Fault, PageKind, Rule};
use serde_json::json;

use super::paged;
use crate::support::{ALL, Protocol, Tap, config, everything, in_parallel, incremental::Runs, tenant, truth};

/// Graph's error responses for a page that is not found or refused.
fn refusals() -> [(&'static str, Fault); 5] {
    [
        ("404 UnknownError", Fault::status(404)),
        ("404 NotFound", Fault::graph(404, "NotFound", "NotFound")),
        ("404 that names a team", Fault::graph(404, "ItemNotFound", "No team found with Group Id x")),
        ("404 without a body", Fault::Empty { status: 404 }),
        ("403", Fault::status(403)),
    ]
}

#[test]
fn a_refused_later_page_is_a_failure_and_read_records_are_kept() {
    let routes = [
        (Class::Groups, &ALL[..], "cannot list the teams in the tenant: "),
        (Class::Channels, &["channels", "messages", "message_replies"], "cannot list the channels of team "),
        (Class::Members, &["members"], "cannot list the members of team "),
        (Class::Messages, &["messages", "message_replies"], "cannot read the messages in channel "),
    ];
    let cases = routes.into_iter().flat_map(|route| refusals().map(|refusal| (route, refusal)));
    in_parallel(cases, |((class, fails, reported), (what, fault))| {
        let (sim, settings) = paged(3, 2);
        sim.inject(Rule::new(fault).class(class).page(PageKind::Next));
        let output = Tap::new(&settings).read(&ALL);
        assert_eq!(output.status, Some(1), "{class:?} {what}");
        for stream in ALL {
            let last = if fails.contains(&stream) { "INCOMPLETE" } else { "COMPLETE" };
            assert_eq!(output.statuses(stream).last(), Some(&last), "{class:?} {what} {stream}");
        }
        let errors = output.errors();
        assert_eq!(errors.iter().map(|(_, stream, _)| *stream).collect::<Vec<_>>(), fails, "{class:?} {what}");
        for (kind, _, text) in errors {
            assert!(kind == "system_error" && text.starts_with(reported), "{class:?} {what}: {text}");
            assert!(
                text.contains(" (not the first page): 40") && text.contains("hint: Graph returned the pages before this one"),
                "{text}"
            );
            assert!(!text.contains("grant the application"), "{text}");
        }
        let warnings = output.logs("WARN").join("\n");
        assert!(!warnings.contains("is marked as a team"), "{class:?} {what}: {warnings}");
        // The output contains the items of the first pages and their children.
        let count = |stream: &'static str| output.table(stream).len();
        let counts = ["teams", "channels", "members"].map(count);
        let [_, channels, members] = ["teams", "channels", "members"].map(|stream| truth::table(&sim.truth(), stream).len());
        let expected = match class {
            Class::Groups => [2, channels * 2 / 3, members * 2 / 3],
            Class::Channels => [3, 3 * 2, members],
            Class::Members => [3, channels, 3 * 2],
            _ => [3, channels, members],
        };
        assert_eq!(counts, expected, "{class:?} {what}");
        assert!(count("messages") >= 3 * 3 * 2 - 3 * 2, "{class:?} {what}: {}", count("messages"));
    });
}

#[test]
fn a_channel_with_refused_older_pages_is_reported_until_they_return() {
    for protocol in [Protocol::Airbyte, Protocol::Singer] {
        let sim = tenant(1, 2, 12);
        let channel = sim.read_tenant(|tenant| tenant.all_channel_ids().remove(0));
        let mut settings = everything();
        settings["top"] = 4.into();
        let mut runs = Runs::new(Tap::new(&config(&sim, settings)), protocol);
        sim.inject(Rule::new(Fault::status(404)).class(Class::Messages).channel(&channel).page(PageKind::Next));
        for run in 0..2 {
            let output = runs.run();
            assert_eq!(output.status, Some(1), "{run}");
            let reported = if protocol == Protocol::Airbyte { output.errors()[0].2.to_owned() } else { output.critical().to_owned() };
            assert!(reported.contains(&channel) && reported.contains("(not the first page): 404"), "{reported}");
        }
        sim.clear_faults();
        assert_eq!(runs.run().status, Some(0));
        runs.assert_complete(&sim);
    }
}

#[test]
fn a_list_that_is_missing_when_restarted_is_gone() {
    let (sim, settings) = paged(3, 2);
    let team = sim.read_tenant(|tenant| tenant.team_ids().remove(0));
    // The team is deleted between the first and the second page of its members.
    let gone = Fault::graph(404, "ItemNotFound", "No team found with Group Id x");
    sim.inject(Rule::new(gone).class(Class::Members).team(&team).skip(1));
    let output = Tap::new(&settings).read(&["members"]);
    assert_eq!(output.status, Some(0), "{:?}", output.errors());
    let skipped = format!("group {team} is marked as a team but Graph has no team for it; skipped");
    assert!(output.logs("WARN").contains(&skipped.as_str()), "{:?}", output.logs("WARN"));
}

#[test]
fn a_configured_thread_that_loses_its_later_pages_is_incomplete() {
    let sim = tenant(1, 1, 2);
    let (team, channel, root) = sim.with_tenant(|tenant| {
        let (team, channel) = (tenant.team_ids().remove(0), tenant.all_channel_ids().remove(0));
        let root = tenant.roots(&channel).remove(0);
        (0..6).for_each(|_| _ = tenant.reply(&root, graph_sim::Post::text("a reply")).unwrap());
        (team, channel, root.id_text())
    });
    sim.inject(Rule::new(Fault::status(404)).class(Class::Replies).page(PageKind::Next));
    // Another channel is searched too: it is in this one.
    let settings = json!({"team_id": team, "channel_id": channel, "message_id": root, "top": 2});
    let output = Tap::new(&config(&sim, settings)).read(&["message_replies"]);
    let errors = output.errors();
    assert_eq!((output.status, errors.len(), output.table("message_replies").len()), (Some(1), 1, 2), "{errors:?}");
    assert!(
        errors[0].0 == "system_error" && errors[0].2.contains(&root) && errors[0].2.contains("(not the first page): 404"),
        "{errors:?}"
    );
}

#[test]
fn a_plan_reports_streams_with_refused_later_pages() {
    let (sim, settings) = paged(3, 2);
    for (class, reported) in [(Class::Members, "cannot list the members of team "), (Class::Channels, "cannot list the channels of team ")]
    {
        sim.clear_faults();
        sim.inject(Rule::new(Fault::status(404)).class(class).page(PageKind::Next));
        let plan = Tap::new(&settings).execute(&["plan", "--config", "config.json"], &[]);
        let text = format!("{}{}", plan.stdout, plan.stderr);
        assert!(text.contains(reported) && text.contains("(not the first page): 404"), "{class:?}: {text}");
    }
}
