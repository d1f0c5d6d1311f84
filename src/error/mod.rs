//! What a run can end with, and whose fault it is.

mod hint;
pub mod panic;
mod refused;

use std::{fmt, io, sync::Arc};

use chrono::{DateTime, Utc};

use crate::{
    config,
    graph::{self, Permission, Verdict},
};
pub use refused::{Lacks, Refused};

/// So many characters of what Microsoft said are told in a dialog.
const OF_A_DIALOG: usize = 160;

/// Why a run, or one of its streams, did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is wrong.
    #[error("{0}")]
    Config(#[from] config::Error),
    /// The configuration does not specify what to read.
    #[error("{0}")]
    Parents(String),
    /// A file that was named on the command line cannot be used.
    #[error("cannot use the {what} file {path}: {reason}")]
    File {
        /// configuration, catalog, state or client secret.
        what: &'static str,
        /// Its path.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file with the secret cannot be named so.
    #[error("`client_secret_file` {reason}; hint: {hint}")]
    SecretFile {
        /// What is wrong.
        reason: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// The secret is the operator's, and where it would be sent is said by a file that others may write.
    #[error(
        "the secret of the environment is not sent by check, discover and read to a `login_url` or `graph_url` of a configuration file, which \
        others than the owner of the machine may write; hint: set TAP_MICROSOFT_TEAMS_LOGIN_URL and TAP_MICROSOFT_TEAMS_GRAPH_URL instead"
    )]
    ForeignHosts,
    /// The environment names something that cannot be used.
    #[error("{0}")]
    Environment(graph::NoClient),
    /// A catalog asks for what there is not.
    #[error("{0}")]
    Catalog(String),
    /// The state that a run was given is none.
    #[error("cannot use the state: {0}")]
    State(String),
    /// Microsoft Entra did not give a token.
    #[error("cannot sign in: {}{}{}", source.cause, source.tries(), Hint(.hint))]
    SignIn {
        /// What Microsoft Entra said.
        source: Box<graph::Error>,
        /// What to do.
        hint: Option<String>,
    },
    /// Graph did not give what was asked.
    #[error("cannot {task}: {source}{}", Hint(.hint))]
    Graph {
        /// What was tried, on which team or channel.
        task: String,
        /// What Graph said.
        source: Box<graph::Error>,
        /// What to do.
        hint: Option<String>,
        /// The permission for want of which Graph has refused, if that is certain.
        lacks: Option<&'static str>,
    },
    /// Every parent of a stream was refused or is missing.
    #[error("none of {count} parents can be read; one of them: {one}")]
    NoParent {
        /// How many there are.
        count: u64,
        /// The refusal that says most.
        one: Arc<Error>,
    },
    /// Graph gave items that no record can be made of.
    #[error("could not {task} in full: {count} items are no objects or have no usable id, also when asked again")]
    Damaged {
        /// What was tried, on which team or channel.
        task: String,
        /// How many.
        count: u64,
    },
    /// Graph did not give what is older than all that was read.
    #[error(
        "could not {task} in full: what is older than {than} is missing, since Graph's pages went round before it on {at}; hint: a run that \
        begins a day after that asks for it again; please report it if it stays"
    )]
    Older {
        /// What was tried, on which team or channel.
        task: String,
        /// How far back it was read.
        than: DateTime<Utc>,
        /// When Graph did not give it.
        at: DateTime<Utc>,
    },
    /// Graph gave items whose records are larger than is allowed.
    #[error(
        "could not {task} in full: {count} records are larger than {} MiB (`max_record_mb`) and were left out; \
        hint: raise `max_record_mb`, if your destination takes such records, and read the stream in full once",
        .limit >> 20
    )]
    TooLarge {
        /// What was tried, on which team or channel.
        task: String,
        /// How many.
        count: u64,
        /// The most bytes of a record.
        limit: usize,
    },
    /// An id that is configured was looked for in all its possible parents, and is in none.
    #[error("{id} was not found in any of the teams and channels that are read for {stream}; hint: look at the ids")]
    NotFound {
        /// The id of the channel or message.
        id: String,
        /// The stream that was to be read from it.
        stream: &'static str,
    },
    /// Graph says that a list does not exist, of a team that does.
    #[error(
        "cannot list the {stream} of team {team}, which exists: {source}; hint: Graph gives no list if it stumbles over an item, such as a member \
        who was deleted from the directory: run again; if it stays so, add {team} to `exclude`, or to that of `stream_options.{stream}`"
    )]
    ListOfTeam {
        /// The stream whose list it is.
        stream: &'static str,
        /// The team.
        team: String,
        /// What Graph said.
        source: Box<graph::Error>,
    },
    /// Graph does not list teams that exist.
    #[error(
        "the list of teams is not complete: Graph leaves out {count} that exist, such as team {team}; what is known of them was read; \
        hint: run again; if it stays so, tell Microsoft's support, or add the teams to `exclude`"
    )]
    TeamsNotListed {
        /// How many.
        count: u64,
        /// One of them.
        team: String,
    },
    /// The list of a team's channels came empty, twice; every team has one.
    #[error("cannot list the channels of team {team}: Graph says that there are none, which no team has; hint: run again")]
    NoChannels {
        /// The team.
        team: String,
    },
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    /// The machine does not give what the program needs to run.
    #[error("{0}; hint: look at the limits of the machine, such as `ulimit -n`, `ulimit -u` and its memory")]
    Machine(String),
    /// The program is at fault.
    #[error("{0}; hint: this is a bug of tap-microsoft-teams, please report it")]
    Internal(String),
}

