//! The requests of a plan itself: they are counted and bounded.

use graph_sim::{Class, TenantSpec};
use serde_json::json;

use super::{Planned, planned, requests};

#[test]
fn a_plan_sends_one_request_per_channel_and_reports_its_own_requests() {
    let planned = planned(TenantSpec::uniform(3, 4, 20));
    let plan = planned.plan();
    let journal = planned.sim.journal();
    assert_eq!(plan["looked_at"]["requests"], journal.total());
    assert_eq!((journal.count(Class::Messages), journal.count(Class::Delta), journal.count(Class::Replies)), (12, 0, 0));
    assert!(journal.total() <= 12 + 3 * 3 + 2, "{}", journal.total());
}

#[test]
fn a_large_tenant_is_sampled_and_extrapolated() {
    let planned = planned(TenantSpec { members: 3, ..TenantSpec::uniform(10, 200, 1) }.replies(0, 0));
    let plan = planned.plan();
    assert_eq!(plan["looked_at"]["channels"], json!({"of_them": 300, "all": 2000}));
    assert_eq!(planned.sent().messages, 300);
    assert!(planned.sent().total < 350, "{:?}", planned.sent());
    // One request per channel; three per team (itself, its channels, its members); the groups and a token.
    assert_eq!(requests(&plan, "total"), 2000 + 3 * 10 + 2);
    let finished = planned.execute(&[]);
    assert!(finished.stderr.contains("sampling the messages of 300 of 2000 parents"), "{}", finished.stderr);
    assert!(finished.stdout.contains("(10 of 10 teams, 300 of 2,000 channels)"), "{}", finished.stdout);
}

#[test]
fn many_teams_are_sampled() {
    let planned = planned(TenantSpec { members: 1, ..TenantSpec::uniform(600, 1, 1) }.replies(0, 0));
    let plan = planned.plan();
    let teams = &plan["looked_at"]["teams"];
    assert!(teams["all"] == 600 && teams["of_them"].as_u64() < Some(600), "{teams}");
    assert_eq!((&plan["channels"], requests(&plan, "messages"), requests(&plan, "channels")), (&json!(600), 600, 600));
    assert!(planned.sent().total < 1000, "{:?}", planned.sent());
}

#[test]
fn configured_threads_belong_to_one_channel() {
    let sim = planned(TenantSpec::uniform(1, 1, 10)).sim;
    let truth = sim.truth();
    let (channel, threads): (Vec<_>, Vec<_>) = truth.messages.keys().take(3).map(|(channel, id)| (channel.clone(), id.to_string())).unzip();
    let settings = json!({"stream_options": {"message_replies": {"fetch_all_channels": false, "channel_id": channel[0],
        "fetch_all_messages": false, "message_id": threads}}});
    let plan = Planned::with(TenantSpec::uniform(1, 1, 10), settings).streams(&["message_replies"]).plan();
    assert_eq!((&plan["channels"], &plan["looked_at"]["channels"]), (&json!(1), &json!({"of_them": 1, "all": 1})));
}

#[test]
fn requests_per_second_makes_a_run_longer() {
    let time = |settings| Planned::with(TenantSpec::uniform(1, 2, 10), settings).plan()["seconds"].as_f64().unwrap();
    // 7 requests at 5 per second. Without the limit, they would take almost no time.
    assert!(time(json!({"requests_per_second": 5})) >= 1.4);
    assert!(time(json!({})) < 1.0);
}

#[test]
fn the_limit_of_one_team_can_decide() {
    let planned = Planned::with(TenantSpec { members: 1, ..TenantSpec::uniform(1, 40, 1) }.replies(0, 0), json!({"pace": 10}));
    let plan = planned.plan();
    let team = planned.sim.read_tenant(|tenant| tenant.team_ids().remove(0));
    let decided = &plan["decided_by"];
    // The team, its channels, its members, and one page of each channel.
    assert_eq!((&decided["limit"], &decided["team"], &decided["requests"]), (&json!("one_team"), &json!(team), &json!(43)));
    assert!(decided["channel"].is_null() && plan["seconds"].as_f64() >= Some(1.0), "{plan}");
}
