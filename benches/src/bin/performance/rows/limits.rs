//! How near a first run comes to what Graph's limits allow, and whether it is ever refused.

use crate::{
    Bench, Result,
    figure::{Amount, Figure, Row, grouped, median},
    least::Tenant,
    process,
    simulator::{LIMITS, Simulator},
    tap::{self, Settings},
};

/// Long threads are left out: which way leads to their replies with fewer requests is found out while they are read (see the row `requests`).
const SIX_BY_SIX: &str = "--teams 6 --channels 6 --messages 300 --long-threads 0";

/// A tenant, and how fast Graph's time goes.
struct Case<'c> {
    what: &'static str,
    /// The simulator's, besides limits and speed.
    arguments: &'c str,
    speed: u32,
    goal: f64,
    /// The seconds, at Graph's own speed, that the limits make of the least possible requests.
    limit: fn(&Tenant) -> f64,
}

/// 6 teams of 6 channels.
pub(crate) fn at_real_speed(bench: &Bench) -> Result<Row> {
    let what = "6 × 6 channels of 300 messages without long threads, at Graph's real limits";
    measure(bench, &Case { what, arguments: SIX_BY_SIX, speed: 1, goal: 1.1, limit: of_tenant })
}

/// The same, with what Graph allows over a second as the only limit.
pub(crate) fn over_a_second_only(bench: &Bench) -> Result<Row> {
    let what = "the same, without a limit of the long run";
    let case = Case { what, arguments: SIX_BY_SIX, speed: 1, goal: 1.1, limit: of_tenant };
    measure_with(bench, &case, "--limits")
}

/// The same, each answer a second late.
pub(crate) fn with_latency(bench: &Bench) -> Result<Row> {
    let what = "the same, 1 s of latency";
    let arguments = format!("{SIX_BY_SIX} --latency 1000");
    measure(bench, &Case { what, arguments: &arguments, speed: 1, goal: 1.35, limit: of_tenant })
}

/// Ten times the messages at ten times the speed.
pub(crate) fn ten_times_as_large(bench: &Bench) -> Result<Row> {
    let what = "6 × 6 channels of 3,000 messages, limits sped up by 10";
    measure(bench, &Case { what, arguments: "--teams 6 --channels 6 --messages 3000", speed: 10, goal: 1.15, limit: of_tenant })
}

/// A channel that decides when the run ends, listed last.
pub(crate) fn one_large_channel(bench: &Bench) -> Result<Row> {
    let what = "a channel of 20,000 messages behind 199 of 20, limits sped up by 10";
    let arguments = "--teams 10 --channels 20 --messages 20 --large 20000";
    measure(bench, &Case { what, arguments, speed: 10, goal: 1.1, limit: of_largest })
}

fn of_tenant(tenant: &Tenant) -> f64 {
    tenant.first_run().seconds
}

fn of_largest(tenant: &Tenant) -> f64 {
    tenant.channels().map(|channel| tenant.seconds_of(channel)).fold(0.0, f64::max)
}

fn measure(bench: &Bench, case: &Case<'_>) -> Result<Row> {
    measure_with(bench, case, LIMITS)
}

fn measure_with(bench: &Bench, case: &Case<'_>, limits: &str) -> Result<Row> {
    let arguments = format!("{} {limits} --speed {}", case.arguments, case.speed);
    let (mut walls, mut throttled, mut limit) = (Vec::new(), 0, f64::NAN);
    let (mut requests, mut least, mut records) = (0, 0, 0);
    for _ in 0..bench.runs {
        let simulator = Simulator::start(bench, &arguments)?;
        let tenant = simulator.tenant()?;
        limit = (case.limit)(&tenant) / f64::from(case.speed);
        (least, records) = (tenant.first_run().requests, tenant.records());
        let usage = process::run(&mut tap::read(bench, &simulator, Settings::all(case.speed))?)?;
        let journal = simulator.journal()?;
        throttled += journal.throttled();
        requests = journal.total;
        walls.push(usage.wall.as_secs_f64());
    }
    let wall = median(walls);
    let time = Figure {
        what: format!("{}: time / the limits' time", case.what),
        amount: Amount::Ratio(wall / limit),
        goal: Some(Amount::Ratio(case.goal)),
        numbers: format!(
            "{wall:.2} s / {limit:.2} s; {} requests of at least {}, {} messages and replies",
            grouped(requests),
            grouped(least),
            grouped(records)
        ),
    };
    let refused = Figure {
        what: "requests refused by the limits (429)".to_owned(),
        amount: Amount::Count(throttled),
        goal: Some(Amount::Count(0)),
        numbers: format!("in {} runs", bench.runs),
    };
    Ok(Row { figures: vec![time, refused] })
}
