//! The output of a plan, and which streams are planned.

use graph_sim::TenantSpec;
use serde_json::{Value, json};

use super::{Planned, planned, requests};
use crate::support::Tap;

fn small() -> Planned {
    let planned = planned(TenantSpec { members: 3, ..TenantSpec::uniform(2, 2, 12) }.replies(1, 0));
    planned.name_channels(&["General", "Incidents", "General", "日報"]);
    planned
}

#[test]
fn the_table() {
    let planned = small();
    let finished = planned.execute(&[]);
    assert_eq!((finished.status, finished.stderr.as_str()), (Some(0), ""));
    assert!(!finished.stdout.contains('\u{1b}'), "no colours in a pipe");
    insta::with_settings!({filters => super::TIMES.to_vec()}, {
        insta::assert_snapshot!("table", finished.stdout);
    });
}

#[test]
fn the_json() {
    let mut plan = small().plan();
    // Without a pace, times depend on the response times.
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
fn stdout_has_only_the_plan_and_no_file_is_written() {
    let planned = small();
    let files = || std::fs::read_dir(planned.tap.folder()).unwrap().count();
    let finished = planned.execute(&["--format", "json"]);
    let before = files();
    assert!(serde_json::from_str::<Value>(&finished.stdout).is_ok(), "one value: {}", finished.stdout);
    planned.execute(&[]);
    assert_eq!(files(), before);
}

#[test]
fn without_a_catalog_every_configured_stream_is_planned() {
    let planned = Planned::with(TenantSpec::uniform(1, 2, 5), json!({"fetch_all_channels": false, "fetch_all_messages": false}));
    let finished = planned.tap.execute(&["plan", "--config", "config.json", "--format", "json"], &[]);
    assert_eq!((finished.status, finished.stderr.as_str()), (Some(0), ""));
    let plan: Value = serde_json::from_str(&finished.stdout).unwrap();
    let streams: Vec<_> = plan["streams"].as_array().unwrap().iter().map(|stream| &stream["name"]).collect();
    assert_eq!(streams, ["teams", "channels", "members"]);
    assert_eq!((requests(&plan, "total"), requests(&plan, "messages")), (5, 0));
}

#[test]
fn configured_channels_and_threads_are_planned_without_lists() {
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
    let sent = planned.read();
    assert!(super::miss(&plan, &sent) <= 0.25, "planned {}, sent {sent:?}", plan["requests"]);
    assert!(requests(&plan, "other") > 1, "the pages of the thread: {}", plan["requests"]);
}

#[test]
fn the_table_of_the_demo_fits_on_a_screen() {
    let spec = TenantSpec { members: 3, ..TenantSpec::uniform(5, 8, 2) }.replies(1, 0);
    let watched = planned(spec).tap.watch_at(100, &["plan", "--config", "config.json"], &[], true);
    assert_eq!(watched.finished.status, Some(0));
    let lines = watched.screen.trim_end().lines().count();
    assert!(lines <= 24 && watched.screen.lines().all(|line| line.chars().count() <= 100), "{lines}: {}", watched.screen);
}

#[test]
fn the_table_says_which_streams_are_not_configured_instead_of_zero_channels() {
    let sim = crate::support::tenant(2, 1, 1);
    let table = |settings| Tap::new(&crate::support::config(&sim, settings)).execute(&["plan", "--config", "config.json"], &[]).stdout;
    let nothing = table(json!({}));
    assert!(nothing.starts_with("A first run reads 2 teams.\n"), "{nothing}");
    assert!(nothing.contains("\nNot read  channels: not configured, set team_id or fetch_all_teams\n"), "{nothing}");
    let teams = table(json!({"fetch_all_teams": true}));
    assert!(teams.contains("\nNot read  messages: not configured, set channel_id or fetch_all_channels\n"), "{teams}");
    assert!(!teams.contains("0 channels"), "{teams}");
    let all = table(crate::support::everything());
    assert!(!all.contains("Not read"), "{all}");
}

#[test]
fn without_config_one_line_names_the_environment() {
    let sim = crate::support::tenant(1, 1, 1);
    let config = crate::support::config(&sim, json!({}));
    let tap = Tap::new(&config);
    let variables: Vec<_> = ["tenant_id", "client_id", "client_secret", "login_url", "graph_url"]
        .iter()
        .map(|name| (format!("TAP_MICROSOFT_TEAMS_{}", name.to_uppercase()), config[*name].as_str().unwrap().to_owned()))
        .collect();
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let finished = tap.execute(&["plan"], &variables);
    let line = "INFO configuration: variables TAP_MICROSOFT_TEAMS_* of the environment; pass --config FILE to use a file\n";
    assert_eq!((finished.status, finished.stderr.as_str()), (Some(0), line));
    let finished = tap.execute(&["plan"], &[]);
    let line = "INFO no configuration: no variable TAP_MICROSOFT_TEAMS_* is set; pass --config FILE, or set the variables\n";
    assert!(finished.status == Some(1) && finished.stderr.starts_with(line), "{}", finished.stderr);
}
