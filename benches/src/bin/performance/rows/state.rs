//! Peak memory of a run that goes on from a large state.

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

const MEGABYTES: [u64; 3] = [20, 46, 100];

/// Channels of a team.
const OF_A_TEAM: u64 = 200;

/// Of one channel that is there, and of all the others, in other teams, that make the state large.
pub(crate) fn of_many_channels(bench: &Bench) -> Result<Row> {
    let simulator = Simulator::start(bench, "--teams 1 --channels 1 --messages 20 --journal 0")?;
    let (path, _) = first_run(bench, tap::read(bench, &simulator, Settings::all(0))?)?;
    let states: Value = serde_json::from_slice(&fs::read(path)?)?;
    let measure = |megabytes| {
        let (path, channels) = of_size(bench, &states, megabytes * 1_000_000)?;
        // The other teams are not read, so that none of their channels is looked for.
        let teams: Vec<_> = simulator.tenant()?.teams.into_iter().map(|team| team.id).collect();
        let settings = Settings { teams: &teams, ..Settings::all(0) };
        let usage = process::run(tap::read(bench, &simulator, settings)?.arg("--state").arg(&path))?;
        let size = fs::metadata(&path)?.len();
        Ok(Figure {
            what: format!(
                "peak memory of a run that goes on from a state of {}; the goal is 64 MB and twice the state",
                Amount::Bytes(size)
            ),
            amount: Amount::Bytes(usage.peak),
            goal: Some(Amount::Bytes(64_000_000 + 2 * size)),
            numbers: format!("{} channels in each of two streams", grouped(channels)),
        })
    };
    Ok(Row { figures: MEGABYTES.into_iter().map(measure).collect::<Result<_>>()? })
}

/// Writes the states of so many bytes, of channels like the first one; gives how many. It is written piece by piece: the peak of a process begins
/// with that of the one which starts it.
fn of_size(bench: &Bench, states: &Value, bytes: u64) -> Result<(PathBuf, u64)> {
    let first = |state: &Value| Some(state.pointer("/stream/stream_state/partitions/0/entries/0")?.to_string());
    let known: Vec<String> = states.as_array().into_iter().flatten().filter_map(first).collect();
    let channels = bytes / known.iter().map(|entry| entry.len() as u64 + 1).sum::<u64>().max(1);
    let path = bench.folder.path().join("large.json");
    let mut file = BufWriter::new(File::create(&path)?);
    let text = states.to_string();
    let mut rest = text.as_str();
    for entry in &known {
        let Some((before, behind)) = rest.split_once(entry) else { continue };
        write!(file, "{before}{entry}")?;
        let Value::Object(mut other) = serde_json::from_str(entry)? else { continue };
        for number in 1..channels {
            other.insert("id".to_owned(), format!("19:{number:032x}@thread.tacv2").into());
            if number % OF_A_TEAM == 1 {
                let team = number / OF_A_TEAM;
                write!(file, r#"]}},{{"parents":["00000000-0000-0000-0000-{team:012x}"],"entries":["#)?;
            } else {
                file.write_all(b",")?;
            }
            serde_json::to_writer(&mut file, &other)?;
        }
        rest = behind;
    }
    write!(file, "{rest}")?;
    file.flush()?;
    Ok((path, channels))
}
