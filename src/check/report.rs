//! The result of a check for a terminal: a line for each stream, then each problem once, with what to do.

use super::{
    messages::{MAX_ID, names, options_to_set, with_alternative},
    verdict::{Checkup, ConfiguredParent, Reason, Unread, Verdict},
};
use crate::{
    error::{Error, Fault, MissingPermission, RefusalReason, shorten},
    graph::{self, Cause},
    read::outcome::NO_TEAMS,
};

/// The maximum length, in characters, of an error in the line of a stream.
const MAX_ERROR: usize = 80;

/// What a check prints on a terminal.
#[derive(Debug)]
pub struct Report {
    pub streams: Vec<StreamLine>,
    pub problems: Vec<Problem>,
}

/// The result for one stream, in a few words.
#[derive(Debug)]
pub struct StreamLine {
    pub stream: &'static str,
    pub status: Status,
    pub text: String,
}

/// How serious a result is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
    Works,
    /// Only a part can be read.
    Partly,
    Fails,
    NotConfigured,
}

/// One cause, with all streams that it affects.
#[derive(Debug)]
pub struct Problem {
    pub status: Status,
    pub title: String,
    /// The affected streams; empty if it is a problem of the whole configuration.
    pub streams: Vec<&'static str>,
    /// What to do, one paragraph each.
    pub advice: Vec<String>,
    /// The failed requests, with their ids.
    pub requests: Vec<String>,
}

impl Checkup {
    /// The result for a terminal.
    pub fn report(&self) -> Report {
        let lines = self.streams.iter().map(|(stream, verdict)| {
            let (status, text) = summary(verdict);
            StreamLine { stream: stream.name, status, text }
        });
        let mut problems: Vec<_> = self.missing_permissions().into_iter().collect();
        for (stream, verdict) in &self.streams {
            for problem in problems_of(verdict) {
                match problems.iter_mut().find(|known| known.title == problem.title && known.advice == problem.advice) {
                    Some(known) => known.add(stream.name, problem.requests),
                    None => problems.push(Problem { streams: vec![stream.name], ..problem }),
                }
            }
        }
        problems.extend(self.lists_no_team.then(|| Problem::from_message(Status::Partly, NO_TEAMS)));
        Report { streams: lines.collect(), problems }
    }

    /// All missing permissions in one problem: they are granted in one place.
    fn missing_permissions(&self) -> Option<Problem> {
        let (missing, untested) = self.missing_and_untested();
        let (first, rest) = missing.split_first()?;
        let title = if rest.is_empty() { "missing permission" } else { "missing permissions" };
        let mut problem = Problem::new(Status::Fails, title.to_owned());
        problem.advice.extend([*first].iter().chain(rest).map(|permission| format!("- {}", with_alternative(permission))));
        if !untested.is_empty() {
            problem.advice.push(format!("Not tested yet, so possibly missing too: {}.", names(&untested)));
        }
        for (stream, verdict) in &self.streams {
            let Verdict::Refused { reason: Reason::Refused(RefusalReason::MissingPermission(missing)), source } = verdict else { continue };
            if let Some(summary) = missing.token_summary().filter(|_| !missing.insufficient.is_empty())
                && !problem.advice.contains(&summary)
            {
                problem.advice.push(summary);
            }
            problem.add(stream.name, vec![source.to_string()]);
        }
        let them = if rest.is_empty() { "it" } else { "them" };
        problem.advice.extend([
            format!(
                "Add {them} in the Microsoft Entra admin center: App registrations > the application > API permissions > Add a permission > \
                Microsoft Graph > Application permissions (not Delegated permissions). Then choose Grant admin consent, or ask an administrator \
                to open"
            ),
            self.consent.clone(),
            "If that page ends with the error AADSTS500113, consent was granted all the same. New permissions take effect after a few \
            minutes: then check again."
                .to_owned(),
        ]);
        Some(problem)
    }
}

impl Report {
    /// The number of streams that work, as a sentence.
    pub fn verdict(&self) -> String {
        let count = |status: Status| self.streams.iter().filter(|line| line.status == status).count();
        let partly = Some(count(Status::Partly)).filter(|partly| *partly > 0);
        let partly = partly.map(|partly| format!(", {partly} in part")).unwrap_or_default();
        let (working, all) = (count(Status::Works), self.streams.len());
        format!("{working} of {all} streams {}{partly}", if working == 1 { "works" } else { "work" })
    }
}

impl Problem {
    fn new(status: Status, title: String) -> Self {
        Self { status, title, streams: Vec::new(), advice: Vec::new(), requests: Vec::new() }
    }

    /// From a message that may end with a hint.
    pub fn from_message(status: Status, message: &str) -> Self {
        let (title, hint) = message.split_once("; hint: ").map_or((message, None), |(title, hint)| (title, Some(hint)));
        let mut problem = Self::new(status, title.to_owned());
        problem.advice.extend(hint.map(|hint| format!("hint: {hint}")));
        problem
    }

    /// From an error. The ids of the failed request are kept apart from the message.
    pub fn from_error(error: &Error) -> Self {
        let (Error::Graph { source, .. } | Error::SignIn { source, .. } | Error::ListOfTeam { source, .. }) = error else {
            return Self::from_message(Status::Fails, &error.to_string());
        };
        let full = source.to_string();
        let mut problem = Self::from_message(Status::Fails, &error.to_string().replace(&full, &without_ids(source)));
        if problem.advice.is_empty() && error.fault() == Fault::Transient {
            problem.advice.push("hint: this is probably temporary: check again in a few minutes".to_owned());
        }
        problem.requests.push(full);
        problem
    }

