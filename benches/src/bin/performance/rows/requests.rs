//! The requests of a first run compared with the minimum.

use crate::{
    Bench, Result,
    figure::{Amount, Figure, Row, grouped},
    process,
    simulator::Simulator,
    tap::{self, Settings},
};

pub(crate) fn first_run(bench: &Bench) -> Result<Row> {
    let simulator = Simulator::start(bench, "--teams 10 --channels 10 --messages 400 --journal 0")?;
    let tenant = simulator.tenant()?;
    process::run(&mut tap::read(bench, &simulator, Settings::all(0))?)?;
    let (requests, minimum) = (simulator.journal()?.total, tenant.first_run().requests);
    let figure = Figure {
        what: "requests of a first run / minimum requests".to_owned(),
        amount: Amount::Ratio(requests as f64 / minimum as f64),
        goal: Some(Amount::Ratio(1.05)),
        numbers: format!("{} / {}; {} messages and replies", grouped(requests), grouped(minimum), grouped(tenant.records())),
    };
    Ok(Row { figures: vec![figure] })
}
