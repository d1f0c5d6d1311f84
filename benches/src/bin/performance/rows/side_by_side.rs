//! Two concurrent runs of one application, which share its limits.

use std::{process::Command, thread};

use crate::{
    Bench, Result,
    figure::{Amount, Figure, Row, grouped, median},
    minimum::Tenant,
    process,
    simulator::{LIMITS, Simulator},
    tap::{self, Settings},
};

struct Case<'c> {
    what: &'c str,
    /// Arguments of the simulator.
    tenant: &'c str,
    speed: u32,
    /// Both read the whole tenant, instead of half of its teams each.
    is_same: bool,
    goal: Option<f64>,
}

pub(crate) fn own_teams(bench: &Bench) -> Result<Row> {
    let what = "two concurrent runs, each with its own teams, limits × 10";
    measure(bench, &Case { what, tenant: "--teams 10 --channels 10 --messages 2500", speed: 10, is_same: false, goal: Some(1.3) })
}

pub(crate) fn same_channels(bench: &Bench) -> Result<Row> {
    let what = "two concurrent runs of the same 36 channels of 300 messages";
    let tenant = "--teams 6 --channels 6 --messages 300 --long-threads 0";
    measure(bench, &Case { what, tenant, speed: 1, is_same: true, goal: None })
}

fn measure(bench: &Bench, case: &Case<'_>) -> Result<Row> {
    let Case { what, speed, is_same, goal, .. } = *case;
    let (mut slower, mut incomplete) = (Vec::new(), 0);
    let (mut throttled, mut requests, mut fair) = (0, 0, f64::NAN);
    for _ in 0..bench.runs {
        let simulator = Simulator::start(bench, &format!("{} {LIMITS} --speed {speed} --journal 0", case.tenant))?;
        let tenant = simulator.tenant()?;
        let times = if is_same { 2.0 } else { 1.0 };
        fair = times * tenant.first_run().seconds / f64::from(speed);
        let [mut one, mut other] = commands(bench, &simulator, &tenant, case)?;
        let (one, other) = thread::scope(|scope| {
            let one = scope.spawn(move || process::attempt(&mut one));
            let other = process::attempt(&mut other);
            (one.join(), other)
        });
        let one = one.map_err(|_| "a thread of the bench has panicked")??;
        let ends = [one, other?];
        slower.push(ends.iter().map(|(usage, _)| usage.wall.as_secs_f64()).fold(0.0, f64::max));
        incomplete += ends.iter().filter(|(_, failed)| *failed).count();
        let journal = simulator.journal()?;
        throttled += journal.throttled();
        requests += journal.total;
    }
    let wall = median(slower);
    let figure = Figure {
        what: format!("{what}: time of the slower run / fair time"),
        amount: Amount::Ratio(wall / fair),
        goal: goal.map(Amount::Ratio),
        numbers: format!(
            "{wall:.1} s / {fair:.1} s; {} of {} requests refused (429); {incomplete} incomplete runs",
            grouped(throttled),
            grouped(requests)
        ),
    };
    Ok(Row { figures: vec![figure] })
}

fn commands(bench: &Bench, simulator: &Simulator, tenant: &Tenant, case: &Case<'_>) -> Result<[Command; 2]> {
    let ids: Vec<String> = tenant.teams.iter().map(|team| team.id.clone()).collect();
    let (first, second) = if case.is_same { (&ids[..0], &ids[..0]) } else { ids.split_at(ids.len() / 2) };
    let read = |teams, name| tap::read(bench, simulator, Settings { teams, name, ..Settings::all(case.speed) });
    Ok([read(first, "first.json")?, read(second, "second.json")?])
}