    fn add(&mut self, stream: &'static str, requests: Vec<String>) {
        self.streams.push(stream);
        let new: Vec<_> = requests.into_iter().filter(|request| !self.requests.contains(request)).collect();
        self.requests.extend(new);
    }
}

/// The line of a stream.
fn summary(verdict: &Verdict) -> (Status, String) {
    match verdict {
        Verdict::Works { unread } => {
            let missing: Vec<_> = unread.iter().filter_map(not_found).collect();
            match missing.as_slice() {
                [] => (Status::Works, "works".to_owned()),
                [parent] => (Status::Partly, format!("works, but {}", title_of_missing(parent))),
                missing => (Status::Partly, format!("works, but {} configured ids were not found", missing.len())),
            }
        }
        Verdict::NotConfigured(options) => (Status::NotConfigured, format!("not configured: {}", options_to_set(options))),
        Verdict::Refused { reason, source } => (Status::Fails, refusal(reason, source)),
        Verdict::Failed(error) => (Status::Fails, format!("cannot be read: {}", failure(error))),
    }
}

fn refusal(reason: &Reason, source: &graph::Error) -> String {
    match reason {
        Reason::Refused(RefusalReason::MissingPermission(MissingPermission { required, also_required, granted: Some(_), .. })) => {
            let names = names(&[&[*required], also_required.as_slice()].concat());
            format!("needs the {names} permission{}", if also_required.is_empty() { "" } else { "s" })
        }
        Reason::Refused(RefusalReason::MissingPermission(missing)) => {
            format!("probably needs the {} permission", missing.required.least_privileged())
        }
        Reason::Refused(RefusalReason::Licence) => "needs a licence".to_owned(),
        Reason::Refused(RefusalReason::Policy) => "blocked by a tenant policy".to_owned(),
        Reason::Refused(RefusalReason::DespitePermission(_)) => format!("refused: {}", status_line(source)),
        Reason::NotFound(parent) => title_of_missing(parent),
    }
}

/// What went wrong, in a few words.
fn failure(error: &Error) -> String {
    match error {
        Error::Graph { source, .. } | Error::SignIn { source, .. } | Error::ListOfTeam { source, .. } => status_line(source),
        error => shorten(&error.to_string(), MAX_ERROR),
    }
}

/// Such as `503 Service Unavailable`.
fn status_line(source: &graph::Error) -> String {
    let cause = source.cause.to_string();
    shorten(cause.split(" (").next().unwrap_or_default(), MAX_ERROR)
}

/// The problems of a stream; missing permissions are a problem of all streams together.
fn problems_of(verdict: &Verdict) -> Vec<Problem> {
    match verdict {
        Verdict::Works { unread } => unread.iter().map(problem_of_unread).collect(),
        Verdict::NotConfigured(_) | Verdict::Refused { reason: Reason::Refused(RefusalReason::MissingPermission(_)), .. } => Vec::new(),
        Verdict::Refused { reason, source } => {
            let mut problem = match reason {
                Reason::NotFound(parent) => problem_of_missing(Status::Fails, parent),
                Reason::Refused(refused) => {
                    let mut problem = Problem::new(Status::Fails, format!("Graph refused: {}", without_ids(source)));
                    let ids = if matches!(refused, RefusalReason::DespitePermission(_)) { " (--debug shows the ids)" } else { "" };
                    problem.advice.push(format!("hint: {}{ids}", refused.advice()));
                    problem
                }
            };
            problem.requests.push(source.to_string());
            vec![problem]
        }
        Verdict::Failed(error) => vec![Problem::from_error(error)],
    }
}

fn problem_of_unread(unread: &Unread) -> Problem {
    match unread {
        Unread::NotFound(parent) => problem_of_missing(Status::Partly, parent),
        Unread::SearchedByRun { level, ids } => {
            let above = level.above.map_or("", |above| above.plural);
            let id = ids.first().map(|id| shorten(id, MAX_ID)).unwrap_or_default();
            let more = if ids.len() > 1 { format!(" and {} more", ids.len() - 1) } else { String::new() };
            let mut problem = Problem::new(Status::NotConfigured, format!("not checked: `{}` {id}{more}", level.id));
            problem.advice.push(format!("Only a run searches all {above} for such an id."));
            problem
        }
    }
}

fn problem_of_missing(status: Status, parent: &ConfiguredParent) -> Problem {
    let mut problem = Problem::new(status, title_of_missing(parent));
    problem.advice.push(format!("hint: {}", parent.advice()));
    problem
}

fn title_of_missing(ConfiguredParent { level, id }: &ConfiguredParent) -> String {
    format!("`{}` {} was not found", level.id, shorten(id, MAX_ID))
}

fn not_found(unread: &Unread) -> Option<&ConfiguredParent> {
    match unread {
        Unread::NotFound(parent) => Some(parent),
        Unread::SearchedByRun { .. } => None,
    }
}

/// What stopped a request, without its path and ids.
fn without_ids(source: &graph::Error) -> String {
    let cause = match &source.cause {
        Cause::ErrorStatus(refusal) => Cause::ErrorStatus(graph::ErrorResponse { request_id: None, ..refusal.clone() }),
        cause => cause.clone(),
    };
    format!("{cause}{}", source.attempts_note())
}
