//! Two runs of one application at once, which do not know of each other and share its limits.

use std::{process::Command, thread};

use crate::{
    Bench, Result,
    figure::{Amount, Figure, Row, grouped, median},
    least::Tenant,
    process,
    simulator::{LIMITS, Simulator},
    tap::{self, Settings},
};

/// Two runs, and what they read.
struct Case<'c> {
    what: &'c str,
    /// The tenant, in the simulator's arguments.
    tenant: &'c str,
    speed: u32,
    /// Both read all of it, instead of half of the teams each.
    is_same: bool,
    /// Of each one's time beside its fair time, and of the requests that are refused.
    goals: Option<(f64, f64)>,
}

/// Each reads half of the teams.
pub(crate) fn two_runs(bench: &Bench) -> Result<Row> {
    let tenant = "--teams 10 --channels 10 --messages 2500";
    measure(bench, &Case { what: "two runs side by side, sped up by 10", tenant, speed: 10, is_same: false, goals: Some((1.3, 0.03)) })
}

/// Both read the same, and compete for every channel.
pub(crate) fn two_runs_of_the_same(bench: &Bench) -> Result<Row> {
    let what = "two runs that both read 6 × 6 channels of 300 messages, at Graph's real limits";
    let tenant = "--teams 6 --channels 6 --messages 300 --long-threads 0";
    measure(bench, &Case { what, tenant, speed: 1, is_same: true, goals: None })
}

fn measure(bench: &Bench, case: &Case<'_>) -> Result<Row> {
    let Case { what, speed, is_same, goals, .. } = *case;
    let (mut walls, mut incomplete) = ([Vec::new(), Vec::new()], [0; 2]);
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
        for (place, (usage, failed)) in [one, other?].into_iter().enumerate() {
            walls[place].push(usage.wall.as_secs_f64());
            incomplete[place] += u32::from(failed);
        }
        let journal = simulator.journal()?;
        throttled += journal.throttled();
        requests += journal.total;
    }
    let of_one = |name: &str, walls: Vec<f64>, incomplete: u32| {
        let wall = median(walls);
        Figure {
            what: format!("{what}: the {name} one's time / its fair time"),
            amount: Amount::Ratio(wall / fair),
            goal: goals.map(|(time, _)| Amount::Ratio(time)),
            numbers: format!("{wall:.2} s / {fair:.2} s; {incomplete} of {} runs ended incomplete", bench.runs),
        }
    };
    let ([one, other], [of_first, of_second]) = (walls, incomplete);
    let refused = Figure {
        what: "of their requests refused by the limits (429)".to_owned(),
        amount: Amount::Share(throttled as f64 / requests as f64),
        goal: goals.map(|(_, share)| Amount::Share(share)),
        numbers: format!("{} of {} requests in {} runs", grouped(throttled), grouped(requests), bench.runs),
    };
    Ok(Row { figures: vec![of_one("first", one, of_first), of_one("second", other, of_second), refused] })
}

fn commands(bench: &Bench, simulator: &Simulator, tenant: &Tenant, case: &Case<'_>) -> Result<[Command; 2]> {
    let ids: Vec<String> = tenant.teams.iter().map(|team| team.id.clone()).collect();
    let (first, second) = if case.is_same { (&ids[..0], &ids[..0]) } else { ids.split_at(ids.len() / 2) };
    let read = |teams, name| tap::read(bench, simulator, Settings { teams, name, ..Settings::all(case.speed) });
    Ok([read(first, "first.json")?, read(second, "second.json")?])
}
