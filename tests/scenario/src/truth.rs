//! The simulator's truth as tables, for comparison with a destination.

use std::collections::BTreeMap;

use graph_sim::{MessageTruth, Truth};
use serde_json::{Value, json};

use crate::expect::{self, Fields};

pub type Table = BTreeMap<Vec<String>, Fields>;

/// The expected table of a stream.
pub fn table(truth: &Truth, stream: &str) -> Table {
    match stream {
        "teams" => truth.teams.iter().map(|(id, team)| (vec![id.clone()], expect::team(&truth.groups[id], team))).collect(),
        "channels" => {
            let row = |((team, id), channel): (&(String, String), &Value)| {
                (vec![id.clone()], expect::record(stream, &channel.to_string(), &[("team_id", json!(team))]))
            };
            truth.channels.iter().map(row).collect()
        }
        "members" => {
            let row = |((team, id), member): (&(String, String), &Value)| {
                (vec![team.clone(), id.clone()], expect::record(stream, &member.to_string(), &[("team_id", json!(team))]))
            };
            truth.members.iter().map(row).collect()
        }
        "channel_members" => {
            let row = |((team, channel, id), member): (&(String, String, String), &Value)| {
                let derived = [("team_id", json!(team)), ("channel_id", json!(channel))];
                (vec![channel.clone(), id.clone()], expect::record(stream, &member.to_string(), &derived))
            };
            truth.channel_members.iter().map(row).collect()
        }
        "team_device_usage_report" => {
            let key =
                |row: &Value| ["reportRefreshDate", "userPrincipalName", "reportPeriod"].map(|name| row[name].as_str().unwrap().to_owned());
            truth.device_usage.iter().map(|row| (key(row).to_vec(), expect::record(stream, &row.to_string(), &[]))).collect()
        }
        "messages" => truth.messages.values().map(|message| row(stream, message, &[])).collect(),
        "message_replies" => {
            truth.replies.values().map(|reply| row(stream, reply, &[("parent_message_id", json!(reply.root.to_string()))])).collect()
        }
        _ => panic!("{stream}"),
    }
}

fn row(stream: &str, message: &MessageTruth, more: &[(&str, Value)]) -> (Vec<String>, Fields) {
    let mut derived = vec![("team_id", json!(message.team)), ("channel_id", json!(message.channel))];
    derived.extend_from_slice(more);
    (vec![message.channel.clone(), message.id.to_string()], expect::record(stream, &message.json, &derived))
}

/// Panics at the first difference, with a short message.
pub fn assert_equal(stream: &str, got: &Table, expected: &Table) {
    for (key, row) in expected {
        let Some(got) = got.get(key) else { panic!("{stream}: {key:?} is missing; {} of {} rows arrived", got.len(), expected.len()) };
        for (name, value) in row {
            assert_eq!(got.get(name), Some(value), "{stream}: {key:?}, column {name}");
        }
        assert_eq!(got.len(), row.len(), "{stream}: {key:?} has other columns");
    }
    if let Some(key) = got.keys().find(|key| !expected.contains_key(*key)) {
        panic!("{stream}: {key:?} is in the output and not in the truth");
    }
}
