//! Peak memory of a run with a large state.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::PathBuf,
};

use serde_json::Value;

use super::idle::first_run;
use crate::{
    Bench, Result,
    figure::{Amount, Figure, Row, grouped},
    process,
    simulator::Simulator,
    tap::{self, Settings},
};

const STATE_BYTES: u64 = 100_000_000;
const CHANNELS_PER_TEAM: u64 = 200;

/// The state has one existing channel, and many channels of teams that the run does not read.
pub(crate) fn large(bench: &Bench) -> Result<Row> {
    let simulator = Simulator::start(bench, "--teams 1 --channels 1 --messages 20 --journal 0")?;
    let (path, _) = first_run(bench, tap::read(bench, &simulator, Settings::all(0))?)?;
    let states: Value = serde_json::from_slice(&fs::read(path)?)?;
    let (path, channels) = enlarge(bench, &states, STATE_BYTES)?;
    // Listing the teams keeps the run from looking for the other channels.
    let teams: Vec<_> = simulator.tenant()?.teams.into_iter().map(|team| team.id).collect();
    let settings = Settings { teams: &teams, ..Settings::all(0) };
    let usage = process::run(tap::read(bench, &simulator, settings)?.arg("--state").arg(&path))?;
    let size = fs::metadata(&path)?.len();
    let figure = Figure {
        what: format!("peak memory with a state of {} (goal: 64 MB + twice the state)", Amount::Bytes(size)),
        amount: Amount::Bytes(usage.peak),
        goal: Some(Amount::Bytes(64_000_000 + 2 * size)),
        numbers: format!("{} channels in each of two streams", grouped(channels)),
    };
    Ok(Row { figures: vec![figure] })
}

/// Writes states of about this size by repeating the first channel; returns the number of channels. They are written piece by piece, because a
/// child process inherits our peak memory.
fn enlarge(bench: &Bench, states: &Value, bytes: u64) -> Result<(PathBuf, u64)> {
    let first = |state: &Value| Some(state.pointer("/stream/stream_state/partitions/0/entries/0")?.to_string());
    let known: Vec<String> = states.as_array().into_iter().flatten().filter_map(first).collect();
    let channels = bytes / known.iter().map(|entry| entry.len() as u64 + 1).sum::<u64>().max(1);
    let path = bench.folder.path().join("large.json");
    let mut file = BufWriter::new(File::create(&path)?);
    let text = states.to_string();
    let mut rest = text.as_str();
    for entry in &known {
        let Some((before, after)) = rest.split_once(entry) else { continue };
        write!(file, "{before}{entry}")?;
        let Value::Object(mut other) = serde_json::from_str(entry)? else { continue };
        for number in 1..channels {
            other.insert("id".to_owned(), format!("19:{number:032x}@thread.tacv2").into());
            if number % CHANNELS_PER_TEAM == 1 {
                let team = number / CHANNELS_PER_TEAM;
                write!(file, r#"]}},{{"parents":["00000000-0000-0000-0000-{team:012x}"],"entries":["#)?;
            } else {
                file.write_all(b",")?;
            }
            serde_json::to_writer(&mut file, &other)?;
        }
        rest = after;
    }
    write!(file, "{rest}")?;
    file.flush()?;
    Ok((path, channels))
}
