//! The second run of a large tenant without changes.

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

pub(crate) fn ten_thousand_channels(bench: &Bench) -> Result<Row> {
    let simulator = Simulator::start(bench, &format!("--teams 100 --channels 100 --messages 2 --speed {SPEED} --journal 0"))?;
    let tenant = simulator.tenant()?;
    let (state, size) = first_run(bench, tap::read(bench, &simulator, Settings::all(0))?)?;
    simulator.enforce_limits()?;
    let (mut usages, mut channel_requests, mut requests, mut throttled) = (Vec::new(), 0, 0, 0);
    for _ in 0..bench.runs {
        simulator.clear_journal()?;
        usages.push(process::run(tap::read(bench, &simulator, Settings::all(SPEED))?.arg("--state").arg(&state))?);
        let journal = simulator.journal()?;
        (channel_requests, requests) = (journal.channel_requests(), journal.total);
        throttled += journal.throttled();
    }
    let wall = median(usages.iter().map(|usage| usage.wall.as_secs_f64()));
    let peak = median(usages.iter().map(|usage| usage.peak as f64)) as u64;
    let (minimum, channels) = (tenant.idle_run(), tenant.channels().count() as u64);
    let limit = minimum.seconds / f64::from(SPEED);
    let figure = Figure {
        what: "requests of a second run of 10,000 idle channels / minimum requests; limits × 10".to_owned(),
        amount: Amount::Ratio(requests as f64 / minimum.requests as f64),
        goal: Some(Amount::Ratio(1.05)),
        numbers: format!(
            "{} / {}; {:.2} per channel; {wall:.2} s, limit time {limit:.2} s; {throttled} refused (429); {} of memory, state of {}",
            grouped(requests),
            grouped(minimum.requests),
            channel_requests as f64 / channels as f64,
            Amount::Bytes(peak),
            Amount::Bytes(size),
        ),
    };
    Ok(Row { figures: vec![figure] })
}

/// Runs the command and writes the last state of each stream to a file, in the form of `--state`. Also returns its size.
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
