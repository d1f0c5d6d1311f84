//! The sentences of a check: a log line for each stream, and one sentence for a dialog.

use tracing::Level;

use super::verdict::{Checkup, ConfiguredParent, Reason, Unread, Verdict};
use crate::{
    error::{MissingPermission, RefusalReason, shorten},
    graph::Permission,
    read::outcome::NO_TEAMS,
    streams::Stream,
};

/// The maximum length of the sentence for a dialog, in characters.
const MAX_DIALOG: usize = 500;

/// The maximum number of streams to name in a row.
const MAX_STREAMS: usize = 8;

/// The maximum lengths of an error, of Graph's response and of an id, in characters.
const MAX_ERROR: usize = 300;
const MAX_RESPONSE: usize = 120;
pub(super) const MAX_ID: usize = 80;

impl Checkup {
    /// The log lines: one for each stream, with Graph's response and the ids of the request, then how to grant a permission.
    pub fn lines(&self) -> Vec<(Level, String)> {
        let mut known: Vec<(&Stream, Level, String)> = Vec::new();
        for (stream, verdict) in &self.streams {
            let (level, text) = in_full(verdict);
            let same = known.iter().find(|(_, _, other)| level == Level::WARN && *other == text);
            let text = same.map_or(text, |(other, ..)| format!("same problem as {}", other.name));
            known.push((*stream, level, text));
        }
        let mut lines: Vec<_> = known.into_iter().map(|(stream, level, text)| (level, format!("{}: {text}", stream.name))).collect();
        if self.lists_no_team {
            lines.push((Level::WARN, NO_TEAMS.to_owned()));
        }
        if !self.missing_and_untested().0.is_empty() {
            lines.push((Level::WARN, how_to_grant(&self.consent)));
        }
        lines
    }

    /// The sentence for a dialog: what can be read, and what to do about the rest.
    pub fn sentence(&self) -> String {
        let works: Vec<_> = self.streams_that(|verdict| matches!(verdict, Verdict::Works { .. }));
        let mut parts = Vec::new();
        if !works.is_empty() {
            parts.push(format!("can read {}", listed(&works)));
        }
        if self.lists_no_team {
            parts.push(NO_TEAMS.to_owned());
        }
        let permissions = [true, false].map(|with_link| self.missing_permissions_sentence(with_link));
        let room = MAX_DIALOG.saturating_sub(parts.concat().len() + "; ".len());
        parts.extend(permissions.into_iter().flatten().find(|part| part.len() <= room));
        let mut others: Vec<(String, Vec<&str>)> = Vec::new();
        for (stream, verdict) in &self.streams {
            let Some(text) = in_short(verdict) else { continue };
            match others.iter_mut().find(|(known, _)| *known == text) {
                Some((_, streams)) => streams.push(stream.name),
                None => others.push((text, vec![stream.name])),
            }
        }
        parts.extend(others.into_iter().map(|(text, streams)| format!("{}: {text}", listed(&streams))));
        fit(parts)
    }

    /// All missing permissions in one part: they are granted in one place.
    fn missing_permissions_sentence(&self, with_link: bool) -> Option<String> {
        let (missing, untested) = self.missing_and_untested();
        let streams = self.streams_that(|verdict| {
            matches!(verdict, Verdict::Refused { reason: Reason::Refused(RefusalReason::MissingPermission(_)), .. })
        });
        let untested = if untested.is_empty() { String::new() } else { format!(" (possibly also {})", names(&untested)) };
        (!missing.is_empty()).then(|| {
            format!(
                "permission missing for {}: under App registrations > API permissions, add the application permission{} {}{untested} and \
                grant admin consent, there or at {}",
                listed(&streams),
                if missing.len() == 1 { "" } else { "s" },
                names(&missing),
                if with_link { &self.consent } else { "the link in the log" }
            )
        })
    }

