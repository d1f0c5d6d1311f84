//! A plan as people read it: what is read, with how many requests, how long, and how sure that is.

use std::{
    fmt::{Display, Write},
    io,
};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use terminal_size::{Width, terminal_size_of};

use crate::sync::plan::{About, DecidedBy, Plan, Requests, Seconds};

/// So many channels are shown.
const SHOWN: usize = 10;

/// So many refusals are shown.
const REFUSALS: usize = 10;

/// The plan as text.
pub(super) fn text(plan: &Plan, has_state: bool) -> String {
    let width = terminal_size_of(io::stdout()).map(|(Width(width), _)| width);
    let mut text = String::new();
    let _ = write!(text, "{}", Head { plan, has_state });
    let _ = writeln!(text, "\n{}", streams(plan, width));
    let _ = writeln!(text, "\n{}", requests(&plan.requests, width));
    if !plan.longest.is_empty() {
        let _ = writeln!(text, "\n{}", longest(plan, width));
        let others = plan.channels.about.saturating_sub(plan.longest.len().min(SHOWN) as u64);
        if others > 0 {
            let _ = writeln!(text, "and {} others", grouped(others));
        }
    }
    for (title, problems) in [("A run would leave out:", &plan.refused), ("A run would fail:", &plan.failed)] {
        if !problems.is_empty() {
            let _ = writeln!(text, "\n{title}");
            problems.iter().take(REFUSALS).for_each(|problem| _ = writeln!(text, "- {problem}"));
            if problems.len() > REFUSALS {
                let _ = writeln!(text, "- and {} others (--format json has all)", grouped((problems.len() - REFUSALS) as u64));
            }
        }
    }
    let looked_at = &plan.looked_at;
    let _ = writeln!(
        text,
        "\nThis rests on {} requests: the channels of {} of {} teams were listed, and the first page of {} of {} channels looked at, and {} further \
        pages. It takes for granted that {}.",
        grouped(looked_at.requests),
        grouped(looked_at.teams.of_them),
        grouped(looked_at.teams.all),
        grouped(looked_at.channels.of_them),
        grouped(looked_at.channels.all),
        grouped(looked_at.further_pages),
        plan.assumes.join("; and that ")
    );
    text
}

/// What decides, in the first lines.
struct Head<'p> {
    plan: &'p Plan,
    has_state: bool,
}

impl Display for Head<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Plan { teams, channels, requests, seconds, decided_by, bytes_of_answers, .. } = self.plan;
        let from = if self.has_state { "from this state on" } else { "without a state" };
        writeln!(formatter, "A run {from} reads {} teams and {} channels.", grouped(*teams), count(channels))?;
        writeln!(formatter, "Requests: {}", count(&requests.total))?;
        writeln!(formatter, "Time:     {}; {}", time(seconds), reason(decided_by))?;
        writeln!(formatter, "Download: {}, decompressed", size(bytes_of_answers))
    }
}

fn reason(by: &DecidedBy) -> String {
    let requests = grouped(by.requests);
    let id = |id: &Option<String>| id.clone().unwrap_or_default();
    match by.limit {
        "one_channel" => {
            format!("decided by channel {} of team {}: {requests} requests, one after the other", id(&by.channel), id(&by.team))
        }
        "one_team" => format!("decided by team {}: {requests} requests that count against its limit", id(&by.team)),
        "messages" => format!("decided by the limit for messages: {requests} requests"),
        "all" => format!("decided by the rate of all {requests} requests"),
        limit => format!("decided by the limit for {limit}: {requests} requests"),
    }
}

fn streams(plan: &Plan, width: Option<u16>) -> Table {
    let mut table = table(["stream", "mode", "records", "bytes"], width);
    for stream in &plan.streams {
        table.add_row([stream.name.to_owned(), stream.mode.replace('_', " "), count(&stream.records), size(&stream.bytes)]);
    }
    aligned(table, 2)
}

fn requests(requests: &Requests, width: Option<u16>) -> Table {
    let mut table = table(["requests for", "number"], width);
    let rows = [
        ("a token", requests.token),
        ("lists of groups", requests.groups),
        ("teams", requests.teams),
        ("lists of channels", requests.channels),
        ("lists of members", requests.members),
        ("pages of messages", requests.messages),
        ("pages of long threads", requests.replies),
        ("delta", requests.delta),
        ("channels no longer listed", requests.channels_no_longer_listed),
    ];
    for (what, number) in rows.into_iter().filter(|(_, number)| *number > 0) {
        table.add_row([what.to_owned(), grouped(number)]);
    }
    aligned(table, 1)
}

fn longest(plan: &Plan, width: Option<u16>) -> Table {
    let mut table = table(["longest channels", "team", "messages", "replies", "requests", "time"], width);
    for channel in plan.longest.iter().take(SHOWN) {
        table.add_row([
            channel.channel.clone(),
            channel.team.clone(),
            grouped(channel.messages),
            grouped(channel.replies),
            count(&channel.requests),
            duration(channel.seconds as f64),
        ]);
    }
    aligned(table, 2)
}

/// As wide as the terminal; as wide as it needs where nobody looks.
fn table<const N: usize>(head: [&str; N], width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(head);
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table
}

/// With the columns from this one on to the right.
fn aligned(mut table: Table, first: usize) -> Table {
    table.column_iter_mut().skip(first).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
    table
}

fn count(number: &About) -> String {
    about(number, grouped)
}

fn size(number: &About) -> String {
    about(number, |bytes| match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.0} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    })
}

fn about(number: &About, form: impl Fn(u64) -> String) -> String {
    if number.is_exact() {
        return form(number.about);
    }
    format!("about {} ({} to {})", form(number.about), form(number.from), form(number.to))
}

fn time(seconds: &Seconds) -> String {
    let [about, from, to] = [seconds.about, seconds.from, seconds.to].map(duration);
    if from == to { format!("about {about}") } else { format!("about {about} ({from} to {to})") }
}

fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        0..100 => format!("{whole} s"),
        100..6000 => format!("{} min", whole.div_ceil(60)),
        _ => format!("{:.1} h", seconds / 3600.0),
    }
}

/// 1234567 as 1,234,567.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_as_exactly_as_they_are_known() {
        let about = |about, from, to| About { about, from, to };
        assert_eq!(
            [count(&about(1_234_567, 1_234_567, 1_234_567)), count(&about(1000, 900, 1100))],
            ["1,234,567", "about 1,000 (900 to 1,100)"]
        );
        assert_eq!(size(&about(1_500_000, 999, 2_000_000_000)), "about 1.5 MB (999 B to 2.0 GB)");
        assert_eq!([0.4, 99.0, 100.0, 3600.0, 7200.0].map(duration), ["0 s", "99 s", "2 min", "60 min", "2.0 h"]);
        assert_eq!(time(&Seconds { about: 44.2, from: 40.0, to: 48.6 }), "about 44 s (40 s to 49 s)");
    }

    #[test]
    fn what_a_terminal_is_too_narrow_for_is_wrapped() {
        let mut table = table(["longest channels", "team"], Some(40));
        table.add_row(["19:f0e545a4e75bf2cedb2e9965b49a0fda@thread.tacv2", "508b6f48-e21b-4222-8a2d-a18ff1dbeda2"]);
        assert!(table.to_string().lines().all(|line| line.len() <= 40), "{table}");
    }
}
