//! The second run of a large tenant in which nothing has happened.

use std::{collections::BTreeMap, path::PathBuf, process::Command};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    Bench, Result,
    figure::{Amount, Figure, Row, grouped, median},
    process,
    simulator::Simulator,
    tap::{self, Settings},
};

const SPEED: u32 = 10;

/// 100 teams of 100 channels.
pub(crate) fn ten_thousand_channels(bench: &Bench) -> Result<Row> {
    let simulator = Simulator::start(bench, &format!("--teams 100 --channels 100 --messages 2 --speed {SPEED} --journal 0"))?;
    let tenant = simulator.tenant()?;
    let (state, size) = first_run(bench, tap::read(bench, &simulator, Settings::all(0))?)?;
    simulator.enforce_limits()?;
    let (mut usages, mut of_channels, mut requests, mut throttled) = (Vec::new(), 0, 0, 0);
    for _ in 0..bench.runs {
        simulator.clear_journal()?;
        usages.push(process::run(tap::read(bench, &simulator, Settings::all(SPEED))?.arg("--state").arg(&state))?);
        let journal = simulator.journal()?;
        (of_channels, requests) = (journal.of_channels(), journal.total);
        throttled += journal.throttled();
    }
    let wall = median(usages.iter().map(|usage| usage.wall.as_secs_f64()));
    let peak = median(usages.iter().map(|usage| usage.peak as f64)) as u64;
    let (least, channels) = (tenant.idle_run(), tenant.channels().count() as u64);
    let limit = least.seconds / f64::from(SPEED);
    let figure = |what: &str, amount, goal, numbers| Figure { what: what.to_owned(), amount, goal: Some(goal), numbers };
    Ok(Row {
        figures: vec![
            figure(
                "10,000 idle channels, second run, sped up by 10: requests / the least possible",
                Amount::Ratio(requests as f64 / least.requests as f64),
                Amount::Ratio(1.05),
                format!("{} / {}; {:.2} a channel", grouped(requests), grouped(least.requests), of_channels as f64 / channels as f64),
            ),
            figure(
                "its time / the limits' time",
                Amount::Ratio(wall / limit),
                Amount::Ratio(1.15),
                format!("{wall:.2} s / {limit:.2} s; {throttled} requests refused (429)"),
            ),
            figure(
                "its peak memory; the goal is 64 MB and twice the state",
                Amount::Bytes(peak),
                Amount::Bytes(64_000_000 + 2 * size),
                format!("a state of {}", Amount::Bytes(size)),
            ),
        ],
    })
}

/// Writes the last state of each stream into a file, as Airbyte gives it to the next run; gives its size too.
pub(super) fn first_run(bench: &Bench, mut command: Command) -> Result<(PathBuf, u64)> {
    #[derive(Deserialize)]
    struct Message<'m> {
        #[serde(borrow)]
        state: &'m RawValue,
    }
    #[derive(Deserialize)]
    struct State {
        stream: Stream,
    }
    #[derive(Deserialize)]
    struct Stream {
        stream_descriptor: Descriptor,
    }
    #[derive(Deserialize)]
    struct Descriptor {
        name: String,
    }
    let mut states: BTreeMap<String, Box<RawValue>> = BTreeMap::new();
    process::lines(&mut command, br#"{"type":"STATE""#, |line| {
        let Message { state } = serde_json::from_slice(line)?;
        let State { stream: Stream { stream_descriptor: Descriptor { name } } } = serde_json::from_str(state.get())?;
        states.insert(name, state.to_owned());
        Ok(())
    })?;
    let path = bench.folder.path().join("state.json");
    let states: Vec<&RawValue> = states.values().map(AsRef::as_ref).collect();
    serde_json::to_writer(std::io::BufWriter::new(std::fs::File::create(&path)?), &states)?;
    let size = std::fs::metadata(&path)?.len();
    Ok((path, size))
}
