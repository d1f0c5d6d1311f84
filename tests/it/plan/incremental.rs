//! Plans of runs that continue from a state.

use std::time::Duration;

use graph_sim::{Class, DeltaSupport, Fault, Rule, TenantSpec};
use serde_json::json;

use super::{BOTH, Planned, Sent, miss, planned, requests};
use crate::support::Protocol;

const HOUR: Duration = Duration::from_secs(3600);

/// An hour after two runs, the second of which starts delta.
fn settled(mut planned: Planned) -> Planned {
    planned.sim.clock().advance(HOUR);
    for _ in 0..2 {
        planned.read();
        planned.sim.clock().advance(HOUR);
    }
    planned
}

#[test]
fn an_idle_channel_needs_one_request_for_each_of_two_streams() {
    let mut planned = settled(planned(TenantSpec::uniform(3, 4, 60).replies(2, 0)));
    let plan = planned.plan();
    assert_eq!([requests(&plan, "messages"), requests(&plan, "other")], [24, 0]);
    assert_eq!(miss(&plan, &planned.read()), 0.0);
}

#[test]
fn no_channel_counts_as_deleted_if_teams_cannot_be_listed() {
    let planned = settled(planned(TenantSpec::uniform(2, 2, 5)).streams(&BOTH));
    planned.sim.inject(Rule::new(Fault::status(501)).class(Class::Groups));
    let finished = planned.execute(&["--format", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!((finished.status, requests(&plan, "total")), (Some(1), 2), "{plan}");
}

#[test]
fn the_pages_of_a_long_thread_at_the_top_are_planned_in_each_run() {
    let mut planned = settled(planned(TenantSpec::uniform(1, 3, 60).replies(2, 3)).streams(&BOTH));
    let plan = planned.plan();
    assert!(requests(&plan, "other") > 0, "{}", plan["requests"]);
    let sent = planned.read();
    assert!(miss(&plan, &sent) <= 0.25, "planned {}, sent {sent:?}", plan["requests"]);
}

#[test]
fn a_run_that_starts_delta_is_planned_exactly() {
    let mut planned = planned(TenantSpec::uniform(2, 2, 60).replies(2, 0)).streams(&BOTH);
    planned.sim.clock().advance(HOUR);
    planned.read();
    planned.sim.clock().advance(HOUR);
    let plan = planned.plan();
    assert_eq!((requests(&plan, "messages"), miss(&plan, &planned.read())), (8, 0.0));
}

#[test]
fn delta_alone_is_planned_if_it_is_enough_and_a_walk_after_a_day() {
    for (wait, messages) in [(HOUR, 0), (25 * HOUR, 4)] {
        let mut planned = settled(planned(TenantSpec::uniform(2, 2, 60).replies(2, 0)).streams(&["messages"]));
        planned.sim.clock().advance(wait);
        let plan = planned.plan();
        assert_eq!(requests(&plan, "messages"), messages + 4);
        let Sent { messages: walked, delta, .. } = planned.read();
        assert_eq!((walked, delta), (messages, 4));
    }
}

#[test]
fn the_pages_of_changes_are_planned() {
    for (count, max) in [(5, 0.0), (60, 0.25)] {
        let mut planned = settled(planned(TenantSpec::uniform(1, 2, 400).replies(2, 0)).streams(&BOTH));
        planned.sim.with_tenant(|tenant| {
            let channel = tenant.all_channel_ids().remove(0);
            for root in tenant.roots(&channel).iter().take(count) {
                tenant.edit(root, "changed").unwrap();
                tenant.clock().advance(Duration::from_secs(1));
            }
        });
        planned.sim.clock().advance(HOUR / 2);
        let plan = planned.plan();
        let sent = planned.read();
        assert!(miss(&plan, &sent) <= max, "{count}: planned {}, sent {sent:?}", plan);
    }
}

#[test]
fn no_delta_is_planned_for_a_channel_that_refuses_it() {
    let planned = planned(TenantSpec::uniform(1, 2, 30).replies(2, 0)).streams(&BOTH);
    planned.sim.with_tenant(|tenant| {
        for channel in tenant.all_channel_ids() {
            tenant.set_delta_support(&channel, DeltaSupport::NotSupported).unwrap();
        }
    });
    let mut planned = settled(planned);
    let plan = planned.plan();
    assert_eq!((requests(&plan, "messages"), miss(&plan, &planned.read())), (2, 0.0));
}

#[test]
fn an_interrupted_walk_is_planned_from_its_position() {
    let mut planned =
        Planned::with(TenantSpec::uniform(1, 1, 1000).replies(0, 0), json!({"max_pages_per_batch": 1})).streams(&["messages"]);
    let full = requests(&planned.plan(), "messages");
    let output = crate::support::incremental::read(&planned.tap, &["messages"], None);
    let states: Vec<_> = output.all("STATE").filter(|state| state.to_string().contains("skiptoken")).collect();
    planned.state = Some(json!([states[states.len() / 2]["state"]]));
    let plan = planned.plan();
    let sent = planned.read();
    assert!(requests(&plan, "messages") < full, "{plan}");
    assert!(miss(&plan, &sent) <= 0.25, "planned {}, sent {sent:?}", plan["requests"]);
}

#[test]
fn states_and_catalogs_of_either_protocol_are_accepted() {
    let planned = settled(planned(TenantSpec::uniform(1, 2, 30).replies(2, 0)).streams(&BOTH));
    let of_source = planned.plan();
    let tap = &planned.tap;
    let catalog = tap.execute(&["--discover"], &[]).stdout;
    let mut catalog: serde_json::Value = serde_json::from_str(&catalog).unwrap();
    catalog["streams"].as_array_mut().unwrap().retain(|stream| BOTH.iter().any(|name| stream["tap_stream_id"] == *name));
    tap.file("tap-catalog.json", catalog.to_string());
    let mut state = serde_json::Map::new();
    for one in planned.state.as_ref().unwrap().as_array().unwrap() {
        state.insert(one["stream"]["stream_descriptor"]["name"].as_str().unwrap().to_owned(), one["stream"]["stream_state"].clone());
    }
    for state in [json!({"bookmarks": state}), json!({"type": "STATE", "value": {"bookmarks": state}})] {
        tap.file("tap-state.json", state.to_string());
        let arguments = ["--config", "config.json", "--catalog", "tap-catalog.json", "--state", "tap-state.json", "--format", "json"];
        let finished = tap.execute(&[&["plan"], &arguments[..]].concat(), &[]);
        let plan: serde_json::Value = serde_json::from_str(&finished.stdout).unwrap();
        assert_eq!((&plan["requests"], &plan["streams"]), (&of_source["requests"], &of_source["streams"]), "{:?}", Protocol::Singer);
    }
}
