//! The soak test: runs the tap again and again on a changing tenant while requests fail and runs are killed. No record may be lost.
//!
//! `cargo run --release --example soak -- --minutes 60`

mod executable;
mod figures;
#[path = "../folder.rs"]
mod folder;
mod lane;
mod soak;

use std::{
    error::Error,
    fs,
    io::{self, Write},
    process::ExitCode,
    time::{Duration, SystemTime},
};

use clap::Parser;
use folder::Folder;
use scenario::process::Program;
use soak::Soak;

/// Runs the tap again and again on a changing simulated tenant, while requests fail and runs are killed. Exits with 1 if a record is lost or
/// wrong.
#[derive(Parser)]
struct Arguments {
    /// Duration in minutes
    #[arg(long, default_value_t = 60.0)]
    minutes: f64,
    /// Seed of the tenant and of all random choices [default: from the clock]
    #[arg(long)]
    seed: Option<u64>,
}

fn seed_from_clock() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs() % 1_000_000)
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let Arguments { minutes, seed } = Arguments::parse();
    let seed = seed.unwrap_or_else(seed_from_clock);
    let time = Duration::try_from_secs_f64(minutes * 60.0)?;
    let executable = executable::build()?;
    let folder = Folder::new("soak")?;
    let mut soak = Soak::begin(seed, Program::new(executable, folder.path()))?;
    let result = soak.run(time);
    let mut stderr = io::stderr();
    writeln!(stderr, "\n{}", soak.figures)?;
    let Err(error) = result else {
        writeln!(stderr, "nothing was lost and nothing is wrong")?;
        return Ok(ExitCode::SUCCESS);
    };
    let log = std::env::temp_dir().join(format!("soak-{seed}.log"));
    let lines = soak.log();
    fs::write(&log, lines.join("\n"))?;
    let last = lines.len().saturating_sub(60);
    writeln!(stderr, "{}\n\nFAILED with seed {seed}: {error}", lines.get(last..).unwrap_or_default().join("\n"))?;
    writeln!(stderr, "events since the last check: {}", log.display())?;
    Ok(ExitCode::FAILURE)
}
