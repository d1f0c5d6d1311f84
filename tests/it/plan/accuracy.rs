//! How close a plan comes to the requests of the `read` that follows.

use graph_sim::TenantSpec;
use serde_json::{Value, json};

use super::{Planned, miss, planned, requests};

#[track_caller]
fn assert_near(mut planned: Planned, share: f64) -> Value {
    let plan = planned.plan();
    let sent = planned.read();
    let miss = miss(&plan, &sent);
    assert!(miss <= share, "planned {}, sent {sent:?}: {miss:.3}", plan["requests"]);
    plan
}

#[test]
fn many_small_channels_are_planned_exactly() {
    assert_near(planned(TenantSpec::uniform(8, 8, 30).replies(2, 0)), 0.0);
}

#[test]
fn a_channel_of_two_pages_takes_three_requests() {
    let plan = assert_near(planned(TenantSpec::uniform(2, 2, 75).replies(1, 0)), 0.0);
    assert_eq!(requests(&plan, "messages"), 4 * 3);
}

#[test]
fn the_length_of_a_very_long_channel_is_estimated() {
    let spec = TenantSpec { large: Some(8000), ..TenantSpec::uniform(3, 4, 40) };
    let planned = planned(spec);
    let (team, channel) = planned.sim.read_tenant(|tenant| (tenant.team_ids().pop().unwrap(), tenant.all_channel_ids().pop().unwrap()));
    let plan = assert_near(planned, 0.25);
    let longest = &plan["longest"][0];
    assert_eq!((&longest["team"], &longest["channel"]), (&team.into(), &channel.clone().into()));
    assert_eq!((&plan["decided_by"]["limit"], &plan["decided_by"]["channel"]), (&"one_channel".into(), &channel.into()));
}

#[test]
fn long_threads_are_counted_with_their_pages() {
    let plan = assert_near(planned(TenantSpec::uniform(2, 2, 40).replies(4, 16)), 0.25);
    assert!(requests(&plan, "other") > 5 * requests(&plan, "messages"));
}

#[test]
fn channels_of_all_sizes_are_estimated_from_their_first_pages() {
    assert_near(planned(TenantSpec::skewed(5, 6, 150)), 0.25);
}

#[test]
fn a_start_date_bounds_what_is_read() {
    let settings = json!({"start_date": "2023-12-04", "top": 20});
    let spec = TenantSpec::uniform(2, 3, 800).replies(2, 0);
    let planned = Planned::with(spec.clone(), settings);
    let whole = Planned::with(spec, json!({"top": 20})).plan();
    let plan = assert_near(planned, 0.25);
    assert!(requests(&plan, "total") < requests(&whole, "total") * 2 / 3);
}

#[test]
fn an_opt_in_stream_is_planned_from_its_declaration() {
    let plan = assert_near(planned(TenantSpec::uniform(3, 4, 5)).streams(&["channel_members"]), 0.0);
    assert_eq!((requests(&plan, "channels"), requests(&plan, "other"), &plan["channels"]), (3, 12, &json!(12)));
}
