//! The start time of the executable.

use std::process::Command;

use crate::{
    Bench, Result,
    figure::{Amount, Figure, Row, median},
    process,
};

const STARTS: u32 = 20;

pub(crate) fn spec(bench: &Bench) -> Result<Row> {
    let mut command = Command::new(&bench.programs.tap);
    command.arg("spec");
    let walls = (0..STARTS).map(|_| Ok(process::run(&mut command)?.wall.as_secs_f64() * 1000.0));
    let walls = walls.collect::<Result<Vec<f64>>>()?;
    let fastest = walls.iter().copied().fold(f64::INFINITY, f64::min);
    let figure = Figure {
        what: "`spec`, from start to exit".to_owned(),
        amount: Amount::Milliseconds(median(walls)),
        goal: Some(Amount::Milliseconds(10.0)),
        numbers: format!("median of {STARTS} starts; fastest {fastest:.1} ms"),
    };
    Ok(Row { figures: vec![figure] })
}
