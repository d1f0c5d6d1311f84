//! The time of a first run compared with the time that Graph's limits allow.

use crate::{
    Bench, Result,
    figure::{Amount, Figure, Row, grouped, median},
    minimum::Tenant,
    process,
    simulator::{LIMITS, Simulator},
    tap::{self, Settings},
};

/// Without long threads: which way to their replies is cheaper is only known after reading them (see the row `requests`).
const SIX_BY_SIX: &str = "--teams 6 --channels 6 --messages 300 --long-threads 0";

struct Case<'c> {
    what: &'static str,
    /// Arguments of the simulator, in addition to limits and speed.
    arguments: &'c str,
    speed: u32,
    goal: f64,
    /// The limit time in seconds, at Graph's own speed.
    limit: fn(&Tenant) -> f64,
}

pub(crate) fn real_speed(bench: &Bench) -> Result<Row> {
    let what = "6 × 6 channels of 300 messages at Graph's limits";
    measure(bench, &Case { what, arguments: SIX_BY_SIX, speed: 1, goal: 1.1, limit: tenant_seconds })
}

pub(crate) fn latency(bench: &Bench) -> Result<Row> {
    let what = "the same, with 1 s of latency";
    let arguments = format!("{SIX_BY_SIX} --latency 1000");
    measure(bench, &Case { what, arguments: &arguments, speed: 1, goal: 1.35, limit: tenant_seconds })
}

/// The large channel, which is listed last, decides when the run ends.
pub(crate) fn one_large_channel(bench: &Bench) -> Result<Row> {
    let what = "one channel of 20,000 messages and 199 of 20, limits × 10";
    let arguments = "--teams 10 --channels 20 --messages 20 --large 20000";
    measure(bench, &Case { what, arguments, speed: 10, goal: 1.1, limit: largest_channel_seconds })
}

fn tenant_seconds(tenant: &Tenant) -> f64 {
    tenant.first_run().seconds
}

fn largest_channel_seconds(tenant: &Tenant) -> f64 {
    tenant.channels().map(|channel| tenant.channel_seconds(channel)).fold(0.0, f64::max)
}

fn measure(bench: &Bench, case: &Case<'_>) -> Result<Row> {
    let arguments = format!("{} {LIMITS} --speed {}", case.arguments, case.speed);
    let (mut walls, mut throttled, mut limit) = (Vec::new(), 0, f64::NAN);
    let (mut requests, mut minimum, mut records) = (0, 0, 0);
    for _ in 0..bench.runs {
        let simulator = Simulator::start(bench, &arguments)?;
        let tenant = simulator.tenant()?;
        limit = (case.limit)(&tenant) / f64::from(case.speed);
        (minimum, records) = (tenant.first_run().requests, tenant.records());
        let usage = process::run(&mut tap::read(bench, &simulator, Settings::all(case.speed))?)?;
        let journal = simulator.journal()?;
        throttled += journal.throttled();
        requests = journal.total;
        walls.push(usage.wall.as_secs_f64());
    }
    let wall = median(walls);
    let figure = Figure {
        what: format!("{}: time / limit time", case.what),
        amount: Amount::Ratio(wall / limit),
        goal: Some(Amount::Ratio(case.goal)),
        numbers: format!(
            "{wall:.2} s / {limit:.2} s; {} requests (minimum {}), {throttled} refused (429); {} messages and replies",
            grouped(requests),
            grouped(minimum),
            grouped(records)
        ),
    };
    Ok(Row { figures: vec![figure] })
}
