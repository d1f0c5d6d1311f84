//! What a run can end with, and whose fault it is.

use std::{fmt, io, time::Duration};

use crate::{
    config,
    graph::{self, LONGEST_WAIT, Verdict},
    panic,
};

/// Why a run, or one of its streams, did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration is wrong.
    #[error("{0}")]
    Config(#[from] config::Error),
    /// The configuration does not say what to read.
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
    },
    /// Graph gave items that no record can be made of.
    #[error("could not {task} in full: {count} items are no objects or have no usable id, also when asked again")]
    Damaged {
        /// What was tried, on which team or channel.
        task: String,
        /// How many.
        count: u64,
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
    #[error("{0}; hint: look at the limits of the machine, such as `ulimit -n` and its memory")]
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
            | Self::Catalog(_)
            | Self::State(_)
            | Self::NotFound { .. } => Fault::User,
            Self::Graph { source, .. } | Self::SignIn { source, .. } if source.is_transient() => Fault::Moment,
            Self::SignIn { .. } => Fault::User,
            Self::Graph { source, .. } => match source.cause {
                graph::Cause::ForeignLink(_) | graph::Cause::EndlessPaging(_) => Fault::Program,
                _ => Fault::User,
            },
            Self::TooLarge { .. } => Fault::User,
            Self::NoChannels { .. } | Self::Machine(_) => Fault::Moment,
            Self::Damaged { .. } | Self::Output(_) | Self::Internal(_) => Fault::Program,
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

    /// A failure of Graph at a task, such as "list the members of team 02bd9fd6".
    pub fn graph(task: impl Into<String>, source: graph::Error, permissions: &[&str]) -> Self {
        if let graph::Cause::SignIn(refusal) = &source.cause {
            let hint = sign_in_hint(refusal).map(str::to_owned).or_else(|| source.long_wait().map(wait_hint));
            return Self::SignIn { source: Box::new(source), hint };
        }
        let hint = hint(&source, permissions);
        Self::Graph { task: task.into(), source: Box::new(source), hint }
    }
}

/// What a person can do about a refusal.
fn hint(error: &graph::Error, permissions: &[&str]) -> Option<String> {
    if let Some(wait) = error.long_wait() {
        return Some(wait_hint(wait));
    }
    if matches!(error.cause, graph::Cause::TooLarge(_)) {
        return Some("raise `max_page_mb`, or set `top` to fewer items a page".to_owned());
    }
    let status = error.status().filter(|_| !error.is_transient())?;
    // Of a list of the whole tenant no id can be wrong.
    let has_ids = error.request.contains("/teams");
    let hint = match status {
        300..=399 => "redirects are not followed, lest the token go elsewhere: look at `cloud`, `graph_url` and the proxy",
        400 if has_ids => "look at the ids of the configuration; if they are right, please report this",
        401 => "Graph does not accept the token: look at `cloud` and at the consent of the application",
        402 => "look at the licences of the tenant",
        403 => return permission_hint(permissions),
        404 if has_ids => "look at the id; a deleted team or channel is not found either",
        407 | 511 => "a proxy wants a sign-in of its own: look at HTTPS_PROXY",
        412 => "Graph does not give this to applications: please report this",
        _ => "look at `cloud`, `graph_url` and the proxy; if they are right, please report this",
    };
    Some(hint.to_owned())
}

fn permission_hint(permissions: &[&str]) -> Option<String> {
    let named = match permissions {
        [] => return None,
        [one] => format!("permission {one}"),
        [others @ .., last] => format!("permissions {} and {last}", others.join(", ")),
    };
    Some(format!("grant the application {named} and admin consent; it takes some minutes to count"))
}

fn wait_hint(wait: Duration) -> String {
    let minutes = |time: Duration| time.as_secs().div_ceil(60);
    format!(
        "Graph asks to wait {} minutes, and a run waits {} at most: run again after that; it goes on from its state",
        minutes(wait),
        minutes(LONGEST_WAIT)
    )
}

/// What to do about the sign-in errors that a client secret can meet (graph.md 1.4).
fn sign_in_hint(refusal: &graph::SignInRefusal) -> Option<&'static str> {
    let of_code = |code: &u64| {
        Some(match code {
            7_000_215 => "`client_secret` must be the value of the secret, not its id",
            7_000_222 => "the client secret has expired: make a new one and put its value into `client_secret`",
            700_016 | 700_011 => "look at `client_id` and `tenant_id`: there is no such application in this tenant",
            70_001 => "the application is disabled in this tenant or unknown to it: look at `client_id`, and at its enterprise application",
            90_002 | 900_023 | 50_059 => "look at `tenant_id`, and at `cloud`",
            500_011 | 90_038 | 900_382 | 900_432 => "look at `cloud`: the tenant lives in another one",
            53_003 => "a Conditional Access policy of the tenant blocks the application: its administrator can let it through",
            7_000_216 | 7_000_218 => "`client_secret` did not arrive: look at its value and at the proxy",
            700_027 | 50_012 | 700_030 => "make a client secret for the application and put its value into `client_secret`",
            70_011 | 900_144 | 90_014 => "look at `cloud`, `login_url` and the proxy; if they are right, please report this",
            _ => return None,
        })
    };
    let of_status = |status| {
        Some(match status {
            300..=399 => "redirects are not followed, lest the secret go elsewhere: look at `cloud`, `login_url` and the proxy",
            403 | 404 => "look at `cloud`, `login_url` and the proxy: this is no sign-in service",
            407 | 511 => "a proxy wants a sign-in of its own: look at HTTPS_PROXY",
            _ => return None,
        })
    };
    refusal.codes.iter().find_map(of_code).or_else(|| of_status(refusal.status?))
}
