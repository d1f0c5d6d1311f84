//! What the tap adds to a bare download of the same answers: CPU, and time where Graph's limits do not count.

use std::process::Command;

use crate::{
    Bench, Result,
    figure::{Amount, Figure, Row, grouped, median},
    process::{self, Usage},
    simulator::Simulator,
    tap::{self, CONCURRENCY, Settings},
};

const TENANT: &str = "--teams 10 --channels 10 --messages 2333 --journal 100000";

/// Answers as Graph gives them.
pub(crate) fn with_gzip(bench: &Bench) -> Result<Row> {
    measure(bench, TENANT, "gzip", [3.0, 1.5, 2.0].map(Some))
}

/// Answers that are not compressed, as Graph gives them to nobody who takes gzip: for comparison.
pub(crate) fn without_gzip(bench: &Bench) -> Result<Row> {
    measure(bench, &format!("{TENANT} --no-gzip"), "not compressed", [None; 3])
}

/// A run of the tap, and a download of the same answers behind it.
struct Pair {
    tap: Usage,
    download: Usage,
}

/// Where the processes may run.
#[derive(Clone, Copy, PartialEq)]
enum Cores {
    /// Each on both.
    Shared,
    /// The simulator on the first, what is measured on the second.
    Apart,
}

fn measure(bench: &Bench, arguments: &str, encoding: &str, goals: [Option<f64>; 3]) -> Result<Row> {
    let (shared, size) = pairs(bench, arguments, Cores::Shared)?;
    let (apart, _) = pairs(bench, arguments, Cores::Apart)?;
    let figure = |what: &str, goal: Option<f64>, pairs: &[Pair], of: fn(&Usage) -> f64| {
        let ratio = median(pairs.iter().map(|pair| of(&pair.tap) / of(&pair.download)));
        let tap = median(pairs.iter().map(|pair| of(&pair.tap)));
        let download = median(pairs.iter().map(|pair| of(&pair.download)));
        let numbers = format!("{tap:.2} s / {download:.2} s; {size}");
        Figure { what: format!("{what}, {encoding}"), amount: Amount::Ratio(ratio), goal: goal.map(Amount::Ratio), numbers }
    };
    let [of_cpu, of_apart, of_shared] = goals;
    let cpu = |usage: &Usage| usage.cpu.as_secs_f64();
    let wall = |usage: &Usage| usage.wall.as_secs_f64();
    Ok(Row {
        figures: vec![
            figure("CPU / that of a bare download", of_cpu, &shared, cpu),
            figure("time / that of a bare download, on a core of its own", of_apart, &apart, wall),
            figure("time / that of a bare download, two cores shared with the simulator", of_shared, &shared, wall),
        ],
    })
}

fn pairs(bench: &Bench, arguments: &str, cores: Cores) -> Result<(Vec<Pair>, String)> {
    let simulator = match cores {
        Cores::Shared => Simulator::start(bench, arguments)?,
        Cores::Apart => Simulator::start_pinned(bench, arguments)?,
    };
    let records = simulator.tenant()?.records();
    let read = match cores {
        Cores::Shared => tap::read,
        Cores::Apart => tap::read_pinned,
    };
    // Also warms the simulator up.
    process::run(&mut read(bench, &simulator, Settings::all(0))?)?;
    let urls = bench.folder.path().join("urls");
    process::file(&urls, simulator.urls()?.join("\n"))?;
    let journal = simulator.journal()?;
    let size = format!("{} records, {} requests, {}", grouped(records), grouped(journal.total), Amount::Bytes(journal.bytes));
    let mut pairs = Vec::new();
    for _ in 0..bench.runs {
        let tap = process::run(&mut read(bench, &simulator, Settings::all(0))?)?;
        let mut download = match cores {
            Cores::Shared => Command::new(&bench.programs.download),
            Cores::Apart => Command::new("taskset"),
        };
        if cores == Cores::Apart {
            download.args(["-c", "1"]).arg(&bench.programs.download);
        }
        download.arg(&urls).args(["--token", &simulator.token()?, "--concurrency", &CONCURRENCY.to_string()]);
        pairs.push(Pair { tap, download: process::run(&mut download)? });
    }
    Ok((pairs, size))
}
