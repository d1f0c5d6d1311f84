//! What a stream comes to while its parents are read: how many were read or refused, what was looked for, what failed.

use std::{collections::BTreeSet, sync::Arc};

use super::{context::Context, wanted::looked_for};
use crate::{error::Error, streams::Stream};

/// What is known of a stream.
#[derive(Debug, Default)]
pub(crate) struct StreamOutcome {
    /// Parents that were read to their end.
    read: u64,
    refused: u64,
    /// The refusal to be shown if there is nothing else: one for want of a permission, or the first.
    refusal: Option<Arc<Error>>,
    failure: Option<Arc<Error>>,
    /// Teams that exist and that Graph does not list: how many, and one of them.
    unlisted: Option<(u64, String)>,
    wanted: BTreeSet<String>,
}

impl StreamOutcome {
    pub(crate) fn new(context: &Context, stream: &'static Stream) -> Self {
        Self { wanted: looked_for(context, stream).into_iter().collect(), ..Self::default() }
    }

    /// A parent was read to its end.
    pub(crate) fn read(&mut self) {
        self.read += 1;
    }

    /// An id that was looked for was found.
    pub(crate) fn find(&mut self, id: &str) {
        self.wanted.remove(id);
    }

    pub(crate) fn refuse(&mut self, error: &Arc<Error>) {
        self.refused += 1;
        let says_more = self.refusal.as_ref().is_none_or(|known| error.is_forbidden() && !known.is_forbidden());
        if says_more {
            self.refusal = Some(error.clone());
        }
    }

    pub(crate) fn fail(&mut self, error: &Arc<Error>) {
        self.failure.get_or_insert_with(|| error.clone());
    }

    /// How many parents were refused or missing.
    pub(crate) fn refused(&self) -> u64 {
        self.refused
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Nothing more can be found: gives what is said of the ids that were not.
    pub(crate) fn give_up_wanted(&mut self, stream: &'static Stream) -> Vec<Arc<Error>> {
        let wanted = std::mem::take(&mut self.wanted);
        if self.failure.is_some() {
            return Vec::new();
        }
        let errors: Vec<_> = wanted.into_iter().map(|id| Arc::new(Error::NotFound { id, stream: stream.name })).collect();
        errors.iter().for_each(|error| self.refuse(error));
        errors
    }

    /// Why every parent was refused or missing, if that is so: the refusal that says most.
    pub(crate) fn refusal_of_all(&self) -> Option<&Arc<Error>> {
        self.refusal.as_ref().filter(|_| self.read == 0)
    }

    /// The same, with how many parents there are.
    pub(crate) fn no_parent(&self) -> Option<Arc<Error>> {
        let one = self.refusal_of_all()?;
        Some(if self.refused > 1 { Arc::new(Error::NoParent { count: self.refused, one: one.clone() }) } else { one.clone() })
    }

    /// Graph does not list this team, which exists.
    pub(crate) fn miss_in_list(&mut self, team: &str) {
        let (count, _) = self.unlisted.get_or_insert_with(|| (0, team.to_owned()));
        *count += 1;
    }

    /// That the list of teams is not complete, if that is so.
    pub(crate) fn incomplete_list(&self) -> Option<Error> {
        self.unlisted.clone().map(|(count, team)| Error::TeamsNotListed { count, team })
    }

    /// Why the stream is not complete.
    pub(crate) fn error(&self) -> Option<Arc<Error>> {
        self.failure.clone().or_else(|| self.incomplete_list().map(Arc::new)).or_else(|| self.no_parent())
    }
}

/// Whether a stream is no more complete than the list of teams. Messages are read of every channel that is known.
pub(crate) fn is_listed(stream: &Stream) -> bool {
    stream.cursor.is_none()
}
