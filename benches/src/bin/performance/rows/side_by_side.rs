//! Two runs of one application at once, which do not know of each other and share its limits.

use std::thread;

use crate::{
    Bench, Result,
    figure::{Amount, Figure, Row, grouped, median},
    least::Tenant,
    process,
    simulator::Simulator,
    tap::{self, Settings},
};

const SPEED: u32 = 10;

/// Each reads half of the teams.
pub(crate) fn two_runs(bench: &Bench) -> Result<Row> {
    let (mut walls, mut incomplete) = ([Vec::new(), Vec::new()], [0; 2]);
    let (mut throttled, mut requests, mut fair) = (0, 0, f64::NAN);
    for _ in 0..bench.runs {
        let simulator = Simulator::start(bench, &format!("--teams 10 --channels 10 --messages 2500 --limits --speed {SPEED} --journal 0"))?;
        let tenant = simulator.tenant()?;
        fair = tenant.first_run().seconds / f64::from(SPEED);
        let [mut one, mut other] = commands(bench, &simulator, &tenant)?;
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
    let goal = Some(Amount::Ratio(1.3));
    let of_one = |name: &str, walls: Vec<f64>, incomplete: u32| {
        let wall = median(walls);
        let what = format!("two runs side by side, sped up by {SPEED}: the {name} one's time / its fair time");
        Figure {
            what,
            amount: Amount::Ratio(wall / fair),
            goal,
            numbers: format!("{wall:.2} s / {fair:.2} s; {incomplete} of {} runs ended incomplete", bench.runs),
        }
    };
    let ([one, other], [of_first, of_second]) = (walls, incomplete);
    let refused = Figure {
        what: "of their requests refused by the limits (429)".to_owned(),
        amount: Amount::Share(throttled as f64 / requests as f64),
        goal: Some(Amount::Share(0.01)),
        numbers: format!("{} of {} requests in {} runs", grouped(throttled), grouped(requests), bench.runs),
    };
    Ok(Row { figures: vec![of_one("first", one, of_first), of_one("second", other, of_second), refused] })
}

fn commands(bench: &Bench, simulator: &Simulator, tenant: &Tenant) -> Result<[std::process::Command; 2]> {
    let ids: Vec<String> = tenant.teams.iter().map(|team| team.id.clone()).collect();
    let (first, second) = ids.split_at(ids.len() / 2);
    Ok([
        tap::read(bench, simulator, Settings { teams: first, name: "first.json", ..Settings::all(SPEED) })?,
        tap::read(bench, simulator, Settings { teams: second, name: "second.json", ..Settings::all(SPEED) })?,
    ])
}
