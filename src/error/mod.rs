//! The errors that end a run or a stream, and who can fix each of them.

mod hint;
pub mod panic;
mod refused;

use std::{fmt, io, sync::Arc};

use chrono::{DateTime, Utc};

use crate::{
    config,
    graph::{self, FailureAction, Permission},
};
pub use refused::{MissingPermission, RefusalReason};

/// Maximum length of a message from Microsoft in a dialog, in characters.
const MAX_CAUSE_IN_DIALOG: usize = 160;

/// Why a run or a stream failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Config(#[from] config::Error),
    /// The configuration does not select any teams or channels.
    #[error("{0}")]
    Parents(String),
    /// A file that was passed on the command line cannot be used.
    #[error("cannot use the {what} file {path}: {reason}")]
    File {
        /// "configuration", "catalog", "state" or "client secret".
        what: &'static str,
        path: String,
        reason: String,
    },
    /// `client_secret_file` cannot be used here.
    #[error("`client_secret_file` {reason}; hint: {hint}")]
    SecretFile { reason: &'static str, hint: &'static str },
    /// The secret comes from the operator's environment, but its destination from a file that other users may edit.
    #[error(
        "check, discover and read do not send the client secret from the environment to a `login_url` or `graph_url` from the configuration \
        file, because other users may be able to edit that file; hint: set TAP_MICROSOFT_TEAMS_LOGIN_URL and TAP_MICROSOFT_TEAMS_GRAPH_URL \
        instead"
    )]
    ForeignHosts,
    /// An environment variable has an invalid value.
    #[error("{0}")]
    Environment(graph::ClientError),
    /// The catalog selects something that does not exist.
    #[error("{0}")]
    Catalog(String),
    #[error("cannot use the state: {0}")]
    State(String),
    /// Microsoft Entra did not issue a token.
    #[error("cannot sign in: {}{}{}", source.cause, source.attempts_note(), Hint(.hint))]
    SignIn { source: Box<graph::Error>, hint: Option<String> },
    /// A request to Graph failed.
    #[error("cannot {task}: {source}{}", Hint(.hint))]
    Graph {
        /// What failed, such as "list the members of team 02bd9fd6".
        task: String,
        source: Box<graph::Error>,
        hint: Option<String>,
        /// The missing permission that made Graph refuse, if that is certain.
        missing_permission: Option<&'static str>,
    },
    /// Graph refused access to every parent of a stream, or none of them exists.
    #[error("none of {count} teams or channels could be read; for example: {example}")]
    NoParentReadable {
        count: u64,
        /// The most informative of the errors.
        example: Arc<Error>,
    },
    /// Some items cannot be converted to records.
    #[error("could not {task} completely: {count} items are malformed (not an object, or no usable id), even after a retry")]
    MalformedItems { task: String, count: u64 },
    /// Graph did not return anything older than a certain time, because its pages repeated.
    #[error(
        "could not {task} completely: everything older than {than} is missing, because Graph's pages began to repeat before reaching it on {at}; hint: \
        a run that starts more than a day later tries again; please report this if the error persists"
    )]
    HistoryIncomplete {
        task: String,
        /// How far back the channel was read.
        than: DateTime<Utc>,
        /// When the pages repeated.
        at: DateTime<Utc>,
    },
    /// Some records are larger than `max_record_mb`.
    #[error(
        "could not {task} completely: {count} records are larger than {} MiB (`max_record_mb`) and were skipped; \
        hint: if your destination accepts larger records, raise `max_record_mb` and run a full refresh of the stream",
        .limit >> 20
    )]
    TooLarge {
        task: String,
        count: u64,
        /// Maximum bytes of a record.
        limit: usize,
    },
    /// A configured id was not found in any of the teams or channels that could contain it.
    #[error("{id} was not found in any of the teams and channels that are read for {stream}; hint: check the id")]
    NotFound {
        /// The id of the channel or message.
        id: String,
        stream: &'static str,
    },
    /// Graph returned 404 for a list of a team that exists.
    #[error(
        "cannot list the {stream} of team {team}, although the team exists: {source}; hint: one broken item, such as a member who was deleted \
        from the directory, can make Graph fail the whole list: run again; if the error persists, add {team} to `exclude`, or to `exclude` in \
        `stream_options.{stream}`"
    )]
    ListOfTeam { stream: &'static str, team: String, source: Box<graph::Error> },
    /// Graph's list of teams omits teams that exist.
    #[error(
        "the list of teams is incomplete: Graph omits {count} teams that exist, such as team {team}; what earlier runs found in them was \
        read; hint: run again; if the error persists, contact Microsoft support, or add the teams to `exclude`"
    )]
    TeamsNotListed {
        count: u64,
        /// One of the teams.
        team: String,
    },
    /// The list of a team's channels was empty twice, but every team has a channel.
    #[error("cannot list the channels of team {team}: Graph returned no channels, but every team has at least one; hint: run again")]
    NoChannels { team: String },
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// The machine has run out of threads, file handles or memory.
    #[error("{0}; hint: check the limits of this machine, such as `ulimit -n`, `ulimit -u` and its memory")]
    Machine(String),
    #[error("{0}; hint: this is a bug in tap-microsoft-teams, please report it")]
    Internal(String),
}

