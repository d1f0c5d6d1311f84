//! The final statistics of a run as a table.

use std::fmt::Write;

use comfy_table::{CellAlignment, LineStyle, Table, TableStyle};
use indicatif::HumanCount;

use crate::emit::{Stats, StreamStats};

const HEADER: [&str; 9] = ["stream", "", "records", "changed", "deleted", "requests", "429s", "skipped", "seconds"];

/// Fits a terminal of 80 columns.
const STYLE: TableStyle = TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A row per stream, one for requests that served several streams, and the totals. Below the table, the requests by class.
pub(super) fn table(stats: &Stats) -> String {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(HEADER);
    stats.streams.iter().for_each(|stream| _ = table.add_row(row(stream)));
    let (requests, throttled) = (stats.requests.sent(), stats.requests.throttled());
    let alone = (stats.sum(|stream| stream.requests), stats.sum(|stream| stream.throttled));
    let shared = (requests.saturating_sub(alone.0), throttled.saturating_sub(alone.1));
    if shared.0 > 0 {
        let of_several = ["for several", "", "", "", "", &count(shared.0), &count(shared.1), "", ""].map(str::to_owned);
        table.add_row(of_several);
    }
    let sum = |of: fn(&StreamStats) -> u64| count(stats.sum(of));
    table.add_row([
        "all".to_owned(),
        String::new(),
        count(stats.records()),
        sum(|stream| stream.changed),
        sum(|stream| stream.deleted),
        count(requests),
        count(throttled),
        sum(|stream| stream.skipped),
        format!("{:.1}", stats.elapsed.as_secs_f64()),
    ]);
    table.column_iter_mut().for_each(|column| _ = column.set_padding((0, 0)));
    table.column_iter_mut().skip(2).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    let mut text = table.trim_fmt();
    let _ = write!(text, "\n{}\n", requests_by_class(stats));
    text
}

fn row(stats: &StreamStats) -> [String; 9] {
    // Empty if the records do not show changes: 0 would be a claim.
    let changes = |changes: u64| if stats.reports_changes() { count(changes) } else { String::new() };
    let own = |requests: u64| if stats.requests > 0 { count(requests) } else { String::new() };
    [
        stats.stream.name.to_owned(),
        stats.outcome().to_owned(),
        count(stats.records),
        changes(stats.changed),
        changes(stats.deleted),
        own(stats.requests),
        own(stats.throttled),
        count(stats.skipped),
        stats.duration.map(|duration| format!("{:.1}", duration.as_secs_f64())).unwrap_or_default(),
    ]
}

fn count(number: u64) -> String {
    HumanCount(number).to_string()
}

/// The requests by class, with the mean duration.
fn requests_by_class(stats: &Stats) -> String {
    let classes = stats.requests.classes.iter().map(|counts| {
        let milliseconds = counts.mean_latency().as_millis();
        format!("{} {} ({milliseconds} ms each)", HumanCount(counts.sent), counts.class.name)
    });
    let sign_ins = format!("{} sign-in", HumanCount(stats.requests.sign_ins));
    format!("requests: {}", classes.chain([sign_ins]).collect::<Vec<_>>().join(", "))
}
