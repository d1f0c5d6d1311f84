//! What a check found, in words: a line for each stream, and one sentence for all.

use tracing::Level;

use super::verdict::{Checkup, Parent, Unread, Verdict, Why};
use crate::{
    error::{Lacks, Refused, beginning},
    graph::Permission,
    read::outcome::NO_TEAMS,
    streams::Stream,
};

/// A dialog shows so many characters well.
const OF_A_DIALOG: usize = 500;

/// It has at most so many names of streams in a row, ...
const STREAMS_IN_A_ROW: usize = 8;

/// ... and at most so many characters of an error, of what Graph said, and of an id.
const OF_AN_ERROR: usize = 300;
const OF_GRAPH: usize = 120;
const OF_AN_ID: usize = 80;

impl Checkup {
    /// Everything, for a log: a line for each stream, with what Graph said and the id of the request; then how a permission is granted.
    pub fn lines(&self) -> Vec<(Level, String)> {
        let mut told: Vec<(&Stream, Level, String)> = Vec::new();
        for (stream, verdict) in &self.streams {
            let (level, text) = in_full(verdict);
            let same = told.iter().find(|(_, _, known)| level == Level::WARN && *known == text);
            let text = same.map_or(text, |(other, ..)| format!("the same as {}", other.name));
            told.push((*stream, level, text));
        }
        let mut lines: Vec<_> = told.into_iter().map(|(stream, level, text)| (level, format!("{}: {text}", stream.name))).collect();
        if self.lists_no_team {
            lines.push((Level::WARN, NO_TEAMS.to_owned()));
        }
        if !self.lacking().0.is_empty() {
            lines.push((Level::WARN, how_to_grant(&self.consent)));
        }
        lines
    }

    /// The whole in short, for a dialog: what can be read, and what to do about the rest.
    pub fn sentence(&self) -> String {
        let works: Vec<_> = self.streams_that(|verdict| matches!(verdict, Verdict::Works { .. }));
        let mut parts = Vec::new();
        if !works.is_empty() {
            parts.push(format!("can read {}", listed(&works)));
        }
        if self.lists_no_team {
            parts.push(NO_TEAMS.to_owned());
        }
        let permissions = [true, false].map(|with_link| self.of_permissions(with_link));
        let room = OF_A_DIALOG.saturating_sub(parts.concat().len() + "; ".len());
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

    /// All permissions that are missing, in one part: they are granted in one place.
    fn of_permissions(&self, with_link: bool) -> Option<String> {
        let (missing, untried) = self.lacking();
        let streams = self.streams_that(|verdict| matches!(verdict, Verdict::Refused { why: Why::Refused(Refused::Lacks(_)), .. }));
        let untried = if untried.is_empty() { String::new() } else { format!(" (and, unless it is there, {})", names(&untried)) };
        (!missing.is_empty()).then(|| {
            format!(
                "no permission for {}: under App registrations > API permissions, add the application permission{} {}{untried}, and grant \
                admin consent, there or at {}",
                listed(&streams),
                if missing.len() == 1 { "" } else { "s" },
                names(&missing),
                if with_link { &self.consent } else { "the link in the log" }
            )
        })
    }

    /// The permissions that are missing, and those that could not be tried.
    fn lacking(&self) -> (Vec<&'static Permission>, Vec<&'static Permission>) {
        let (mut missing, mut untried) = (Vec::new(), Vec::new());
        for (_, verdict) in &self.streams {
            let Verdict::Refused { why: Why::Refused(Refused::Lacks(lacks)), .. } = verdict else { continue };
            let Lacks { wants, behind, has, .. } = lacks;
            missing.push(*wants);
            if has.is_some() { &mut missing } else { &mut untried }.extend(behind);
        }
        let mut known = Vec::new();
        let mut is_new = |permission: &&'static Permission| {
            let is_new = !known.contains(permission);
            known.push(*permission);
            is_new
        };
        missing.retain(&mut is_new);
        untried.retain(&mut is_new);
        (missing, untried)
    }

    fn streams_that(&self, is_meant: impl Fn(&Verdict) -> bool) -> Vec<&'static str> {
        self.streams.iter().filter(|(_, verdict)| is_meant(verdict)).map(|(stream, _)| stream.name).collect()
    }
}

/// What becomes of a stream, as a line of a log.
fn in_full(verdict: &Verdict) -> (Level, String) {
    match verdict {
        Verdict::Works { unread } if unread.is_empty() => (Level::INFO, "works".to_owned()),
        Verdict::Works { unread } => {
            let rest = unread.iter().map(of_unread).collect::<Vec<_>>().join("; ");
            if unread.iter().any(|unread| matches!(unread, Unread::NotFound(_))) {
                (Level::WARN, format!("works, but not all of it: {rest}"))
            } else {
                (Level::INFO, format!("works; {rest}"))
            }
        }
        Verdict::NotConfigured(options) => (Level::INFO, format!("not configured: {}", of_options(options))),
        Verdict::Refused { why, source } => (Level::WARN, format!("{}. Graph said: {source}", reason(why))),
        Verdict::Failed(error) => (Level::WARN, error.to_string()),
    }
}

/// What to do for a stream, as a part of a sentence; permissions are said together.
fn in_short(verdict: &Verdict) -> Option<String> {
    match verdict {
        Verdict::Works { unread } => unread.first().map(of_unread),
        Verdict::NotConfigured(options) => Some(of_options(options)),
        Verdict::Refused { why: Why::Refused(Refused::Lacks(_)), .. } => None,
        Verdict::Refused { why: why @ Why::Refused(Refused::Licence | Refused::Policy), source } => {
            Some(format!("{} ({})", reason(why), beginning(&source.cause.to_string(), OF_GRAPH)))
        }
        Verdict::Refused { why, .. } => Some(reason(why)),
        Verdict::Failed(error) => Some(beginning(&error.in_short(), OF_AN_ERROR)),
    }
}

