//! A plan as people read it: what is read, with how many requests, how long, and how sure that is.

use std::fmt::Write;

use comfy_table::{CellAlignment, ContentArrangement, ContentLineStyle, LineStyle, Table, TableStyle};
use indicatif::HumanCount;
use textwrap::core::display_width;

use crate::{
    command::prose::{cut, paragraph, shared, shown, unbroken, width},
    plan::{About, ChannelPlan, DecidedBy, LookedAt, Plan, Requests, Seconds},
};

/// So many channels are shown.
const SHOWN: usize = 10;

/// So many refusals are shown.
const REFUSALS: usize = 10;

/// Names in a sentence are no wider, and those in a table may have as much at least.
const NAME: usize = 40;
const LEAST_NAME: usize = 12;

/// What a range means.
const SURE: &str = "± says how far off a number may be: 19 times of 20 it is no further, as far as what was seen tells.";

/// Between columns.
const GAP: usize = 2;

/// A line below the head, and no others.
const STYLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none().junction(' '))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .content_lines(ContentLineStyle::none().junction(' '));

/// The plan as text.
pub(super) fn text(plan: &Plan, has_state: bool) -> String {
    let width = width();
    let mut text = summary(plan, has_state, width);
    let _ = writeln!(text, "\n{}", streams(plan, width));
    let _ = writeln!(text, "\n{}", requests(&plan.requests, width));
    if !plan.longest.is_empty() {
        let _ = writeln!(text, "\n{}", longest(plan, width));
        let others = plan.channels.about.saturating_sub(plan.longest.len().min(SHOWN) as u64);
        if others > 0 {
            let _ = writeln!(text, "and {}", counted(grouped(others), "other", "others"));
        }
    }
    for (title, problems) in [("A run would leave out:", &plan.refused), ("A run would fail:", &plan.failed)] {
        if !problems.is_empty() {
            let _ = writeln!(text, "\n{title}");
            problems.iter().take(REFUSALS).for_each(|problem| _ = writeln!(text, "{}", paragraph("- ", problem, width)));
            if problems.len() > REFUSALS {
                let others = counted(grouped((problems.len() - REFUSALS) as u64), "other", "others");
                let _ = writeln!(text, "- and {others} (--format json has all)");
            }
        }
    }
    let _ = writeln!(text, "\n{}\n\nIt takes for granted:", paragraph("", &basis(plan), width));
    plan.assumes.iter().for_each(|assumed| _ = writeln!(text, "{}", paragraph("- ", assumed, width)));
    if !plan.requests.total.is_exact() {
        let _ = writeln!(text, "\n{}", paragraph("", SURE, width));
    }
    text
}

/// What decides, in the first lines.
fn summary(plan: &Plan, has_state: bool, width: usize) -> String {
    let Plan { teams, groups_without_team, channels, requests, seconds, decided_by, bytes_of_answers, longest, .. } = plan;
    let from = if has_state { "from this state on" } else { "without a state" };
    let mut teams = counted(grouped(*teams), "team", "teams");
    if *groups_without_team > 0 {
        let _ = write!(teams, " ({} none)", counted(grouped(*groups_without_team), "more group has", "more groups have"));
    }
    let channels = unbroken(&counted(count(channels), "channel", "channels"));
    let [total, size] = [count(&requests.total), size(bytes_of_answers)].map(|said| unbroken(&said));
    let first = longest.first();
    let mut lines = vec![
        paragraph("", &format!("A run {from} reads {teams} and {channels}."), width),
        paragraph("Requests: ", &total, width),
        paragraph("Time:     ", &format!("{}; {}", unbroken(&time(seconds)), reason(decided_by, first)), width),
        paragraph("Download: ", &format!("{size}, decompressed"), width),
    ];
    if let Some(channel) = first {
        let [channel_called, team] =
            [(&channel.channel_name, &channel.channel), (&channel.team_name, &channel.team)].map(|(name, id)| called(name, id));
        let requests = unbroken(&counted(count(&channel.requests), "request", "requests"));
        let messages = counted(grouped(channel.messages), "message", "messages");
        let replies = counted(grouped(channel.replies), "reply", "replies");
        let said = format!("{channel_called} of {team}: {requests} for {messages}, {replies}");
        lines.push(paragraph("Longest:  ", &said, width));
    }
    lines.join("\n") + "\n"
}

/// What the plan was made from.
fn basis(plan: &Plan) -> String {
    let LookedAt { requests, teams, channels, further_pages } = &plan.looked_at;
    format!(
        "This rests on {}: the channels of {} of {} were listed, and the first page of {} of {} looked at, and {}.",
        counted(grouped(*requests), "request", "requests"),
        grouped(teams.of_them),
        counted(grouped(teams.all), "team", "teams"),
        grouped(channels.of_them),
        counted(grouped(channels.all), "channel", "channels"),
        counted(grouped(*further_pages), "further page", "further pages"),
    )
}

fn reason(by: &DecidedBy, longest: Option<&ChannelPlan>) -> String {
    let requests = counted(grouped(by.requests), "request", "requests");
    let team = || called(&by.team_name, by.team.as_deref().unwrap_or_default());
    let is_longest = longest.is_some_and(|longest| by.channel.as_ref() == Some(&longest.channel));
    match by.limit {
        "one_channel" if is_longest => format!("decided by the longest channel: {requests}, one by one"),
        "one_channel" => {
            let channel = called(&by.channel_name, by.channel.as_deref().unwrap_or_default());
            format!("decided by channel {channel} of team {}: {requests}, one by one", team())
        }
        "one_team" => format!("decided by team {}: {requests} that count against its limit", team()),
        "messages" => format!("decided by the limit for messages: {requests}"),
        "all" => format!("decided by the rate of all {requests}"),
        limit => format!("decided by the limit for {limit}: {requests}"),
    }
}

