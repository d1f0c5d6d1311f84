//! The progress of a run in one line.

use std::time::Duration;

use chrono::{DateTime, Local, SecondsFormat, Utc};
use indicatif::{HumanCount, HumanDuration};

use super::speed::{Speed, Throughput};
use crate::emit::{Phase, Stats, StreamStats};

/// The line of a log: the whole run, then each stream.
pub(super) fn line(stats: &Stats, speed: &mut Speed) -> String {
    let rates = speed.update(stats);
    let until = stats.waiting_until(Utc::now()).map(|until| until.to_rfc3339_opts(SecondsFormat::Secs, true));
    let whole: Vec<_> = counts(stats, rates).into_iter().chain(waits(until)).chain(left(rates)).collect();
    let streams: Vec<_> = stats.streams.iter().map(|stream| stream_progress(stream, stats.is_discovering)).collect();
    format!("so far {}; {}", whole.join(", "), streams.join(", "))
}

/// The line of a terminal: the remaining time and any wait come first, since a narrow terminal cuts the rest.
pub(super) fn status(stats: &Stats, speed: &mut Speed) -> String {
    let rates = speed.update(stats);
    let until = stats.waiting_until(Utc::now()).map(local_time);
    left(rates).into_iter().chain(waits(until)).chain(counts(stats, rates)).collect::<Vec<_>>().join(", ")
}

fn counts(stats: &Stats, rates: Option<Throughput>) -> Vec<String> {
    let per_second = |rate: fn(&Throughput) -> f64| rates.as_ref().map(|rates| format!(" ({}/s)", short(rate(rates)))).unwrap_or_default();
    let mut counts = vec![
        format!("{} records{}", HumanCount(stats.records()), per_second(|rates| rates.records)),
        format!("{} requests{}", HumanCount(stats.requests.sent()), per_second(|rates| rates.requests)),
    ];
    let throttled = stats.requests.throttled();
    if throttled > 0 {
        counts.push(format!("{} throttled", HumanCount(throttled)));
    }
    counts
}

/// Fractions are shown for small rates only.
fn short(rate: f64) -> String {
    if rate < 100.0 { format!("{rate:.1}") } else { HumanCount(rate as u64).to_string() }
}

fn waits(until: Option<String>) -> Option<String> {
    until.map(|until| format!("waiting for Graph until {until}"))
}

fn left(rates: Option<Throughput>) -> Option<String> {
    rates?.left.map(|left| format!("about {} left", HumanDuration(rounded(left))))
}

/// Rounded to what the estimate supports.
fn rounded(left: Duration) -> Duration {
    let seconds = left.as_secs().max(1);
    let step = if seconds < 60 { 10 } else { 60 };
    Duration::from_secs(seconds.div_ceil(step) * step)
}

fn stream_progress(stats: &StreamStats, is_discovering: bool) -> String {
    let state = match stats.phase {
        Phase::Waiting | Phase::Reading => parents(stats, is_discovering),
        phase => phase.name().to_owned(),
    };
    format!("{} {} ({state})", stats.stream.name, HumanCount(stats.records))
}

/// The finished parents of a stream, such as `3 of 16 channels`, with a `+` while more may be found.
pub(super) fn parents(stats: &StreamStats, is_discovering: bool) -> String {
    let StreamStats { stream, parents, done, .. } = stats;
    let kind = stream.read_level().map_or("lists", |level| level.plural);
    format!("{} of {}{} {kind}", HumanCount(*done), HumanCount(*parents), if is_discovering { "+" } else { "" })
}

/// The time of day in the local time zone.
pub(super) fn local_time(time: DateTime<Utc>) -> String {
    time.with_timezone(&Local).format("%H:%M:%S").to_string()
}
