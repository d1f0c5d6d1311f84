//! Graph's limits, with a clock that only the tests move.

use std::time::Duration;

use graph_sim::{Class, Limits, Options, TenantSpec};

use crate::client::Sim;

fn sim() -> (Sim, Vec<(String, Vec<String>)>) {
    let sim = Sim::with(Options::new(TenantSpec::uniform(6, 5, 1)).manual_clock().limits(Limits::default()));
    let teams = sim.read_tenant(|tenant| tenant.team_ids().into_iter().map(|team| (team.clone(), tenant.channel_ids(&team))).collect());
    (sim, teams)
}

/// graph.md 6.1: the limit of a channel covers all routes, and `Retry-After` is in seconds.
#[test]
fn a_channel_allows_one_request_per_second() {
    let (sim, teams) = sim();
    let (team, channel) = (&teams[0].0, &teams[0].1[0]);
    assert_eq!(sim.get(&sim.path(team, channel, "/messages")).status, 200);
    let refused = sim.get(&sim.path(team, channel, "/messages/delta"));
    assert_eq!((refused.status, refused.error().0.as_str(), refused.header("retry-after")), (429, "TooManyRequests", "1"));
    sim.clock().advance(Duration::from_millis(999));
    assert_eq!(sim.get(&sim.path(team, channel, "")).status, 429);
    sim.clock().advance(Duration::from_millis(1000));
    assert_eq!(sim.get(&sim.path(team, channel, "/messages")).status, 200);
    assert_eq!((sim.journal().throttled(), sim.journal().count_status(Class::Messages, 200)), (2, 2));
}

/// graph.md 6.1
#[test]
fn a_team_allows_four_requests_per_second() {
    let (sim, teams) = sim();
    let (team, channels) = &teams[0];
    let statuses: Vec<u16> = channels.iter().map(|channel| sim.get(&sim.path(team, channel, "/messages")).status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 429]);
    assert_eq!(sim.get(&format!("/v1.0/teams/{team}/members")).status, 429);
    assert_eq!(sim.get(&format!("/v1.0/teams/{}/members", teams[1].0)).status, 200);
}

/// Sends one request to each of four channels of each team, and returns the number of throttled ones.
fn throttled(sim: &Sim, teams: &[(String, Vec<String>)], rest: [&str; 4]) -> usize {
    let requests = teams
        .iter()
        .flat_map(|(team, channels)| channels.iter().take(4).enumerate().map(move |(index, channel)| (team, channel, rest[index])));
    requests.filter(|(team, channel, rest)| sim.get(&sim.path(team, channel, rest)).status == 429).count()
}

/// graph.md 6.1: lists, delta pages and single messages share a limit.
#[test]
fn messages_allow_twenty_requests_per_second() {
    let (sim, teams) = sim();
    assert_eq!(throttled(&sim, &teams, ["/messages", "/messages/delta", "/messages/1", "/messages"]), 4);
}

/// graph.md 6.1: replies, all members of a channel and the list of teams are not in the table.
#[test]
fn routes_that_are_not_in_the_table_share_thirty_requests_per_second() {
    let (sim, teams) = sim();
    assert_eq!(throttled(&sim, &teams, ["/messages/1/replies", "/allMembers", "/messages/1/replies/2", "/allMembers"]), 0);
    let statuses: Vec<u16> = (0..7).map(|_| sim.get("/v1.0/teams").status).collect();
    assert_eq!(statuses, [200, 200, 200, 200, 200, 200, 429]);
    assert_eq!(sim.get("/v1.0/groups").status, 200);
}

/// graph.md 6.1: over a longer time, 83 % of each limit, if this is enforced.
#[test]
fn a_channel_allows_49_requests_per_minute_in_the_long_term() {
    let (sim, teams) = sim();
    let path = sim.path(&teams[0].0, &teams[0].1[0], "/messages");
    let admitted = |limits: Limits| {
        sim.limits(limits);
        let statuses = (0..51).map(|_| {
            sim.clock().advance(Duration::from_secs(1));
            sim.get(&path).status
        });
        statuses.filter(|status| *status == 200).count()
    };
    assert_eq!(admitted(Limits::default()), 51);
    assert_eq!(admitted(Limits::default().sustained()), 49);
    assert_eq!(sim.get(&path).header("retry-after"), "12");
}

/// graph.md 6.2: directory routes have their own limit, in resource units.
#[test]
fn groups_cost_resource_units() {
    let (sim, _) = sim();
    assert_eq!(sim.get("/v1.0/groups").header("x-ms-resource-unit"), "1");
    sim.limits(Limits { directory_units: 2, ..Limits::default() });
    let statuses = [0, 1, 2].map(|_| sim.get("/v1.0/groups").status);
    assert_eq!(statuses, [200, 200, 429]);
    sim.limits(None);
    assert_eq!(sim.get("/v1.0/groups").status, 200);
}

#[test]
fn limits_at_ten_times_the_speed_have_windows_of_a_tenth() {
    let (sim, teams) = sim();
    sim.limits(Limits::sped_up(10.0));
    let path = sim.path(&teams[0].0, &teams[0].1[0], "/messages");
    assert_eq!((sim.get(&path).status, sim.get(&path).status), (200, 429));
    sim.clock().advance(Duration::from_millis(100));
    assert_eq!(sim.get(&path).status, 200);
}
