//! The performance bench: measures the shipped executable on simulated tenants, and writes the figures into docs/performance.md.
//!
//! `cargo run --release --package benches --bin performance` measures everything (some 25 minutes); `-- --only NAME` measures one row.
#![allow(clippy::print_stdout, reason = "each figure is shown as soon as it is measured")]

mod chart;
mod figure;
mod http;
mod least;
mod process;
mod programs;
mod rows;
mod simulator;
mod table;
mod tap;

use std::{error::Error, path::Path};

use clap::Parser;
use tempfile::TempDir;

use crate::{programs::Programs, rows::ROWS};

/// What may go wrong; nobody here needs to tell one from another.
type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// Measures the tap.
#[derive(Parser)]
struct Arguments {
    /// One row (or `chart`) only; nothing is written.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Runs of which the median is taken.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
}

/// What each row measures with.
struct Bench {
    programs: Programs,
    runs: u32,
    /// For the files of the runs.
    folder: TempDir,
}

fn main() -> Result<()> {
    let Arguments { only, runs } = Arguments::parse();
    let is_wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    if !ROWS.iter().map(|(name, _)| *name).chain(["chart"]).any(is_wanted) {
        let names: Vec<_> = ROWS.iter().map(|(name, _)| *name).collect();
        return Err(format!("no such row; there are {} and chart", names.join(", ")).into());
    }
    let bench = Bench { programs: Programs::build()?, runs, folder: TempDir::new()? };
    let mut figures = Vec::new();
    for (name, measure) in ROWS.iter().filter(|(name, _)| is_wanted(name)) {
        let row = measure(&bench).map_err(|error| format!("{name}: {error}"))?;
        for figure in row.figures {
            println!("{}", table::line(&figure));
            figures.push(figure);
        }
    }
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let points = if is_wanted("chart") { chart::measure(&bench)? } else { Vec::new() };
    points.iter().for_each(|point| println!("{point}"));
    if only.is_none() {
        table::write(&docs.join("performance.md"), &figures, runs)?;
        chart::draw(&docs.join("performance.svg"), &points)?;
    }
    Ok(())
}
