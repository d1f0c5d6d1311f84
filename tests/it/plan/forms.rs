//! How a plan is printed, and what may be planned.

use graph_sim::TenantSpec;
use serde_json::{Value, json};

use super::{Planned, planned, requests};

fn small() -> Planned {
    let planned = planned(TenantSpec { members: 3, ..TenantSpec::uniform(2, 2, 12) }.replies(1, 0));
    planned.name_channels(&["General", "Incidents", "General", "日報"]);
    planned
}

#[test]
fn a_plan_for_people() {
    let planned = small();
    let finished = planned.execute(&[]);
    assert_eq!((finished.status, finished.stderr.as_str()), (Some(0), ""));
    assert!(!finished.stdout.contains('\u{1b}'), "no colours in pipes");
    insta::with_settings!({filters => super::TIMES.to_vec()}, {
        insta::assert_snapshot!("table", finished.stdout);
    });
}

#[test]
fn a_plan_for_programs() {
    let mut plan = small().plan();
    // Without a pace, all depends on how fast it is answered.
    for key in ["seconds", "decided_by"] {
        plan[key] = json!("[time]");
    }
    for channel in plan["longest"].as_array_mut().unwrap() {
        channel["seconds"] = json!("[time]");
    }
    let ids = [
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "<team>"),
        (r"19:[0-9a-zA-Z_-]+@thread\.(tacv2|skype)", "<channel>"),
    ];
    insta::with_settings!({filters => ids.to_vec()}, {
        insta::assert_snapshot!("json", format!("{plan:#}"));
    });
}

#[test]
fn nothing_else_is_on_stdout_and_nothing_is_written() {
    let planned = small();
    let files = || std::fs::read_dir(planned.tap.folder()).unwrap().count();
    let finished = planned.execute(&["--format", "json"]);
    let before = files();
    assert!(serde_json::from_str::<Value>(&finished.stdout).is_ok(), "one value: {}", finished.stdout);
    planned.execute(&[]);
    assert_eq!(files(), before);
}

#[test]
fn without_a_catalog_all_that_the_configuration_allows_is_planned() {
    let planned = Planned::with(TenantSpec::uniform(1, 2, 5), json!({"fetch_all_channels": false, "fetch_all_messages": false}));
    let finished = planned.tap.execute(&["plan", "--config", "config.json", "--format", "json"], &[]);
    assert_eq!((finished.status, finished.stderr.as_str()), (Some(0), ""));
    let plan: Value = serde_json::from_str(&finished.stdout).unwrap();
    let streams: Vec<_> = plan["streams"].as_array().unwrap().iter().map(|stream| &stream["name"]).collect();
    assert_eq!(streams, ["teams", "channels", "members"]);
    assert_eq!((requests(&plan, "total"), requests(&plan, "messages")), (5, 0));
}

#[test]
fn channels_and_threads_that_are_named_are_planned_without_their_lists() {
    let sim = crate::support::tenant(1, 1, 300);
    let (team, channel) = sim.read_tenant(|tenant| (tenant.team_ids().remove(0), tenant.all_channel_ids().remove(0)));
    let root = sim.read_tenant(|tenant| tenant.roots(&channel).into_iter().find(|root| !tenant.replies(root).is_empty()).unwrap());
    for _ in 0..120 {
        sim.with_tenant(|tenant| tenant.reply(&root, graph_sim::Post::text("more"))).unwrap();
        sim.clock().advance(std::time::Duration::from_secs(60));
    }
    let named = json!({"fetch_all_teams": false, "fetch_all_channels": false, "fetch_all_messages": false, "team_id": team,
        "channel_id": channel, "message_id": root.id.to_string()});
    let mut planned = Planned::of(sim, named).streams(&super::BOTH);
    let plan = planned.plan();
    assert_eq!((requests(&plan, "groups"), requests(&plan, "channels")), (0, 0));
    let asked = planned.read();
    assert!(super::miss(&plan, &asked) <= 0.25, "planned {}, asked {asked:?}", plan["requests"]);
    assert!(requests(&plan, "other") > 1, "the pages of the thread: {}", plan["requests"]);
}
