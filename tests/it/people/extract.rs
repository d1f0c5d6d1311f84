//! `extract`: only the records of one stream on stdout.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::support::{Finished, Tap, config, tenant};

fn records(finished: &Finished) -> Vec<Value> {
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    finished.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn without_configured_parents_all_are_read() {
    let sim = tenant(2, 2, 3);
    let tap = Tap::new(&config(&sim, json!({})));
    let truth = sim.truth();
    let counts = [truth.teams.len(), truth.channels.len(), truth.members.len(), truth.messages.len(), truth.replies.len()];
    for (stream, count) in crate::support::ALL.into_iter().zip(counts) {
        let records = records(&tap.execute(&["extract", "--config", "config.json", "--stream", stream], &[]));
        assert_eq!(records.len(), count, "{stream}");
        assert!(records.iter().all(|record| record["id"].is_string()), "{stream}");
    }
}

#[test]
fn parents_in_flags_override_the_configuration() {
    let sim = tenant(2, 2, 3);
    let everything = json!({"fetch_all_teams": true, "fetch_all_channels": true, "fetch_all_messages": true, "stream_options": {"messages": {"top": 2}}});
    let tap = Tap::new(&config(&sim, everything));
    let extract = |arguments: &[&str]| records(&tap.execute(&[&["extract", "-c", "config.json", "--stream"], arguments].concat(), &[]));
    let all = extract(&["message_replies"]);
    let [team, channel, message] = ["team_id", "channel_id", "parent_message_id"].map(|column| all[0][column].as_str().unwrap());
    let of =
        |records: &[Value], column: &str| records.iter().map(|record| record[column].as_str().unwrap().to_owned()).collect::<HashSet<_>>();

    let of_team = extract(&["messages", "--team", team]);
    assert_eq!((of_team.len(), of(&of_team, "team_id")), (6, HashSet::from([team.to_owned()])));
    let of_channel = extract(&["messages", "--team", team, "--channel", channel]);
    assert_eq!((of_channel.len(), of(&of_channel, "channel_id")), (3, HashSet::from([channel.to_owned()])));
    let of_message = extract(&["message_replies", "--team", team, "--channel", channel, "--message", message]);
    assert_eq!(of(&of_message, "parent_message_id"), HashSet::from([message.to_owned()]));
}

#[test]
fn a_start_time_limits_the_records() {
    let sim = tenant(1, 1, 5);
    let tap = Tap::new(&config(&sim, json!({})));
    let extract =
        |arguments: &[&str]| records(&tap.execute(&[&["extract", "-c", "config.json", "--stream", "messages"], arguments].concat(), &[]));
    let mut times: Vec<_> = extract(&[]).iter().map(|record| record["lastModifiedDateTime"].as_str().unwrap().to_owned()).collect();
    times.sort();
    assert_eq!(extract(&["--since", &times[2]]).len(), 3);
}

#[test]
fn extraction_errors_are_written_to_stderr() {
    let sim = tenant(1, 1, 1);
    let tap = Tap::new(&config(&sim, json!({})));
    let mut reported = String::new();
    tap.file("spoilt.json", config(&sim, json!({"stream_options": "{spoilt"})).to_string());
    assert_eq!(tap.execute(&["extract", "-c", "spoilt.json", "--stream", "teams"], &[]).status, Some(1));
    for arguments in [
        &["--stream", "chats"][..],
        &["--stream", "messages", "--since", "soon", "--exclude", "General"],
        &["--stream", "channels", "--team", "nobody"],
        &["--stream", "channels", "--team", "11111111-2222-3333-4444-555555555555"],
    ] {
        let finished = tap.execute(&[&["extract", "-c", "config.json"], arguments].concat(), &[]);
        assert_eq!((finished.status, finished.stdout.as_str()), (Some(1), ""), "{}", finished.stderr);
        reported.push_str(&finished.stderr);
    }
    insta::with_settings!({filters => vec![(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<uuid>")]}, { insta::assert_snapshot!("extract_refused", reported) });
}
