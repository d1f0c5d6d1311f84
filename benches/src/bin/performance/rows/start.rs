//! How long the executable takes to start and say something.

use std::process::Command;

use crate::{
    Bench, Result,
    figure::{Amount, Figure, Row, median},
    process,
    simulator::Simulator,
    tap::{self, Settings},
};

const STARTS: u32 = 20;

/// What needs no network.
pub(crate) fn of_commands(bench: &Bench) -> Result<Row> {
    let simulator = Simulator::start(bench, "--teams 1 --channels 1 --messages 0 --journal 0")?;
    let (config, _) = tap::files(bench, &simulator, Settings::all(1))?;
    let command = |arguments: &[&str]| {
        let mut command = Command::new(&bench.programs.tap);
        command.args(arguments);
        command
    };
    let mut discover = command(&["discover", "--config"]);
    discover.arg(config);
    let commands = [("spec", command(&["spec"])), ("--about", command(&["--about"])), ("discover", discover)];
    let figures = commands.into_iter().map(|(name, mut command)| {
        let walls = (0..STARTS).map(|_| Ok(process::run(&mut command)?.wall.as_secs_f64() * 1000.0));
        let walls = walls.collect::<Result<Vec<f64>>>()?;
        let least = walls.iter().copied().fold(f64::INFINITY, f64::min);
        Ok(Figure {
            what: format!("`{name}`, from start to end"),
            amount: Amount::Milliseconds(median(walls)),
            goal: Some(Amount::Milliseconds(10.0)),
            numbers: format!("median of {STARTS} starts; the fastest {least:.1} ms"),
        })
    });
    Ok(Row { figures: figures.collect::<Result<_>>()? })
}
