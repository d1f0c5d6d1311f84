//! The size of states: of ten thousand channels, of one, and beside the records of a long sync.

use graph_sim::{Class, Options, TenantSpec};
use serde_json::{Value, json};

use super::{BOTH, HOUR, MESSAGES, REPLIES, Reader, reader, spec};
use crate::support::Output;

/// What the links in it take.
fn bytes_of_links(channel: &Value) -> usize {
    [&channel["deltaLink"], &channel["walk"]["link"], &channel["delta"]["round"]["link"]]
        .iter()
        .filter_map(|link| link.as_str())
        .map(str::len)
        .sum()
}

#[test]
fn a_channel_takes_at_most_300_bytes_besides_its_links() {
    for protocol in BOTH {
        let mut reader = Reader::new(Options::new(spec(4, 30)).manual_clock()).speaking(protocol);
        reader.set(json!({"start_date": "2025-01-01"}));
        for _ in 0..3 {
            reader.read();
            for stream in [MESSAGES, REPLIES] {
                for (key, channel) in reader.states[stream]["channels"].as_object().unwrap() {
                    let bytes = key.len() + channel.to_string().len() + r#""":,"#.len() - bytes_of_links(channel);
                    assert!(bytes <= 300, "{stream}: {bytes} bytes: {key} {channel}");
                }
            }
            reader.later(HOUR);
        }
    }
}

#[test]
fn a_state_of_ten_thousand_channels_is_taken_and_written() {
    let mut reader = reader(20).streams(&[MESSAGES]);
    for _ in 0..2 {
        reader.read();
        reader.later(HOUR);
    }
    let (team, channel) = reader.sim.read_tenant(|tenant| (tenant.team_ids().swap_remove(0), tenant.all_channel_ids().swap_remove(0)));
    reader.set(json!({"fetch_all_teams": false, "fetch_all_channels": false, "team_id": team, "channel_id": channel}));
    let id = channel[3..35].to_owned();
    let channels = reader.states[MESSAGES]["channels"].as_object_mut().unwrap();
    let known = channels.clone().into_iter().next().unwrap();
    channels.extend((0..9999).map(|number| {
        let other = format!("{number:032x}");
        (known.0.replace(&id, &other), serde_json::from_str(&known.1.to_string().replace(&id, &other)).unwrap())
    }));
    reader.edit(&reader.roots()[10], "changed");
    reader.sim.clear_journal();
    let (tap, arguments) = reader.prepare();
    let before = std::mem::take(&mut reader.states);
    // Longer than a line should be, but so many channels are: read without the checks of shorter ones.
    let finished = tap.execute(&arguments, &[]);
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    let states: Vec<Value> =
        finished.stdout.lines().filter(|line| line.contains(r#""STATE""#)).map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(states.len() <= 2, "{} states", states.len());
    let last = states.last().unwrap()["state"]["stream"]["stream_state"]["channels"].as_object().unwrap();
    let before = before[MESSAGES]["channels"].as_object().unwrap();
    assert_eq!(last.len(), 10_000);
    let changed: Vec<_> = before.iter().filter(|(key, channel)| last.get(*key) != Some(channel)).map(|(key, _)| key).collect();
    assert_eq!(changed, [&format!("{team}/{channel}")], "what was not read stays as it was");
    assert_eq!((reader.sim.count(Class::Delta), reader.sim.count(Class::Messages)), (1, 0));
}

/// The bytes of lines of a type.
fn bytes(output: &Output, kind: &str) -> usize {
    output.lines.iter().zip(&output.messages).filter(|(_, message)| message["type"] == kind).map(|(line, _)| line.len()).sum()
}

#[test]
fn states_stay_few_beside_the_records_of_a_long_sync() {
    for protocol in BOTH {
        let options = Options::new(TenantSpec { teams: 5, ..spec(10, 20).replies(0, 0) }).manual_clock();
        let mut reader = Reader::new(options).speaking(protocol).with(json!({"top": 10, "max_pages_per_batch": 1}));
        let run = reader.read();
        let (states, records) = (bytes(&run.output, "STATE"), bytes(&run.output, "RECORD"));
        let last: usize = [MESSAGES, REPLIES].iter().map(|stream| reader.states[*stream].to_string().len()).sum();
        // The first and the last state of each stream come whatever there is.
        assert!(states <= records / 20 + 4 * last, "{states} bytes of states, {records} of records, {last} of the last states");
        assert!(run.output.all("STATE").count() > 6);
    }
}