/// Who can fix an error. This determines whether a retry can help.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Fault {
    /// Temporary: a later run may succeed.
    Transient,
    /// The user must change something.
    User,
    /// A bug, or something that this program cannot handle.
    Program,
}

struct Hint<'a>(&'a Option<String>);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |hint| write!(formatter, "; hint: {hint}"))
    }
}

impl Error {
    pub fn fault(&self) -> Fault {
        match self {
            Self::Config(_)
            | Self::Parents(_)
            | Self::File { .. }
            | Self::SecretFile { .. }
            | Self::ForeignHosts
            | Self::Environment(_)
            | Self::Catalog(_)
            | Self::State(_)
            | Self::NotFound { .. } => Fault::User,
            Self::Graph { source, .. } | Self::SignIn { source, .. } if source.is_transient() => Fault::Transient,
            Self::SignIn { .. } => Fault::User,
            Self::Graph { source, .. } if source.is_later_page_refusal() => Fault::Program,
            Self::Graph { source, .. } => match source.cause {
                graph::Cause::ForeignLink(_) | graph::Cause::EndlessPaging(_) => Fault::Program,
                _ => Fault::User,
            },
            Self::NoParentReadable { example, .. } => example.fault(),
            Self::TooLarge { .. } => Fault::User,
            Self::TeamsNotListed { .. } | Self::NoChannels { .. } | Self::Machine(_) => Fault::Transient,
            Self::ListOfTeam { .. }
            | Self::MalformedItems { .. }
            | Self::HistoryIncomplete { .. }
            | Self::Output(_)
            | Self::Internal(_) => Fault::Program,
        }
    }

    /// How the error affects the parent, the stream and the run.
    pub fn action(&self) -> FailureAction {
        match self {
            Self::Graph { source, .. } | Self::SignIn { source, .. } => source.action(),
            _ => FailureAction::FailStream,
        }
    }

    /// Whether the request was not sent, because Graph is rate-limiting requests of its kind.
    pub fn was_skipped(&self) -> bool {
        matches!(self, Self::Graph { source, .. } if matches!(source.cause, graph::Cause::RateLimited(_)))
    }

    /// Whether the run must end: without a token every request would fail.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::SignIn { .. })
    }

    /// Whether Graph refused because of a missing permission (403).
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Graph { source, .. } if source.is_forbidden())
    }

    /// Whether the resource does not exist (404).
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Graph { source, .. } if source.is_not_found())
    }

    /// The program panicked.
    pub fn panicked() -> Self {
        Self::Internal(format!("the program panicked at {}", panic::location().unwrap_or("an unknown location")))
    }

    /// Creates the error for a failed request to Graph. The task, such as "list the members of team 02bd9fd6", requires all of the permissions.
    pub fn graph(task: impl Into<String>, source: graph::Error, permissions: &[&'static Permission]) -> Self {
        let reason = RefusalReason::from_error(&source, permissions);
        let missing_permission = match &reason {
            Some(RefusalReason::MissingPermission(missing)) if missing.is_certain => Some(missing.required.least_privileged()),
            _ => None,
        };
        let hint = reason.map(|reason| reason.advice()).or_else(|| hint::for_request(&source));
        let source = Box::new(source);
        match source.cause {
            graph::Cause::SignIn(_) => Self::SignIn { source, hint },
            _ => Self::Graph { task: task.into(), source, hint, missing_permission },
        }
    }

    /// The missing permission that made Graph refuse, if that is certain. Graph then refuses all requests of this kind.
    pub fn missing_permission(&self) -> Option<&'static str> {
        match self {
            Self::Graph { missing_permission, .. } => *missing_permission,
            _ => None,
        }
    }

    /// Adds a hint on how to exclude this team or channel, if requests for it always fail.
    #[must_use]
    pub fn with_exclude_hint(mut self, parent: &str) -> Self {
        if let Self::Graph { source, hint, .. } = &mut self
            && hint::is_specific_to_parent(source)
        {
            let exclude = format!("to read the rest, add {parent} to `exclude`");
            *hint = match hint.take() {
                None => Some(exclude),
                Some(known) if known.ends_with(&exclude) => Some(known),
                Some(known) => Some(format!("{known}; {exclude}")),
            };
        }
        self
    }

    /// The message for a dialog: the hint first, then a shortened cause.
    pub fn for_dialog(&self) -> String {
        let cause = |source: &graph::Error| shorten(&source.cause.to_string(), MAX_CAUSE_IN_DIALOG);
        match self {
            Self::SignIn { source, hint: Some(hint) } => format!("cannot sign in: {hint} ({})", cause(source)),
            Self::SignIn { source, hint: None } => format!("cannot sign in: {}", cause(source)),
            Self::Graph { task, source, hint: Some(hint), .. } => format!("cannot {task}: {hint} ({})", cause(source)),
            Self::Graph { task, source, hint: None, .. } => format!("cannot {task}: {}", cause(source)),
            _ => self.to_string(),
        }
    }
}

/// Shortens a string to a maximum number of characters, at the end of a word if possible, and appends "...".
pub fn shorten(text: &str, max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(max) else { return text.to_owned() };
    let words = text[..end].rfind(' ').filter(|&space| space > end / 2).unwrap_or(end);
    format!("{}...", text[..words].trim_end_matches([' ', '.', ',', ';', ':', '(']))
}
