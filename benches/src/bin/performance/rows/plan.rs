//! The deviation of a plan from the run that follows it, with the limits enforced.

use std::path::Path;

use serde::Deserialize;

use super::idle;
use crate::{
    Bench, Result,
    figure::{Amount, Figure, Row, grouped, median},
    process,
    simulator::{LIMITS, Simulator},
    tap::{self, Settings},
};

const SPEED: u32 = 10;

const REQUESTS_GOAL: f64 = 0.25;
const TIME_GOAL: f64 = 0.3;

const TENANTS: [(&str, &str); 3] = [
    ("800 channels of 30 messages", "--teams 40 --channels 20 --messages 30"),
    ("one channel of 20,000 messages and 199 of 20", "--teams 10 --channels 20 --messages 20 --large 20000"),
    (
        "16 channels of 300 messages, 200 threads of more than 200 replies",
        "--teams 4 --channels 4 --messages 300 --replies 6 --long-threads 200",
    ),
];

#[derive(Deserialize)]
struct Plan {
    requests: Requests,
    seconds: f64,
    looked_at: LookedAt,
}

#[derive(Deserialize)]
struct Requests {
    total: u64,
}

#[derive(Deserialize)]
struct LookedAt {
    requests: u64,
}

/// A deviation between 0 and 1, and the numbers that it comes from.
type Deviation = (f64, String);

/// The greatest deviations of three first runs, and of a second run of the first tenant.
pub(crate) fn deviation(bench: &Bench) -> Result<Row> {
    let mut deviations = Vec::new();
    for (what, arguments) in TENANTS {
        let simulator = Simulator::start(bench, &format!("{arguments} {LIMITS} --speed {SPEED} --journal 0"))?;
        deviations.push(compare(bench, &simulator, what, None)?);
    }
    let (_, arguments) = TENANTS[0];
    let simulator = Simulator::start(bench, &format!("{arguments} --speed {SPEED} --journal 0"))?;
    let (state, _) = idle::first_run(bench, tap::read(bench, &simulator, Settings::all(0))?)?;
    simulator.enforce_limits()?;
    deviations.push(compare(bench, &simulator, "second run of 800 idle channels", Some(&state))?);
    let count = deviations.len();
    let (requests, times): (Vec<_>, Vec<_>) = deviations.into_iter().unzip();
    let figure = |of: &str, deviations: Vec<Deviation>, goal| {
        let greatest = deviations.into_iter().max_by(|one, other| one.0.total_cmp(&other.0));
        let (share, numbers) = greatest.unwrap_or_default();
        let what = format!("greatest deviation of {count} plans from their runs, {of}; limits × {SPEED}");
        Figure { what, amount: Amount::Share(share), goal: Some(Amount::Share(goal)), numbers }
    };
    Ok(Row { figures: vec![figure("requests", requests, REQUESTS_GOAL), figure("time", times, TIME_GOAL)] })
}

/// The deviations in requests and in time.
fn compare(bench: &Bench, simulator: &Simulator, what: &str, state: Option<&Path>) -> Result<(Deviation, Deviation)> {
    let (mut walls, mut planned, mut sent, mut plan) = (Vec::new(), Vec::new(), 0, None);
    for _ in 0..bench.runs {
        let now = run_plan(bench, simulator, state)?;
        planned.push(now.seconds);
        plan = Some(now);
        simulator.clear_journal()?;
        let mut read = tap::read(bench, simulator, Settings::all(SPEED))?;
        walls.push(process::run(with_state(&mut read, state))?.wall.as_secs_f64());
        sent = simulator.journal()?.total;
    }
    let plan = plan.ok_or("no run was measured")?;
    let (wall, time) = (median(walls), median(planned));
    let (total, own) = (plan.requests.total, plan.looked_at.requests);
    let share = |planned: f64, found: f64| (planned - found).abs() / found;
    let requests = format!("{what}: {} planned, {} sent; the plan itself sent {}", grouped(total), grouped(sent), grouped(own));
    Ok(((share(total as f64, sent as f64), requests), (share(time, wall), format!("{what}: {time:.1} s planned, {wall:.1} s measured"))))
}

fn run_plan(bench: &Bench, simulator: &Simulator, state: Option<&Path>) -> Result<Plan> {
    let mut command = tap::plan(bench, simulator, Settings::all(SPEED))?;
    let output = with_state(&mut command, state).output()?;
    if !output.status.success() {
        return Err(format!("plan: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn with_state<'c>(command: &'c mut std::process::Command, state: Option<&Path>) -> &'c mut std::process::Command {
    if let Some(state) = state {
        command.arg("--state").arg(state);
    }
    command
}