/// A name in a sentence; the id of what has none.
fn called(name: &Option<String>, id: &str) -> String {
    name.as_ref().map_or_else(|| shown(id), |name| format!("“{}”", cut(&shown(name), NAME)))
}

fn streams(plan: &Plan, width: usize) -> String {
    let mut table = table(["stream", "mode", "records", "bytes"], width);
    for stream in &plan.streams {
        table.add_row([stream.name.to_owned(), stream.mode.replace('_', " "), count(&stream.records), size(&stream.bytes)]);
    }
    aligned(table, 2)
}

fn requests(requests: &Requests, width: usize) -> String {
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
        ("what is not listed", requests.not_listed),
    ];
    for (what, number) in rows.into_iter().filter(|(_, number)| *number > 0) {
        table.add_row([what.to_owned(), grouped(number)]);
    }
    aligned(table, 1)
}

fn longest(plan: &Plan, width: usize) -> String {
    let head = ["longest channels", "team", "messages", "replies", "requests", "time"];
    let channels = &plan.longest[..plan.longest.len().min(SHOWN)];
    let cells = channels.iter().map(|channel| {
        let name = |name: &Option<String>, id: &str| shown(name.as_deref().unwrap_or(id));
        [
            name(&channel.channel_name, &channel.channel),
            name(&channel.team_name, &channel.team),
            grouped(channel.messages),
            grouped(channel.replies),
            count(&channel.requests),
            duration(channel.seconds as f64),
        ]
    });
    let cells: Vec<_> = cells.collect();
    // The names have what the numbers leave.
    let widest = |at: usize| cells.iter().map(|row| display_width(&row[at])).chain([head[at].len()]).max().unwrap_or_default();
    let numbers: usize = (2..head.len()).map(|at| widest(at) + GAP).sum();
    let names = shared(width.saturating_sub(numbers + GAP).max(2 * LEAST_NAME), [widest(0), widest(1)]);
    let mut table = table(head, width);
    for mut row in cells {
        row.iter_mut().zip(names).for_each(|(name, width)| *name = cut(name, width));
        table.add_row(row);
    }
    aligned(table, 2)
}

/// As wide as the lines at most.
fn table<const N: usize>(head: [&str; N], width: usize) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(head).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    table
}

/// With the columns from this one on to the right.
fn aligned(mut table: Table, first: usize) -> String {
    let last = table.column_count().saturating_sub(1);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, if at < last { GAP as u16 - 1 } else { 0 }));
        if at >= first {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// A number and what it counts.
fn counted(number: String, one: &str, many: &str) -> String {
    let counted = if number == "1" { one } else { many };
    format!("{number} {counted}")
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

/// With how far off it may be; from where to where, if that is more than it is itself.
fn about(number: &About, form: impl Fn(u64) -> String) -> String {
    let About { about, from, to } = *number;
    if number.is_exact() {
        return form(about);
    }
    let off = about.saturating_sub(from).max(to.saturating_sub(about));
    if off >= about {
        return format!("{} to {}", form(from), form(to));
    }
    format!("{} ±{}%", form(about), off.saturating_mul(100).div_ceil(about))
}

fn time(seconds: &Seconds) -> String {
    let [about, from, to] = [seconds.about, seconds.from, seconds.to].map(duration);
    if from == to {
        return format!("about {about}");
    }
    // The unit is said once.
    let [from, to] = match (from.split_once(' '), to.split_once(' ')) {
        (Some((number, unit)), Some((_, other))) if unit == other => [number, &to],
        _ => [&*from, &to],
    };
    format!("about {about} ({from} to {to})")
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
    HumanCount(number).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_as_exactly_as_they_are_known() {
        let about = |about, from, to| About { about, from, to };
        assert_eq!([count(&about(1_234_567, 1_234_567, 1_234_567)), count(&about(1000, 900, 1100))], ["1,234,567", "1,000 ±10%"]);
        assert_eq!(size(&about(1_500_000, 999, 2_000_000_000)), "999 B to 2.0 GB");
        assert_eq!([0.4, 99.0, 100.0, 3600.0, 7200.0].map(duration), ["0 s", "99 s", "2 min", "60 min", "2.0 h"]);
        assert_eq!(time(&Seconds { about: 44.2, from: 40.0, to: 48.6 }), "about 44 s (40 to 49 s)");
        assert_eq!(time(&Seconds { about: 95.0, from: 90.0, to: 101.0 }), "about 95 s (90 s to 2 min)");
    }

    #[test]
    fn what_a_terminal_is_too_narrow_for_is_wrapped() {
        let mut table = table(["longest channels", "team"], 40);
        table.add_row(["19:f0e545a4e75bf2cedb2e9965b49a0fda@thread.tacv2", "508b6f48-e21b-4222-8a2d-a18ff1dbeda2"]);
        let table = aligned(table, 2);
        assert!(table.lines().all(|line| display_width(line) <= 40), "{table}");
    }
}
