//! What a check found, without the words for it.

use crate::{
    error::{Error, Refused},
    graph::{self, Permission},
    streams::Stream,
};

/// What a check found.
#[derive(Debug)]
pub struct Checkup {
    /// The streams, in order.
    pub(super) streams: Vec<(&'static Stream, Verdict)>,
    /// Teams were listed, and there was none.
    pub(super) lists_no_team: bool,
    /// Where an administrator consents to the permissions of the application.
    pub(super) consent: String,
}

/// What a stream comes to.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It can be read, as far as a little of it tells. Some parents that are named may not be there, others are.
    Works { not_found: Vec<Parent> },
    /// The configuration does not say what to read: what must be added.
    NotConfigured(Vec<String>),
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
    /// By its words, or for want of a permission.
    Refused(Refused),
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
    /// Of a request that was not answered as it should be, and takes this permission, as the next ones take those `behind`.
    pub(super) fn of(task: impl Into<String>, source: graph::Error, wants: &'static Permission, behind: &[&'static Permission]) -> Self {
        match Refused::of(&source, &[&[wants], behind].concat()) {
            Some(refused) => Self::Refused { why: Why::Refused(refused), source: Box::new(source) },
            None => Self::Failed(Error::graph(task, source, &[wants])),
        }
    }
}
