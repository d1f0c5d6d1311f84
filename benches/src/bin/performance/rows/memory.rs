//! Peak memory of first runs.

use std::time::Duration;

use crate::{
    Bench, Result,
    figure::{Amount, Figure, Row, grouped, median},
    process::{self, Usage},
    simulator::{Journal, Simulator},
    tap::{self, Settings},
};

const GOAL: Amount = Amount::Bytes(64_000_000);

pub(crate) fn seven_million_records(bench: &Bench) -> Result<Row> {
    measure(bench, "7 million records in 100 channels (one run)", "--teams 10 --channels 10 --messages 23330", 1)
}

/// Pages of about 2.5 MB.
pub(crate) fn large_pages(bench: &Bench) -> Result<Row> {
    measure(bench, "pages of 50 messages with 30 replies each", "--teams 4 --channels 4 --messages 1000 --replies 30", bench.runs)
}

pub(crate) fn many_teams(bench: &Bench) -> Result<Row> {
    let simulator =
        Simulator::start(bench, "--teams 100000 --channels 1 --messages 0 --long-threads 0 --descriptions 1000 --no-gzip --journal 0")?;
    let (usage, output) = process::count(&mut tap::read(bench, &simulator, Settings { stream: Some("teams"), ..Settings::all(0) })?)?;
    let figure = Figure {
        what: "peak memory, stream `teams` of 100,000 teams with descriptions of 1,000 letters (one run)".to_owned(),
        amount: Amount::Bytes(usage.peak),
        goal: Some(GOAL),
        numbers: format!("{} lines in {:.1} s", grouped(output.lines), usage.wall.as_secs_f64()),
    };
    Ok(Row { figures: vec![figure] })
}

pub(crate) fn slow_consumer(bench: &Bench) -> Result<Row> {
    let simulator = Simulator::start(bench, "--teams 10 --channels 10 --messages 2333 --journal 0")?;
    let mut command = tap::read(bench, &simulator, Settings::all(0))?;
    let (usage, bytes) = process::slowly(&mut command, 1_000_000, Duration::from_secs(60))?;
    let figure = Figure {
        what: "peak memory, 60 s with a consumer that reads 1 MB/s (one run)".to_owned(),
        amount: Amount::Bytes(usage.peak),
        goal: Some(GOAL),
        numbers: format!("{} read, {} requests", Amount::Bytes(bytes), grouped(simulator.journal()?.total)),
    };
    Ok(Row { figures: vec![figure] })
}

fn measure(bench: &Bench, what: &str, arguments: &str, runs: u32) -> Result<Row> {
    let simulator = Simulator::start(bench, &format!("{arguments} --journal 0"))?;
    let mut command = tap::read(bench, &simulator, Settings::all(0))?;
    let (first, output) = process::count(&mut command)?;
    let journal = simulator.journal()?;
    let mut usages = vec![first];
    for _ in 1..runs {
        usages.push(process::run(&mut command)?);
    }
    let figure = Figure {
        what: format!("peak memory, {what}"),
        amount: Amount::Bytes(median(usages.iter().map(|usage| usage.peak as f64)) as u64),
        goal: Some(GOAL),
        numbers: numbers(&usages, &journal, output),
    };
    Ok(Row { figures: vec![figure] })
}

fn numbers(usages: &[Usage], journal: &Journal, output: process::Output) -> String {
    let wall = median(usages.iter().map(|usage| usage.wall.as_secs_f64()));
    let page = journal.bytes.checked_div(journal.total).unwrap_or(0);
    let lines = grouped(output.lines);
    format!("{lines} lines, {} written in {wall:.1} s; {} per response", Amount::Bytes(output.bytes), Amount::Bytes(page))
}
