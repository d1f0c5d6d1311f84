//! `channel_members`: an opt-in list below each channel.

use graph_sim::{Class, Fault, GraphSim, Membership, Options, Rule, TenantSpec};
use serde_json::json;

use crate::support::{ALL, Tap, config, everything, singer::select, truth};

const STREAM: &str = "channel_members";

/// A tenant of two teams with channels of every membership type, whose member lists have several pages.
fn tenant() -> GraphSim {
    let sim = GraphSim::start(Options::new(TenantSpec { members: 12, ..TenantSpec::uniform(2, 2, 1) })).unwrap();
    sim.with_tenant(|tenant| {
        tenant.switches.all_members_page = 5;
        for team in tenant.team_ids() {
            for membership in [Membership::Private, Membership::Shared] {
                tenant.create_channel(&team, &format!("{membership:?}"), membership).unwrap();
            }
        }
    });
    sim
}

fn first_channel(sim: &GraphSim) -> (String, String) {
    sim.read_tenant(|tenant| {
        let team = tenant.team_ids().remove(0);
        let channel = tenant.channel_ids(&team).remove(1);
        (team, channel)
    })
}

#[test]
fn all_members_of_every_channel_are_read_by_either_protocol() {
    let sim = tenant();
    let (tap, expected) = (Tap::new(&config(&sim, everything())), truth::table(&sim.truth(), STREAM));
    let catalog = select(tap.catalog(), &[STREAM]);
    for output in [tap.read(&[STREAM]), tap.sync_catalog(&catalog, &[])] {
        assert_eq!(output.status, Some(0), "{}", output.stderr);
        truth::assert_equal(STREAM, &output.table(STREAM), &expected);
    }
    let tenants: std::collections::HashSet<_> = expected.values().map(|member| member["tenantId"].clone()).collect();
    assert!(tenants.len() > 1, "a shared channel has members of another tenant");
}

#[test]
fn channel_members_are_read_only_when_selected() {
    let sim = tenant();
    let tap = Tap::new(&config(&sim, everything()));
    let output = tap.sync(&[]);
    assert_eq!((output.status, output.streams()), (Some(0), ALL.to_vec()));
    assert_eq!(sim.journal().count(Class::AllMembers), 0);
    let all = tap.read(&[&ALL[..], &[STREAM]].concat());
    assert_eq!(all.status, Some(0), "{}", all.stderr);
    for stream in ALL.into_iter().chain([STREAM]) {
        truth::assert_equal(stream, &all.table(stream), &truth::table(&sim.truth(), stream));
    }
}

#[test]
fn members_of_a_configured_channel_are_read_without_any_list() {
    let sim = tenant();
    let (team, channel) = first_channel(&sim);
    sim.clear_journal();
    let output = Tap::new(&config(&sim, json!({"team_id": team, "channel_id": channel}))).read(&[STREAM]);
    assert_eq!(output.status, Some(0), "{}", output.stderr);
    let mut expected = truth::table(&sim.truth(), STREAM);
    expected.retain(|key, _| key[0] == channel);
    truth::assert_equal(STREAM, &output.table(STREAM), &expected);
    assert_eq!((sim.journal().count(Class::Groups), sim.journal().count(Class::Channels)), (0, 0));
}

#[test]
fn missing_members_are_a_failure_only_for_a_configured_channel() {
    let sim = tenant();
    let (team, channel) = first_channel(&sim);
    let gone = Fault::graph(404, "NotFound", "Resource not found.");
    sim.inject(Rule::new(gone).class(Class::AllMembers).channel(&channel));
    let listed = Tap::new(&config(&sim, everything())).read(&[STREAM]);
    assert_eq!(listed.status, Some(0), "{}", listed.stderr);
    let mut expected = truth::table(&sim.truth(), STREAM);
    expected.retain(|key, _| key[0] != channel);
    truth::assert_equal(STREAM, &listed.table(STREAM), &expected);
    let named = Tap::new(&config(&sim, json!({"team_id": team, "channel_id": channel}))).read(&[STREAM]);
    assert_eq!(named.status, Some(1));
    let task = format!("list the channel members of channel {channel} of team {team}");
    assert!(named.errors().iter().any(|(_, _, text)| text.contains(&task)), "{:?}", named.errors());
}