    /// The missing permissions, and those that could not be tested.
    pub(super) fn missing_and_untested(&self) -> (Vec<&'static Permission>, Vec<&'static Permission>) {
        let (mut missing, mut untested) = (Vec::new(), Vec::new());
        for (_, verdict) in &self.streams {
            let Verdict::Refused { reason: Reason::Refused(RefusalReason::MissingPermission(lacking)), .. } = verdict else { continue };
            let MissingPermission { required, also_required, granted, .. } = lacking;
            missing.push(*required);
            if granted.is_some() { &mut missing } else { &mut untested }.extend(also_required);
        }
        let mut known = Vec::new();
        let mut is_new = |permission: &&'static Permission| {
            let is_new = !known.contains(permission);
            known.push(*permission);
            is_new
        };
        missing.retain(&mut is_new);
        untested.retain(&mut is_new);
        (missing, untested)
    }

    fn streams_that(&self, matches: impl Fn(&Verdict) -> bool) -> Vec<&'static str> {
        self.streams.iter().filter(|(_, verdict)| matches(verdict)).map(|(stream, _)| stream.name).collect()
    }
}

/// The verdict on a stream, as a log line.
fn in_full(verdict: &Verdict) -> (Level, String) {
    match verdict {
        Verdict::Works { unread } if unread.is_empty() => (Level::INFO, "works".to_owned()),
        Verdict::Works { unread } => {
            let rest = unread.iter().map(unread_sentence).collect::<Vec<_>>().join("; ");
            if unread.iter().any(Unread::is_not_found) {
                (Level::WARN, format!("works in part: {rest}"))
            } else {
                (Level::INFO, format!("works; {rest}"))
            }
        }
        Verdict::NotConfigured(options) => (Level::INFO, format!("not configured: {}", options_to_set(options))),
        Verdict::Refused { reason, source } => (Level::WARN, format!("{}. Graph's response: {source}", explanation(reason))),
        Verdict::Failed(error) => (Level::WARN, error.to_string()),
    }
}

/// What to do about a stream, as a part of a sentence. Missing permissions are reported together.
fn in_short(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Works { unread } => unread.first().map(unread_sentence),
        Verdict::NotConfigured(options) => Some(options_to_set(options)),
        Verdict::Refused { reason: Reason::Refused(RefusalReason::MissingPermission(_)), .. } => None,
        Verdict::Refused { reason: reason @ Reason::Refused(RefusalReason::Licence | RefusalReason::Policy), source } => {
            Some(format!("{} ({})", explanation(reason), shorten(&source.cause.to_string(), MAX_RESPONSE)))
        }
        Verdict::Refused { reason, .. } => Some(explanation(reason)),
        Verdict::Failed(error) => Some(shorten(&error.for_dialog(), MAX_ERROR)),
    }
}

fn explanation(reason: &Reason) -> String {
    match reason {
        Reason::Refused(RefusalReason::MissingPermission(missing)) => missing_permission(missing),
        Reason::Refused(refused) => refused.advice(),
        Reason::NotFound(parent) => not_found(parent),
    }
}

/// Names the missing permission. How to grant it is explained once for all streams.
fn missing_permission(missing: &MissingPermission) -> String {
    let MissingPermission { required, also_required, granted, insufficient, .. } = missing;
    let others: Vec<_> = also_required.iter().map(|permission| with_alternative(permission)).collect();
    if granted.is_none() {
        let others = if others.is_empty() { String::new() } else { format!("; not tested yet: {}", others.join(" and ")) };
        return format!("the application permission {} is probably missing{others}", with_alternative(required));
    }
    let others: String = others.iter().map(|other| format!(" or {other}")).collect();
    match missing.token_summary().filter(|_| !insufficient.is_empty()) {
        Some(summary) => format!("{summary}; it does not have the application permission {}{others}", required.least_privileged()),
        None => format!("the token does not have the application permission {}{others}", with_alternative(required)),
    }
}

/// What to do about options without which a stream is not configured.
pub fn options_to_set(options: &[String]) -> String {
    // Some are phrases, such as "a team in `team_id` that is not in `exclude`".
    let verb = if options.iter().all(|option| option.starts_with('`')) { "set" } else { "add" };
    format!("{verb} {}", options.join(", and "))
}

fn unread_sentence(unread: &Unread) -> String {
    match unread {
        Unread::NotFound(parent) => not_found(parent),
        Unread::SearchedByRun { level, ids } => {
            let above = level.above.map_or("", |above| above.plural);
            let more = if ids.len() > 1 { format!(" and {} more", ids.len() - 1) } else { String::new() };
            let id = ids.first().map(|id| shorten(id, MAX_ID)).unwrap_or_default();
            format!("check does not search for `{}` {id}{more}; a run searches all {above} that it reads", level.id)
        }
    }
}

