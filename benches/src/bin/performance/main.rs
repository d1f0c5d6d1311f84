//! The performance bench: measures the release executable on simulated tenants, and writes the table and chart of docs/performance.md.
//!
//! `cargo run --release --package benches --bin performance` measures everything (about half an hour); `-- --only NAME` measures one row.
#![allow(clippy::print_stdout, reason = "each figure is printed as soon as it is measured")]

mod chart;
mod figure;
mod http;
mod minimum;
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

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// Measures the tap.
#[derive(Parser)]
struct Arguments {
    /// Measure only this row (or `chart`) and write no files.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Number of runs; the median is reported.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
}

struct Bench {
    programs: Programs,
    runs: u32,
    /// Temporary files of the runs.
    folder: TempDir,
}

fn main() -> Result<()> {
    let Arguments { only, runs } = Arguments::parse();
    let is_selected = |name: &str| only.as_deref().is_none_or(|only| only == name);
    if !ROWS.iter().map(|(name, _)| *name).chain(["chart"]).any(is_selected) {
        let names: Vec<_> = ROWS.iter().map(|(name, _)| *name).collect();
        return Err(format!("unknown row; known rows: {}, chart", names.join(", ")).into());
    }
    let bench = Bench { programs: Programs::build()?, runs, folder: TempDir::new()? };
    let mut figures = Vec::new();
    for (name, measure) in ROWS.iter().filter(|(name, _)| is_selected(name)) {
        let row = measure(&bench).map_err(|error| format!("{name}: {error}"))?;
        for figure in row.figures {
            println!("{}", table::line(&figure));
            figures.push(figure);
        }
    }
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let points = if is_selected("chart") { chart::measure(&bench)? } else { Vec::new() };
    points.iter().for_each(|point| println!("{point}"));
    if only.is_none() {
        table::write(&docs.join("performance.md"), &figures, runs)?;
        chart::draw(&docs.join("performance.svg"), &points)?;
    }
    Ok(())
}
