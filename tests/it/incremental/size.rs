//! The size of states: for ten thousand channels, for one, and compared with the records of a long sync.

use std::{collections::BTreeMap, sync::mpsc, time::Duration};

use graph_sim::{Class, Fault, Options, TenantSpec};
use scenario::states;
use serde_json::{Value, json};

use super::{BOTH, MESSAGES, REPLIES, Reader, reader, spec};
use crate::support::{Output, Protocol};

/// The bytes of its links.
fn bytes_of_links(channel: &Value) -> usize {
    let links = [&channel["deltaLink"], &channel["walk"]["link"], &channel["deltaRound"]["link"]];
    links.iter().filter_map(|link| link.as_str()).map(str::len).sum()
}

#[test]
fn an_idle_channel_takes_at_most_165_bytes_per_stream_plus_links() {
    for protocol in BOTH {
        let mut reader = Reader::new(Options::new(TenantSpec { teams: 4, ..spec(10, 3) }).manual_clock()).with_protocol(protocol);
        reader.set(json!({"start_date": "2023-01-04"}));
        reader.start_delta();
        let states = [MESSAGES, REPLIES].map(|stream| &reader.states[stream]);
        let channels: usize = states.iter().map(|state| states::entries(state).count()).sum();
        let links: usize = states.iter().flat_map(|state| states::entries(state)).map(|(_, channel)| bytes_of_links(channel)).sum();
        let bytes: usize = states.iter().map(|state| state.to_string().len()).sum();
        assert_eq!(channels, 80);
        assert!((bytes - links) / channels <= 165, "{} bytes a channel and stream", (bytes - links) / channels);
    }
}

/// Repeats the state of the only channel for this many more channels of its team.
fn add_channels(state: &mut Value, channels: usize) {
    let entries = state["partitions"][0]["entries"].as_array_mut().unwrap();
    let known = entries[0].clone();
    let id = &known["id"].as_str().unwrap()[3..35];
    entries.extend((0..channels).map(|number| serde_json::from_str(&known.to_string().replace(id, &format!("{number:032x}"))).unwrap()));
}

#[test]
fn a_state_of_ten_thousand_channels_is_read_and_written() {
    for protocol in BOTH {
        let mut reader = reader(20).with_protocol(protocol);
        reader.start_delta();
        let (team, channel) = reader.sim.read_tenant(|tenant| (tenant.team_ids().swap_remove(0), tenant.all_channel_ids().swap_remove(0)));
        reader.set(json!({"fetch_all_teams": false, "fetch_all_channels": false, "team_id": team, "channel_id": channel}));
        let links = bytes_of_links(reader.state(MESSAGES, &channel)) * 10_000;
        for stream in [MESSAGES, REPLIES] {
            add_channels(&mut reader.states[stream], 9999);
        }
        reader.edit(&reader.roots()[10], "changed");
        let (tap, arguments) = reader.prepare();
        let before = std::mem::take(&mut reader.states);
        // The line is longer than the limit that the validation checks, so the run is not validated.
        let finished = tap.execute(&arguments, &[]);
        assert_eq!(finished.status, Some(0), "{}", finished.stderr);
        let lines: Vec<_> = finished.stdout.lines().filter(|line| line.contains(r#""STATE""#)).collect();
        assert!(lines.len() <= 6, "{} states", lines.len());
        for stream in [MESSAGES, REPLIES] {
            let states = lines.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let of_stream = |state: Value| match protocol {
                Protocol::Airbyte => (state["state"]["stream"]["stream_descriptor"]["name"] == stream)
                    .then(|| state["state"]["stream"]["stream_state"].clone()),
                _ => state["value"]["bookmarks"].get(stream).cloned(),
            };
            let last = states.filter_map(of_stream).next_back().unwrap();
            let (last, before): (BTreeMap<_, _>, BTreeMap<_, _>) =
                (states::entries(&last).collect(), states::entries(&before[stream]).collect());
            assert_eq!(last.len(), 10_000);
            let changed: Vec<_> = before.iter().filter(|(key, channel)| last.get(*key) != Some(channel)).map(|(key, _)| key).collect();
            assert_eq!(changed, [&format!("{team}/{channel}")], "what was not read stays as it was");
        }
        let bytes: usize = match protocol {
            Protocol::Airbyte => lines[lines.len() - 2..].iter().map(|line| line.len()).sum(),
            _ => lines[lines.len() - 1].len(),
        };
        assert!(bytes - links <= 3_400_000, "{} bytes plus {links} of links", bytes - links);
    }
}

#[test]
fn a_state_takes_at_most_twice_its_size_in_memory() {
    for protocol in BOTH {
        let mut reader = reader(20).with_protocol(protocol);
        reader.start_delta();
        let (team, channel) = reader.sim.read_tenant(|tenant| (tenant.team_ids().swap_remove(0), tenant.all_channel_ids().swap_remove(0)));
        reader.set(json!({"fetch_all_teams": false, "fetch_all_channels": false, "team_id": team, "channel_id": channel}));
        for stream in [MESSAGES, REPLIES] {
            add_channels(&mut reader.states[stream], 20_000);
        }
        let size: usize = reader.states.values().map(|state| state.to_string().len()).sum();
        let (requested, is_asked) = mpsc::channel();
        reader.sim.on_request(move |request, _| {
            matches!(request.class, Class::Delta | Class::Messages).then(|| {
                let _ = requested.send(());
                Fault::Stall
            })
        });
        let (tap, arguments) = reader.prepare();
        // At the first request the state has been read, and in one of the protocols also written.
        let running = tap.start(&arguments, tempfile::tempfile().unwrap());
        is_asked.recv_timeout(Duration::from_secs(60)).unwrap();
        let (peak, size) = (running.peak_memory(), size as u64 >> 20);
        assert!(size >= 6 && peak <= 40 + 2 * size, "{peak} MiB for a state of {size} MiB");
    }
}

fn bytes(output: &Output, kind: &str) -> usize {
    output.lines.iter().zip(&output.messages).filter(|(_, message)| message["type"] == kind).map(|(line, _)| line.len()).sum()
}

#[test]
fn states_are_few_compared_with_the_records_of_a_long_sync() {
    for protocol in BOTH {
        let options = Options::new(TenantSpec { teams: 5, ..spec(10, 20).replies(0, 0) }).manual_clock();
        let mut reader = Reader::new(options).with_protocol(protocol).with(json!({"top": 10, "max_pages_per_batch": 1}));
        let run = reader.read();
        let (states, records) = (bytes(&run.output, "STATE"), bytes(&run.output, "RECORD"));
        let last: usize = [MESSAGES, REPLIES].iter().map(|stream| reader.states[*stream].to_string().len()).sum();
        // The first and the last state of each stream are always written.
        assert!(states <= records / 20 + 4 * last, "{states} bytes of states, {records} of records, {last} of the last states");
        assert!(run.output.all("STATE").count() > 6);
    }
}