fn not_found(parent: &ConfiguredParent) -> String {
    format!("`{}` {} was not found: {}", parent.level.id, shorten(&parent.id, MAX_ID), parent.advice())
}

impl ConfiguredParent {
    /// What to do about an id that was not found.
    pub(super) fn advice(&self) -> String {
        format!("use the link from {} in Teams; {}", self.level.copied_with, self.level.not_found_hint)
    }
}

/// A permission, and one that may be granted instead.
pub(super) fn with_alternative(permission: &Permission) -> String {
    let next = permission.alternative().map(|next| format!(" (or {next})")).unwrap_or_default();
    format!("{}{next}", permission.least_privileged())
}

pub(super) fn names(permissions: &[&Permission]) -> String {
    permissions.iter().map(|permission| permission.least_privileged()).collect::<Vec<_>>().join(", ")
}

fn how_to_grant(consent: &str) -> String {
    format!(
        "to grant a permission: in the Microsoft Entra admin center, open App registrations > the application > API permissions > Add a \
        permission > Microsoft Graph > Application permissions (not Delegated permissions). Then choose Grant admin consent, or ask an \
        administrator to open {consent} (if that page ends with the error AADSTS500113, consent was granted all the same). A permission that \
        is listed as Not granted only lacks consent. New permissions take effect after a few minutes: then check again"
    )
}

/// The sentence for a dialog, followed by as many remarks as fit.
pub fn with_remarks(mut sentence: String, remarks: &[String]) -> String {
    for remark in remarks {
        if sentence.chars().count() + "; ".len() + remark.chars().count() > MAX_DIALOG {
            break;
        }
        sentence.push_str("; ");
        sentence.push_str(remark);
    }
    sentence
}

/// The names of the first streams, and the number of the others.
fn listed(streams: &[&str]) -> String {
    match streams.split_at_checked(MAX_STREAMS) {
        Some((first, others)) if !others.is_empty() => format!("{} and {} more", first.join(", "), others.len()),
        _ => streams.join(", "),
    }
}

/// As many whole parts as fit. A part that is too long by itself is cut.
fn fit(parts: Vec<String>) -> String {
    const MORE: &str = "; see the log for the rest";
    let mut text = String::new();
    for part in parts {
        let part = shorten(&part, MAX_DIALOG - MORE.len() - "...".len());
        let length = text.chars().count() + part.chars().count() + "; ".len() + MORE.len();
        if !text.is_empty() && length > MAX_DIALOG {
            return text + MORE;
        }
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(&part);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        graph::{self, Cause},
        level::{CHANNEL, MESSAGE, TEAM},
        streams::MESSAGES,
    };

    #[test]
    fn the_sentence_for_a_dialog_is_short_with_any_number_of_streams() {
        let error = || graph::Error {
            request: "GET /v1.0/groups".to_owned(),
            cause: Cause::Transport("word ".repeat(400)),
            attempts: 1,
            client_request_id: None,
            is_later_page: false,
        };
        let parent = || ConfiguredParent { level: &CHANNEL, id: "19:".repeat(200) };
        let make: [fn(graph::Error, ConfiguredParent) -> Verdict; 6] = [
            |_, _| Verdict::Works { unread: Vec::new() },
            |_, parent| Verdict::Works { unread: vec![Unread::NotFound(parent)] },
            |_, parent| Verdict::Works { unread: vec![Unread::SearchedByRun { level: &MESSAGE, ids: vec![parent.id; 40] }] },
            |_, _| Verdict::NotConfigured(vec![format!("`{}` or `{}`", TEAM.id, TEAM.all); 12]),
            |error, parent| Verdict::Refused { reason: Reason::NotFound(parent), source: Box::new(error) },
            |error, _| Verdict::of("read the messages in channel c of team t", error, MESSAGES.permissions),
        ];
        for first in make {
            for others in make {
                let mut streams = vec![(&MESSAGES, first(error(), parent()))];
                streams.extend((1..40).map(|_| (&MESSAGES, others(error(), parent()))));
                let checkup = Checkup { streams, lists_no_team: true, consent: "https://login.example/adminconsent".to_owned() };
                let sentence = checkup.sentence();
                assert!((20..=MAX_DIALOG).contains(&sentence.chars().count()), "{sentence}");
            }
        }
    }
}
