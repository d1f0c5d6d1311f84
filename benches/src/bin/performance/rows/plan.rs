//! How near a plan comes to the run that follows it, in requests and in time, with the limits enforced.

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

/// The goals: by so much at most a plan may miss.
const REQUESTS: f64 = 0.25;
const TIME: f64 = 0.3;

/// A tenant of each shape.
const TENANTS: [(&str, &str); 3] = [
    ("800 channels of 30 messages", "--teams 40 --channels 20 --messages 30"),
    ("a channel of 20,000 messages behind 199 of 20", "--teams 10 --channels 20 --messages 20 --large 20000"),
    (
        "16 channels of 300 messages, 200 threads of more than 200 replies",
        "--teams 4 --channels 4 --messages 300 --replies 6 --long-threads 200",
    ),
];

/// What is looked at of a plan.
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

/// First runs, and a second one of the first tenant.
pub(crate) fn beside_runs(bench: &Bench) -> Result<Row> {
    let mut figures = Vec::new();
    for (what, arguments) in TENANTS {
        let simulator = Simulator::start(bench, &format!("{arguments} {LIMITS} --speed {SPEED} --journal 0"))?;
        figures.extend(compare(bench, &simulator, what, None)?);
    }
    let (_, arguments) = TENANTS[0];
    let simulator = Simulator::start(bench, &format!("{arguments} --speed {SPEED} --journal 0"))?;
    let (state, _) = idle::first_run(bench, tap::read(bench, &simulator, Settings::all(0))?)?;
    simulator.enforce_limits()?;
    figures.extend(compare(bench, &simulator, "the second run of 800 idle channels", Some(&state))?);
    Ok(Row { figures })
}

fn compare(bench: &Bench, simulator: &Simulator, what: &str, state: Option<&Path>) -> Result<[Figure; 2]> {
    let (mut walls, mut planned, mut asked, mut plan) = (Vec::new(), Vec::new(), 0, None);
    for _ in 0..bench.runs {
        let now = plan_of(bench, simulator, state)?;
        planned.push(now.seconds);
        plan = Some(now);
        simulator.clear_journal()?;
        let mut read = tap::read(bench, simulator, Settings::all(SPEED))?;
        walls.push(process::run(with_state(&mut read, state))?.wall.as_secs_f64());
        asked = simulator.journal()?.total;
    }
    let plan = plan.ok_or("no run was measured")?;
    let (wall, time) = (median(walls), median(planned));
    let (total, own) = (plan.requests.total, plan.looked_at.requests);
    let figure = |what: String, planned: f64, found: f64, goal, numbers| Figure {
        what,
        amount: Amount::Share((planned - found).abs() / found),
        goal: Some(Amount::Share(goal)),
        numbers,
    };
    Ok([
        figure(
            format!("plan of {what}, limits sped up by {SPEED}: requests beside those of the run"),
            total as f64,
            asked as f64,
            REQUESTS,
            format!("{} planned, {} asked; the plan itself took {}", grouped(total), grouped(asked), grouped(own)),
        ),
        figure("its time beside that of the run".to_owned(), time, wall, TIME, format!("{time:.1} s planned, {wall:.2} s")),
    ])
}

fn plan_of(bench: &Bench, simulator: &Simulator, state: Option<&Path>) -> Result<Plan> {
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
