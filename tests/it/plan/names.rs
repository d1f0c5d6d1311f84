//! What a plan calls teams and channels, and how it is laid out on a terminal.

use graph_sim::{GraphSim, Options, TenantSpec};
use serde_json::{Value, json};
use textwrap::core::display_width;

use super::{BOTH, Planned, planned};

/// One team of three channels, with its id and theirs.
fn team_of_three() -> (Planned, String, Vec<String>) {
    let planned = planned(TenantSpec { members: 3, ..TenantSpec::uniform(1, 3, 12) }.replies(1, 0));
    let (team, channels) = planned.sim.read_tenant(|tenant| (tenant.team_ids().remove(0), tenant.all_channel_ids()));
    planned.sim.with_tenant(|tenant| tenant.rename_team(&team, "Sales")).unwrap();
    (planned, team, channels)
}

fn longest(plan: &Value) -> Vec<[&Value; 2]> {
    plan["longest"].as_array().unwrap().iter().map(|channel| [&channel["channel_name"], &channel["team_name"]]).collect()
}

/// A tenant of which only a team and a channel are read, which are named.
fn named() -> (Planned, String, String) {
    let options = Options { gzip: false, ..Options::new(TenantSpec::uniform(1, 2, 12)).manual_clock() };
    let sim = GraphSim::start(options).unwrap();
    let (team, channel) = sim.read_tenant(|tenant| (tenant.team_ids().remove(0), tenant.all_channel_ids().remove(1)));
    sim.with_tenant(|tenant| tenant.rename_team(&team, "Sales").and_then(|()| tenant.rename_channel(&channel, "Leads"))).unwrap();
    let settings = json!({"fetch_all_teams": false, "fetch_all_channels": false, "team_id": team, "channel_id": channel});
    (Planned::of(sim, settings).streams(&BOTH), team, channel)
}

#[test]
fn names_stand_beside_ids_and_cost_no_request_where_there_are_lists() {
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
    // A token, the groups, the channels of the team, and the first page of each.
    assert_eq!(planned.asked().total, 3 + 3);
    let table = planned.execute(&[]).stdout;
    assert!(table.contains("Longest:\n- “Leads” of “Sales”: 1 request, ") && !table.contains(&team), "{table}");
}

#[test]
fn what_is_named_and_not_listed_is_asked_for_its_name() {
    let (planned, ..) = named();
    assert_eq!(longest(&planned.plan()), [[&json!("Leads"), &json!("Sales")]]);
    assert_eq!((planned.asked().messages, planned.asked().total), (1, 1 + 1 + 2));
}

#[test]
fn what_may_not_be_asked_for_its_name_is_called_by_its_id() {
    let (planned, team, channel) = named();
    planned.sim.set_roles(&["ChannelMessage.Read.All"]);
    let finished = planned.execute(&["--format", "json"]);
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    let plan: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!((longest(&plan), &plan["refused"]), (vec![[&Value::Null, &Value::Null]], &json!([])));
    let table = planned.execute(&[]).stdout.replace("\n  ", " ");
    assert!(table.contains(&format!("Longest:\n- {channel} of {team}: ")), "{table}");
}

#[test]
fn no_name_is_obeyed_and_no_line_is_wider_than_the_terminal() {
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
        for shown in ["\n- “[2J ]0;owned Red 31m” of ", "\n- “🎉 Party 🎉” of ", "長長…” of "] {
            assert_eq!(watched.bytes.replace('\r', "").matches(shown).count(), 1, "{columns}: {shown} in {}", watched.bytes);
        }
    }
    assert!(!planned.execute(&["--format", "json"]).stdout.contains(|char: char| char.is_control() && char != '\n'));
    assert_eq!(longest(&planned.plan()).iter().filter(|[channel, _]| **channel == json!(names[0])).count(), 1);
}

#[test]
fn lines_end_between_words() {
    let (planned, ..) = team_of_three();
    planned.name_channels(&["General", "Incidents", "日報"]);
    planned.execute(&[]);
    let watched = planned.tap.watch_at(80, &["plan", "--config", "config.json", "--catalog", "catalog.json"], &[], true);
    insta::with_settings!({filters => super::TIMES.to_vec()}, {
        insta::assert_snapshot!("terminal_of_80", watched.bytes.replace('\r', ""));
    });
}
