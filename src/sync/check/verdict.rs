//! What a check found, without the words for it.

use crate::{
    error::Error,
    graph::{self, Claims, Permission},
    streams::Stream,
};

/// What a check found.
#[derive(Debug)]
pub struct Checkup {
    /// The streams, in order.
    pub(super) streams: Vec<(&'static Stream, Verdict)>,
    /// Where an administrator consents to the permissions of the application.
    pub(super) consent: String,
}

/// What a stream comes to.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It can be read, as far as a little of it tells. Some parents that are named may not be there, others are.
    Works { not_found: Vec<Parent> },
    /// The configuration does not say what to read: what must be added.
    NotConfigured(Vec<&'static str>),
    /// Graph refused.
    Refused { why: Why, source: Box<graph::Error> },
    /// What is named was looked for in several places: it is in none of them, or not in those that a check looks into.
    Unfound(Parent),
    /// Something else went wrong.
    Failed(Error),
}

/// Why Graph refused.
#[derive(Debug)]
pub(super) enum Why {
    /// A permission is not granted, not consented to, or not yet in the token.
    NoPermission {
        /// What the request takes.
        wants: &'static Permission,
        /// What the requests behind it take, and the token does not have, or does not tell.
        behind: Vec<&'static Permission>,
        /// Whether the token tells which permissions it has.
        token_tells: bool,
    },
    /// The token has a permission that the request takes.
    InSpiteOf(&'static Permission),
    /// A licence is missing.
    Licence,
    /// A policy of the tenant forbids it.
    Policy,
    /// A parent that is named is not there, nor is any other that is named beside it.
    NotFound(Parent),
}

/// A parent that is named in the configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Parent {
    /// The option.
    pub(super) option: &'static str,
    /// Its id.
    pub(super) id: String,
    /// Where it was looked for.
    pub(super) looked: Looked,
}

/// Where a parent that is named was looked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Looked {
    /// At its only place: it was asked for itself.
    AtIt,
    /// Into so many teams, or channels, of those that are read: of these, or of more.
    Into { places: usize, of: usize, or_more: bool },
}

impl Checkup {
    /// Whether it is worth while to run: something can be read, or may be, and nothing that is named is missing altogether.
    pub fn is_good(&self) -> bool {
        let is_lost = |verdict: &Verdict| match verdict {
            Verdict::Refused { why: Why::NotFound(_), .. } => true,
            Verdict::Unfound(parent) => parent.is_missing(),
            _ => false,
        };
        self.reads_anything() && !self.streams.iter().any(|(_, verdict)| is_lost(verdict))
    }

    pub(super) fn reads_anything(&self) -> bool {
        let reads = |verdict: &Verdict| match verdict {
            Verdict::Works { .. } => true,
            Verdict::Unfound(parent) => !parent.is_missing(),
            _ => false,
        };
        self.streams.iter().any(|(_, verdict)| reads(verdict))
    }
}

impl Parent {
    /// Whether it is in none of the places in which it may be.
    pub(super) fn is_missing(&self) -> bool {
        match self.looked {
            Looked::AtIt => true,
            Looked::Into { places, of, or_more } => places >= of && !or_more,
        }
    }
}

impl Verdict {
    /// Of a request that was not answered as it should be. Requests decide, the token explains.
    pub(super) fn of(
        task: impl Into<String>,
        source: graph::Error,
        claims: &Claims,
        wants: &'static Permission,
        behind: &[&'static Permission],
    ) -> Self {
        let graph::Cause::Refused(refusal) = &source.cause else { return Self::Failed(Error::graph(task, source, &[])) };
        if source.is_outage() {
            return Self::Failed(Error::graph(task, source, &[]));
        }
        let said = format!("{} {}", refusal.code, refusal.message).to_lowercase();
        // What follows are names of permissions, and `Policy.Read.All` is one.
        let said = said.split("api requires one of").next().unwrap_or_default();
        let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
        let why = match refusal.status {
            402 => Why::Licence,
            403 if says(&["license", "licence"]) => Why::Licence,
            403 if says(&["for your tenant", "policy", "policies", "conditional access"]) => Why::Policy,
            403 => match claims.has(wants) {
                Some(true) => Why::InSpiteOf(wants),
                told => {
                    let behind = behind.iter().copied().filter(|permission| claims.has(permission) != Some(true)).collect();
                    Why::NoPermission { wants, behind, token_tells: told.is_some() }
                }
            },
            _ => return Self::Failed(Error::graph(task, source, &[wants])),
        };
        Self::Refused { why, source: Box::new(source) }
    }
}
