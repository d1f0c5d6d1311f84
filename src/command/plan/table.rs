//! A plan as people read it: what is read, with how many requests, and how long.

use indicatif::HumanCount;

use crate::{
    command::terminal_text::{paragraph, truncate, unbroken, width, without_controls},
    level::{LEVELS, TEAM},
    plan::{DecidedBy, Longest, LookedAt, Place, Plan, Requests, Share, name_of},
};

/// So many of the longest walks and of the refusals are shown.
const SHOWN: usize = 10;

/// Names are no wider.
const NAME: usize = 40;

/// The plan as text.
pub(super) fn text(plan: &Plan, has_state: bool) -> String {
    let width = width();
    let longest: Vec<_> = plan.longest.iter().map(walk).collect();
    let parts = [
        summary(plan, has_state, width),
        list("Longest:", &longest, width),
        list("A run would leave out:", &plan.refused, width),
        list("A run would fail:", &plan.failed, width),
        vec![paragraph("", &basis(&plan.looked_at), width)],
    ];
    let parts = parts.into_iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n") + "\n");
    parts.collect::<Vec<_>>().join("\n")
}

/// What decides, in the first lines.
fn summary(plan: &Plan, has_state: bool, width: usize) -> Vec<String> {
    let from = if has_state { "from this state on" } else { "without a state" };
    let parents = LEVELS.iter().filter_map(|level| {
        let parents = counted(*plan.parents.get(level.plural)?, level.name, level.plural);
        let without_team = Some(plan.groups_without_team).filter(|groups| *groups > 0 && *level == &TEAM);
        let others = without_team.map(|groups| format!(" ({} none)", counted(groups, "more group has", "more groups have")));
        Some(parents + &others.unwrap_or_default())
    });
    let parents = parents.collect::<Vec<_>>().join(" and ");
    let streams = plan.streams.iter().map(|stream| format!("{} ({})", stream.name, stream.mode.replace('_', " ")));
    vec![
        paragraph("", &format!("A run {from} reads {parents}."), width),
        paragraph("Streams:  ", &streams.map(|stream| unbroken(&stream)).collect::<Vec<_>>().join(", "), width),
        paragraph("Requests: ", &requests(&plan.requests), width),
        paragraph("Time:     ", &format!("about {}; decided by {}", duration(plan.seconds), reason(&plan.decided_by)), width),
    ]
}

/// Lines below a title: the first of them, if they are many.
fn list(title: &str, all: &[String], width: usize) -> Vec<String> {
    let title = Some(title.to_owned()).filter(|_| !all.is_empty());
    let shown = all.iter().take(SHOWN).map(|one| paragraph("- ", one, width));
    let others = all.len().checked_sub(SHOWN).filter(|others| *others > 0);
    let others = others.map(|others| format!("- and {} (--format json has all)", counted(others as u64, "other", "others")));
    title.into_iter().chain(shown).chain(others).collect()
}

fn walk(Longest { place, requests, seconds }: &Longest) -> String {
    let requests = unbroken(&counted(*requests, "request", "requests"));
    format!("{}: {requests}, {}", sentence(place), unbroken(&duration(*seconds as f64)))
}

/// What the plan was made from.
fn basis(LookedAt { requests, parents }: &LookedAt) -> String {
    let shares = LEVELS.iter().filter_map(|level| {
        let Share { of_them, all } = parents.get(level.plural)?;
        Some(format!("{} of {}", grouped(*of_them), counted(*all, level.name, level.plural)))
    });
    let shares = shares.collect::<Vec<_>>().join(" and ");
    let requests = counted(*requests, "request", "requests");
    format!(
        "This rests on {requests}: {shares} were looked at. The rest is taken to be like that, and what changes while a run reads takes more \
         requests."
    )
}

fn reason(by: &DecidedBy) -> String {
    let requests = counted(by.requests, "request", "requests");
    match &by.place {
        Some(place) => format!("{}: {requests}", sentence(place)),
        None if by.limit == "all" => format!("the rate of all {requests}"),
        None => format!("the limit for {}: {requests}", by.limit),
    }
}

/// A parent and those above it in a sentence.
fn sentence(place: &Place) -> String {
    let called = LEVELS.iter().rev().filter_map(|level| {
        let (id, name) = (place.get(level.name)?.as_deref(), place.get(&name_of(level))?.as_deref());
        Some(name.map_or_else(|| without_controls(id.unwrap_or_default()), |name| format!("“{}”", truncate(&without_controls(name), NAME))))
    });
    called.collect::<Vec<_>>().join(" of ")
}

fn requests(Requests { total, by_kind }: &Requests) -> String {
    let kinds = by_kind.iter().map(|(kind, number)| unbroken(&format!("{kind} {}", grouped(*number))));
    format!("at least {} ({})", grouped(*total), kinds.collect::<Vec<_>>().join(", "))
}

/// A number and what it counts.
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
    fn a_time_is_as_exact_as_it_is_known() {
        assert_eq!([0.4, 99.0, 100.0, 3600.0, 7200.0].map(duration), ["0 s", "99 s", "2 min", "60 min", "2.0 h"]);
    }
}
