//! The names of teams and channels in a plan, and its layout on a terminal.

use graph_sim::{GraphSim, Options, TenantSpec};
use serde_json::{Value, json};
use textwrap::core::display_width;

use super::{BOTH, Planned, planned};

/// A team with three channels, and their ids.
fn team_of_three() -> (Planned, String, Vec<String>) {
    let planned = planned(TenantSpec { members: 3, ..TenantSpec::uniform(1, 3, 12) }.replies(1, 0));
    let (team, channels) = planned.sim.read_tenant(|tenant| (tenant.team_ids().remove(0), tenant.all_channel_ids()));
    planned.sim.with_tenant(|tenant| tenant.rename_team(&team, "Sales")).unwrap();
    (planned, team, channels)
}

fn longest(plan: &Value) -> Vec<[&Value; 2]> {
    plan["longest"].as_array().unwrap().iter().map(|channel| [&channel["channel_name"], &channel["team_name"]]).collect()
}

/// The longest channels in the table.
fn rows_of_longest(table: &str) -> &str {
    table.split_once("Longest").map_or("", |(_, longest)| longest)
}

/// A tenant of which one configured team and channel are read.
fn one_channel() -> (Planned, String, String) {
    let options = Options { gzip: false, ..Options::new(TenantSpec::uniform(1, 2, 12)).manual_clock() };
    let sim = GraphSim::start(options).unwrap();
    let (team, channel) = sim.read_tenant(|tenant| (tenant.team_ids().remove(0), tenant.all_channel_ids().remove(1)));
    sim.with_tenant(|tenant| tenant.rename_team(&team, "Sales").and_then(|()| tenant.rename_channel(&channel, "Leads"))).unwrap();
    let settings = json!({"fetch_all_teams": false, "fetch_all_channels": false, "team_id": team, "channel_id": channel});
    (Planned::of(sim, settings).streams(&BOTH), team, channel)
}

#[test]
fn names_from_lists_need_no_requests() {
    let (planned, team, channels) = team_of_three();
    planned.name_channels(&["Leads"; 3]);
    let planned = planned.streams(&BOTH);
    let plan = planned.plan();
    assert_eq!(longest(&plan), [[&json!("Leads"), &json!("Sales")]; 3]);
    assert!(
        plan["longest"]
            .as_array()
            .unwrap()
            .iter()
            .all(|of| of["team"] == json!(team) && channels.contains(&of["channel"].as_str().unwrap().to_owned()))
    );
    // A token, the groups, the channels of the team, and the first page of each channel.
    assert_eq!(planned.sent().total, 3 + 3);
    let table = planned.execute(&[]).stdout;
    assert!(table.contains("Longest   “Leads” of “Sales”: 1 request, ") && !table.contains(&team), "{table}");
}

#[test]
fn names_of_configured_parents_are_fetched() {
    let (planned, ..) = one_channel();
    assert_eq!(longest(&planned.plan()), [[&json!("Leads"), &json!("Sales")]]);
    assert_eq!((planned.sent().messages, planned.sent().total), (1, 1 + 1 + 2));
}

#[test]
fn a_parent_without_a_readable_name_is_shown_by_its_id() {
    let (planned, team, channel) = one_channel();
    planned.sim.set_roles(&["ChannelMessage.Read.All"]);
    let finished = planned.execute(&["--format", "json"]);
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    let plan: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!((longest(&plan), &plan["refused"]), (vec![[&Value::Null, &Value::Null]], &json!([])));
    let table = super::joined(&planned.execute(&[]).stdout);
    assert!(table.contains(&format!("Longest {channel} of {team}: ")), "{table}");
}

#[test]
fn control_characters_in_names_are_removed_and_lines_fit_the_terminal() {
    let (planned, team, _) = team_of_three();
    let names = ["\u{1b}[2J\u{1b}]0;owned\u{7}Red\u{9b}31m\n", "🎉 Party 🎉", &"長".repeat(50)];
    planned.name_channels(&names);
    planned.sim.with_tenant(|tenant| tenant.rename_team(&team, &"a very long name ".repeat(10))).unwrap();
    planned.execute(&[]);
    for columns in [80, 100, 120] {
        let watched = planned.tap.watch_at(columns, &["plan", "--config", "config.json", "--catalog", "catalog.json"], &[], true);
        assert!(!watched.bytes.contains(|char: char| char.is_control() && !matches!(char, '\r' | '\n')), "{}", watched.bytes);
        let lines: Vec<_> = watched.bytes.lines().collect();
        assert!(lines.iter().all(|line| display_width(line) <= columns.into()), "{columns}: {}", watched.bytes);
        for shown in [" “[2J ]0;owned Red 31m” of ", " “🎉 Party 🎉” of ", "長長…” of "] {
            assert_eq!(rows_of_longest(&watched.bytes).matches(shown).count(), 1, "{columns}: {shown} in {}", watched.bytes);
        }
    }
    assert!(!planned.execute(&["--format", "json"]).stdout.contains(|char: char| char.is_control() && char != '\n'));
    assert_eq!(longest(&planned.plan()).iter().filter(|[channel, _]| **channel == json!(names[0])).count(), 1);
}

#[test]
fn lines_break_between_words() {
    let (planned, ..) = team_of_three();
    planned.name_channels(&["General", "Incidents", "日報"]);
    planned.execute(&[]);
    let watched = planned.tap.watch_at(80, &["plan", "--config", "config.json", "--catalog", "catalog.json"], &[], true);
    insta::with_settings!({filters => super::TIMES.to_vec()}, {
        insta::assert_snapshot!("terminal_of_80", watched.bytes.replace('\r', ""));
    });
}
