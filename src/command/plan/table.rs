//! The table of a plan: what a run reads, its requests, its time, and its longest channels.

use indicatif::HumanCount;

use crate::{
    command::terminal_text::{paragraph, truncate, unbroken, width, without_controls},
    level::{LEVELS, Level, TEAM},
    plan::{DecidedBy, Location, Longest, LookedAt, Requests, RunPlan, Share, name_key},
    streams::Stream,
};

/// The number of longest channels in the table.
const MAX_LONGEST: usize = 3;

/// The maximum number of refusals, and of failures, in the table.
const MAX_ERRORS: usize = 5;

/// The maximum width of a name.
const MAX_NAME: usize = 40;

/// The plan as text. `unconfigured` has the streams that are not configured, each with what to do.
pub(super) fn text(plan: &RunPlan, unconfigured: &[(&str, String)], has_state: bool) -> String {
    let width = width();
    let parts = [
        vec![paragraph("", &parents(plan, has_state), width)],
        rows(plan, unconfigured, width),
        list("A run would skip:", &plan.refused, width),
        list("A run would fail:", &plan.failed, width),
        vec![paragraph("", &basis(&plan.looked_at), width)],
    ];
    let parts = parts.into_iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n") + "\n");
    parts.collect::<Vec<_>>().join("\n")
}

/// What is read, in one sentence.
fn parents(plan: &RunPlan, has_state: bool) -> String {
    let run = if has_state { "A run from this state" } else { "A first run" };
    let counts = LEVELS.iter().filter(|level| is_read(plan, level)).filter_map(|level| {
        let count = counted(*plan.parents.get(level.plural)?, level.name, level.plural);
        let without_team = Some(plan.groups_without_team).filter(|groups| *groups > 0 && *level == &TEAM);
        let others = without_team.map(|groups| format!(" ({} no team)", counted(groups, "other group has", "other groups have")));
        Some(count + &others.unwrap_or_default())
    });
    let counts = counts.collect::<Vec<_>>().join(" and ");
    format!("{run} reads {}.", if counts.is_empty() { "nothing" } else { &counts })
}

/// Whether there are parents of this level, or a planned stream would read them if there were any.
fn is_read(plan: &RunPlan, level: &'static Level) -> bool {
    let is_planned = |stream: &&'static Stream| plan.streams.iter().any(|planned| planned.name == stream.name);
    let is_counted = plan.parents.get(level.plural).is_some_and(|count| *count > 0);
    is_counted || Stream::all().filter(is_planned).any(|stream| stream.is_below(level))
}

fn rows(plan: &RunPlan, unconfigured: &[(&str, String)], width: usize) -> Vec<String> {
    let streams = plan.streams.iter().map(|stream| unbroken(&format!("{} ({})", stream.name, stream.mode.replace('_', " "))));
    let streams = streams.collect::<Vec<_>>().join(", ");
    let streams = Some(streams).filter(|streams| !streams.is_empty());
    let unconfigured = unconfigured.iter().map(|(stream, options)| format!("{stream}: not configured, {options}"));
    let time = format!("about {}, limited by {}", duration(plan.seconds), reason(&plan.decided_by));
    [
        column("Streams", streams, width),
        column("Not read", unconfigured, width),
        column("Requests", [requests(&plan.requests)], width),
        column("Time", [time], width),
        column("Longest", plan.longest.iter().take(MAX_LONGEST).map(longest), width),
    ]
    .concat()
}

/// Values below each other, with a title before the first one.
fn column(title: &str, values: impl IntoIterator<Item = String>, width: usize) -> Vec<String> {
    let titles = [title].into_iter().chain(std::iter::repeat(""));
    titles.zip(values).map(|(title, value)| paragraph(&format!("{title:10}"), &value, width)).collect()
}

/// A list with a title; the first items only, if there are many.
fn list(title: &str, all: &[String], width: usize) -> Vec<String> {
    let title = Some(title.to_owned()).filter(|_| !all.is_empty());
    let first = all.iter().take(MAX_ERRORS).map(|one| paragraph("- ", one, width));
    let others = all.len().checked_sub(MAX_ERRORS).filter(|others| *others > 0);
    let others = others.map(|others| format!("- and {} (--format json shows all)", counted(others as u64, "other", "others")));
    title.into_iter().chain(first).chain(others).collect()
}

fn longest(Longest { location, requests, seconds }: &Longest) -> String {
    let requests = unbroken(&counted(*requests, "request", "requests"));
    format!("{}: {requests}, {}", name(location), unbroken(&duration(*seconds as f64)))
}

/// How good the estimate is.
fn basis(LookedAt { requests, parents }: &LookedAt) -> String {
    let shares = LEVELS.iter().filter_map(|level| {
        let Share { of_them, all } = parents.get(level.plural).filter(|share| share.all > 0)?;
        Some(format!("{} of {}", grouped(*of_them), counted(*all, level.name, level.plural)))
    });
    let shares = shares.collect::<Vec<_>>().join(", ");
    let shares = if shares.is_empty() { shares } else { format!(" ({shares})") };
    format!("Estimated from {}{shares}; changes during the run add more.", counted(*requests, "request", "requests"))
}

fn reason(by: &DecidedBy) -> String {
    let requests = unbroken(&counted(by.requests, "request", "requests"));
    match &by.location {
        Some(location) => format!("{} ({requests})", name(location)),
        None if by.limit == "all" => format!("the overall request rate ({requests})"),
        None => format!("the limit for {} ({requests})", by.limit),
    }
}

/// A parent and the parents above it, by their names.
fn name(location: &Location) -> String {
    let names =
        LEVELS.iter().rev().filter_map(|level| {
            let (id, name) = (location.get(level.name)?.as_deref(), location.get(&name_key(level))?.as_deref());
            Some(name.map_or_else(
                || without_controls(id.unwrap_or_default()),
                |name| format!("“{}”", truncate(&without_controls(name), MAX_NAME)),
            ))
        });
    names.collect::<Vec<_>>().join(" of ")
}

fn requests(Requests { total, by_kind }: &Requests) -> String {
    let kinds = by_kind.iter().map(|(kind, number)| unbroken(&format!("{kind} {}", grouped(*number))));
    format!("at least {} ({})", grouped(*total), kinds.collect::<Vec<_>>().join(", "))
}

fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
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
    fn a_time_is_rounded() {
        assert_eq!([0.4, 99.0, 100.0, 3600.0, 7200.0].map(duration), ["0 s", "99 s", "2 min", "60 min", "2.0 h"]);
    }
}