fn reason(why: &Why) -> String {
    match why {
        Why::Refused(Refused::Lacks(lacks)) => of_lacks(lacks),
        Why::Refused(refused) => refused.advice(),
        Why::NotFound(parent) => of_parent(parent),
    }
}

/// The permission that is missing; how to grant it is explained once for all streams.
fn of_lacks(lacks: &Lacks) -> String {
    let Lacks { wants, behind, has, instead, .. } = lacks;
    let others: Vec<_> = behind.iter().map(|permission| described(permission)).collect();
    if has.is_none() {
        let others = if others.is_empty() { String::new() } else { format!("; not tried yet is {}", others.join(" and ")) };
        return format!("what is missing is probably the application permission {}{others}", described(wants));
    }
    let others: String = others.iter().map(|other| format!(", nor {other}")).collect();
    match lacks.held().filter(|_| !instead.is_empty()) {
        Some(held) => format!("{held}; it does not have the application permission {}{others}", wants.least()),
        None => format!("the token does not have the application permission {}{others}", described(wants)),
    }
}

fn of_options(options: &[String]) -> String {
    format!("add {}", options.join(", and "))
}

fn of_unread(unread: &Unread) -> String {
    match unread {
        Unread::NotFound(parent) => of_parent(parent),
        Unread::Sought { level, ids } => {
            let above = level.above.map_or("", |above| above.plural);
            let more = if ids.len() > 1 { format!(" and {} more", ids.len() - 1) } else { String::new() };
            let id = ids.first().map(|id| beginning(id, OF_AN_ID)).unwrap_or_default();
            format!("a run looks for `{}` {id}{more} in all {above} that are read, a check does not", level.id)
        }
    }
}

fn of_parent(parent: &Parent) -> String {
    let Parent { level, id } = parent;
    let id = beginning(id, OF_AN_ID);
    format!("`{}` {id} was not found: give the link that Teams copies with {}; {}", level.id, level.copied_with, level.pitfall)
}

/// A permission, and what would do as well.
fn described(permission: &Permission) -> String {
    let next = permission.next().map(|next| format!(" (or {next})")).unwrap_or_default();
    format!("{}{next}", permission.least())
}

fn names(permissions: &[&Permission]) -> String {
    permissions.iter().map(|permission| permission.least()).collect::<Vec<_>>().join(", ")
}

fn how_to_grant(consent: &str) -> String {
    format!(
        "to grant a permission: in the Microsoft Entra admin center, App registrations > the application > API permissions > Add a permission > \
        Microsoft Graph > Application permissions (not Delegated permissions). Then Grant admin consent there, or have an administrator open \
        {consent} (if an error AADSTS500113 follows, the consent is given all the same). What is listed there as Not granted lacks the consent \
        only. After some minutes the tokens have the permission: check again"
    )
}

/// The sentence of a dialog, and behind it as many remarks as there is room for.
pub fn with_remarks(mut sentence: String, remarks: &[String]) -> String {
    for remark in remarks {
        if sentence.chars().count() + "; ".len() + remark.chars().count() > OF_A_DIALOG {
            break;
        }
        sentence.push_str("; ");
        sentence.push_str(remark);
    }
    sentence
}

/// The names of the first streams, and how many there are.
fn listed(streams: &[&str]) -> String {
    match streams.split_at_checked(STREAMS_IN_A_ROW) {
        Some((first, others)) if !others.is_empty() => format!("{} and {} more", first.join(", "), others.len()),
        _ => streams.join(", "),
    }
}

/// As many parts as fit, each of them whole but for a first one that is too long.
fn fit(parts: Vec<String>) -> String {
    const MORE: &str = "; the log says more";
    let mut text = String::new();
    for part in parts {
        let part = beginning(&part, OF_A_DIALOG - MORE.len() - "...".len());
        let length = text.chars().count() + part.chars().count() + "; ".len() + MORE.len();
        if !text.is_empty() && length > OF_A_DIALOG {
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
    fn a_dialog_is_short_however_many_streams_there_are() {
        let error = || graph::Error {
            request: "GET /v1.0/groups".to_owned(),
            cause: Cause::Transport("word ".repeat(400)),
            attempts: 1,
            client_request_id: None,
            is_later_page: false,
        };
        let parent = || Parent { level: &CHANNEL, id: "19:".repeat(200) };
        let make: [fn(graph::Error, Parent) -> Verdict; 6] = [
            |_, _| Verdict::Works { unread: Vec::new() },
            |_, parent| Verdict::Works { unread: vec![Unread::NotFound(parent)] },
            |_, parent| Verdict::Works { unread: vec![Unread::Sought { level: &MESSAGE, ids: vec![parent.id; 40] }] },
            |_, _| Verdict::NotConfigured(vec![format!("`{}` or `{}`", TEAM.id, TEAM.all); 12]),
            |error, parent| Verdict::Refused { why: Why::NotFound(parent), source: Box::new(error) },
            |error, _| Verdict::of("read the messages of channel c of team t", error, MESSAGES.permissions),
        ];
        for first in make {
            for others in make {
                let mut streams = vec![(&MESSAGES, first(error(), parent()))];
                streams.extend((1..40).map(|_| (&MESSAGES, others(error(), parent()))));
                let checkup = Checkup { streams, lists_no_team: true, consent: "https://login.example/adminconsent".to_owned() };
                let sentence = checkup.sentence();
                assert!((20..=OF_A_DIALOG).contains(&sentence.chars().count()), "{sentence}");
            }
        }
    }
}
