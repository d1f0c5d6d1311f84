//! The CPU time of the tap compared with a bare download of the same responses.

use std::process::Command;

use crate::{
    Bench, Result,
    figure::{Amount, Figure, Row, grouped, median},
    process,
    simulator::Simulator,
    tap::{self, CONCURRENCY, Settings},
};

pub(crate) fn cpu(bench: &Bench) -> Result<Row> {
    let simulator = Simulator::start(bench, "--teams 10 --channels 10 --messages 2333 --journal 100000")?;
    let records = simulator.tenant()?.records();
    // This also warms the simulator up.
    process::run(&mut tap::read(bench, &simulator, Settings::all(0))?)?;
    let urls = bench.folder.path().join("urls");
    process::file(&urls, simulator.urls()?.join("\n"))?;
    let journal = simulator.journal()?;
    let mut pairs = Vec::new();
    for _ in 0..bench.runs {
        let tap = process::run(&mut tap::read(bench, &simulator, Settings::all(0))?)?;
        let mut download = Command::new(&bench.programs.download);
        download.arg(&urls).args(["--token", &simulator.token()?, "--concurrency", &CONCURRENCY.to_string()]);
        pairs.push((tap.cpu.as_secs_f64(), process::run(&mut download)?.cpu.as_secs_f64()));
    }
    let [tap, download] = [median(pairs.iter().map(|pair| pair.0)), median(pairs.iter().map(|pair| pair.1))];
    let figure = Figure {
        what: "CPU time / CPU time of a bare download, gzip".to_owned(),
        amount: Amount::Ratio(median(pairs.iter().map(|(tap, download)| tap / download))),
        goal: Some(Amount::Ratio(3.0)),
        numbers: format!(
            "{tap:.2} s / {download:.2} s; {} records, {} requests, {}",
            grouped(records),
            grouped(journal.total),
            Amount::Bytes(journal.bytes)
        ),
    };
    Ok(Row { figures: vec![figure] })
}