/// Whose fault it is, which decides whether trying again can help.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Fault {
    /// The moment's: trying again later may help.
    Moment,
    /// The user's: something must be changed.
    User,
    /// The program's.
    Program,
}

struct Hint<'a>(&'a Option<String>);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |hint| write!(formatter, "; hint: {hint}"))
    }
}

impl Error {
    /// Whose fault it is.
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
            Self::Graph { source, .. } | Self::SignIn { source, .. } if source.is_transient() => Fault::Moment,
            Self::SignIn { .. } => Fault::User,
            Self::Graph { source, .. } if source.is_refused_later() => Fault::Program,
            Self::Graph { source, .. } => match source.cause {
                graph::Cause::ForeignLink(_) | graph::Cause::EndlessPaging(_) => Fault::Program,
                _ => Fault::User,
            },
            Self::NoParent { one, .. } => one.fault(),
            Self::TooLarge { .. } => Fault::User,
            Self::TeamsNotListed { .. } | Self::NoChannels { .. } | Self::Machine(_) => Fault::Moment,
            Self::ListOfTeam { .. } | Self::Damaged { .. } | Self::Older { .. } | Self::Output(_) | Self::Internal(_) => Fault::Program,
        }
    }

    /// What it means for what was to be read.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Graph { source, .. } | Self::SignIn { source, .. } => source.verdict(),
            _ => Verdict::FailStream,
        }
    }

    /// Whether Graph was not asked, since it wants to be left alone.
    pub fn is_unasked(&self) -> bool {
        matches!(self, Self::Graph { source, .. } if matches!(source.cause, graph::Cause::Closed(_)))
    }

    /// Whether nothing more can be read: without a token every request would meet the same.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::SignIn { .. })
    }

    /// Whether Graph refused for want of a permission (403).
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Graph { source, .. } if source.is_forbidden())
    }

    /// Whether Graph does not know the resource (404).
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Graph { source, .. } if source.is_missing())
    }

    /// The program panicked.
    pub fn panicked() -> Self {
        Self::Internal(format!("the program panicked at {}", panic::place().unwrap_or("an unknown place")))
    }

    /// A failure of Graph at a task, such as "list the members of team 02bd9fd6", which takes each of these permissions.
    pub fn graph(task: impl Into<String>, source: graph::Error, permissions: &[&'static Permission]) -> Self {
        let refused = Refused::of(&source, permissions);
        let lacks = match &refused {
            Some(Refused::Lacks(lacks)) if lacks.is_certain => Some(lacks.wants.least()),
            _ => None,
        };
        let hint = refused.map(|refused| refused.advice()).or_else(|| hint::of(&source));
        let source = Box::new(source);
        match source.cause {
            graph::Cause::SignIn(_) => Self::SignIn { source, hint },
            _ => Self::Graph { task: task.into(), source, hint, lacks },
        }
    }

    /// The permission for want of which Graph has refused, if that is certain: it refuses whatever is alike.
    pub fn lacks(&self) -> Option<&'static str> {
        match self {
            Self::Graph { lacks, .. } => *lacks,
            _ => None,
        }
    }

    /// With the way to read the rest without this team or channel, if Graph never gives it.
    #[must_use]
    pub fn or_leave_out(mut self, parent: &str) -> Self {
        if let Self::Graph { source, hint, .. } = &mut self
            && hint::is_of_one_parent(source)
        {
            let way = format!("to read the rest, add {parent} to `exclude`");
            *hint = Some(hint.take().map_or_else(|| way.clone(), |known| format!("{known}; {way}")));
        }
        self
    }

    /// As a dialog shows it: what to do comes first, then as many of Microsoft's words as fit.
    pub fn in_short(&self) -> String {
        let said = |source: &graph::Error| beginning(&source.cause.to_string(), OF_A_DIALOG);
        match self {
            Self::SignIn { source, hint: Some(hint) } => format!("cannot sign in: {hint} ({})", said(source)),
            Self::SignIn { source, hint: None } => format!("cannot sign in: {}", said(source)),
            Self::Graph { task, source, hint: Some(hint), .. } => format!("cannot {task}: {hint} ({})", said(source)),
            Self::Graph { task, source, hint: None, .. } => format!("cannot {task}: {}", said(source)),
            _ => self.to_string(),
        }
    }
}

/// The first words of a text, as many as fit into so many characters.
pub fn beginning(text: &str, length: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(length) else { return text.to_owned() };
    let words = text[..end].rfind(' ').filter(|&space| space > end / 2).unwrap_or(end);
    format!("{}...", text[..words].trim_end_matches([' ', '.', ',', ';', ':', '(']))
}
