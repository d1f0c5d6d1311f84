//! The figures of a soak: a status line while it runs, and a summary at the end.

use std::{
    collections::BTreeMap,
    fmt,
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use scenario::{
    compare::Comparison,
    destination::Kept,
    lines::Line,
    process::{Ending, RunOutput},
    world::World,
};

/// The time between two status lines if stderr is not a terminal.
const PERIOD: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Figures {
    seed: u64,
    began: Instant,
    reported: Instant,
    runs: u64,
    /// The number of runs by how they ended.
    ends: BTreeMap<&'static str, u64>,
    /// Errors of runs that failed by themselves, because a link expired or a request failed more often than it is retried.
    pub(crate) incomplete: Vec<String>,
    faults: BTreeMap<&'static str, u64>,
    requests: u64,
    lines: usize,
    records: usize,
    rows: usize,
    /// Runs and their records that the destination already had unchanged, by how the previous run ended.
    repeated: BTreeMap<&'static str, (u64, usize)>,
    /// The peak memory of each run, and when it ended.
    peaks: Vec<(Duration, u64)>,
    checks: u64,
    compared: usize,
    excluded: BTreeMap<&'static str, usize>,
    lost: usize,
}

impl Figures {
    pub(crate) fn new(seed: u64) -> Self {
        let now = Instant::now();
        Self {
            seed,
            began: now,
            reported: now,
            runs: 0,
            ends: BTreeMap::new(),
            incomplete: Vec::new(),
            faults: BTreeMap::new(),
            requests: 0,
            lines: 0,
            records: 0,
            rows: 0,
            repeated: BTreeMap::new(),
            peaks: Vec::new(),
            checks: 0,
            compared: 0,
            excluded: BTreeMap::new(),
            lost: 0,
        }
    }

    pub(crate) fn ran(&mut self, ran: &RunOutput, ending: Ending, peak: u64, lines: &[Line]) {
        let end = match (ran.signal, ran.status, ending) {
            (Some(9), ..) => "SIGKILL",
            (Some(15), ..) => "SIGTERM",
            (_, _, Ending::ReaderClosed(_)) => "output closed",
            (_, Some(0), _) => "complete",
            _ => "incomplete",
        };
        *self.ends.entry(end).or_default() += 1;
        self.runs += 1;
        self.lines += lines.len();
        self.records += lines.iter().filter(|line| matches!(line, Line::Record(_) | Line::FullTable(..))).count();
        if peak > 0 {
            self.peaks.push((self.began.elapsed(), peak));
        }
    }

    pub(crate) fn kept(&mut self, kept: &Kept, was_cut: bool) {
        let (runs, records) = self.repeated.entry(if was_cut { "cut off" } else { "complete" }).or_default();
        (*runs, *records) = (*runs + 1, *records + kept.repeated);
    }

    /// Adds the counts of the world and resets them.
    pub(crate) fn world(&mut self, world: &mut World) {
        self.requests += std::mem::take(&mut world.requests);
        for (name, count) in std::mem::take(&mut world.faults) {
            *self.faults.entry(name).or_default() += count;
        }
    }

    pub(crate) fn compared(&mut self, comparison: &Comparison) {
        self.checks += 1;
        self.compared += comparison.rows;
        self.lost += comparison.differences.len();
        for (reason, count) in &comparison.excluded {
            *self.excluded.entry(reason).or_default() += count;
        }
    }

    /// Writes the status line if it is due.
    pub(crate) fn report(&mut self, rows: usize) {
        self.rows = rows;
        let mut stderr = io::stderr();
        let is_terminal = stderr.is_terminal();
        if is_terminal || self.reported.elapsed() >= PERIOD {
            self.reported = Instant::now();
            let (before, after) = if is_terminal { ("\r\x1b[K", "") } else { ("", "\n") };
            let _ = write!(stderr, "{before}{}{after}", self.line());
            let _ = stderr.flush();
        }
    }

    fn line(&self) -> String {
        format!(
            "{} s: {} runs, {} killed, {} requests, {} faults, {} records, {} repeated, {} checks, lost {}, memory {}",
            self.began.elapsed().as_secs(),
            self.runs,
            self.killed(),
            self.requests,
            self.faults.values().sum::<u64>(),
            self.records,
            self.repeated.values().map(|(_, records)| records).sum::<usize>(),
            self.checks,
            self.lost,
            megabytes(self.peaks.last().map(|(_, peak)| *peak)),
        )
    }

    fn killed(&self) -> u64 {
        ["SIGKILL", "SIGTERM", "output closed"].iter().filter_map(|end| self.ends.get(end)).sum()
    }

    /// An error if the last runs needed more memory than the first ones, which read more.
    pub(crate) fn memory_grows(&self) -> Option<String> {
        let (first, last) = (self.peak(0)?, self.peak(3)?);
        let grows = last > first + first / 4 + 2_000_000;
        grows.then(|| format!("memory grows: {} in the first quarter, {} in the last", megabytes(Some(first)), megabytes(Some(last))))
    }

    /// The peak memory of the runs in a quarter of the time.
    fn peak(&self, quarter: u32) -> Option<u64> {
        let (from, to) = (self.began.elapsed() * quarter / 4, self.began.elapsed() * (quarter + 1) / 4);
        self.peaks.iter().filter(|(at, _)| *at >= from && *at < to).map(|(_, peak)| *peak).max()
    }
}

fn megabytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "unknown".to_owned(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6))
}

impl fmt::Display for Figures {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.began.elapsed().as_secs_f64() / 60.0;
        writeln!(formatter, "seed {}, {minutes:.1} minutes", self.seed)?;
        writeln!(formatter, "{} runs: {}", self.runs, listed(&self.ends))?;
        self.incomplete.iter().take(3).try_for_each(|error| writeln!(formatter, "  incomplete: {error}"))?;
        writeln!(formatter, "{} requests, {} faults: {}", self.requests, self.faults.values().sum::<u64>(), listed(&self.faults))?;
        writeln!(formatter, "{} lines, {} records; the destinations contain {} messages and replies", self.lines, self.records, self.rows)?;
        for (before, (runs, records)) in &self.repeated {
            let each = *records as f64 / (*runs).max(1) as f64;
            writeln!(formatter, "{records} repeated records in {runs} runs after a run that was {before}: {each:.1} each")?;
        }
        writeln!(formatter, "peak memory: {} in the first quarter, {} in the last", megabytes(self.peak(0)), megabytes(self.peak(3)))?;
        writeln!(formatter, "{} checks of {} rows, not counting:", self.checks, self.compared)?;
        self.excluded.iter().try_for_each(|(reason, count)| writeln!(formatter, "  {count}: {reason}"))?;
        write!(formatter, "lost: {}", self.lost)
    }
}

fn listed(counts: &BTreeMap<&'static str, u64>) -> String {
    counts.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
}
