//! Checks one stream: finds a parent as a run does, and reads a little of the stream there. Everything follows from the stream's declaration.

use std::iter::successors;

use super::{
    probe::{Probe, ProbeRequest},
    verdict::{ConfiguredParent, Reason, Unread, Verdict},
};
use crate::{
    config::StreamConfig,
    error::Error,
    graph::{self, Permission},
    level::{Level, MESSAGE, Partition, TEAM},
    read::found::Origin,
    streams::{Read, Stream},
};

/// The maximum number of parents to try for a stream, including the tenant.
const MAX_PARENTS: usize = 20;

/// The check of one stream.
pub(super) struct StreamCheck<'t, 'c> {
    probe: &'t mut Probe<'c>,
    stream: &'static Stream,
    config: &'t StreamConfig,
    /// The levels from the top down to the one at which the stream is read.
    path: Vec<&'static Level>,
    /// Parents to try, the last one first.
    pending: Vec<(Partition, Origin)>,
    /// Whether the stream could be read from a parent.
    works: bool,
    /// Ids that are configured without their parents and were found.
    found: Vec<String>,
    /// Configured parents that do not exist, each with Graph's error.
    absent: Vec<(Partition, graph::Error)>,
    /// A parent that was listed but does not exist: it may have been deleted since.
    gone: Option<(Partition, graph::Error)>,
}

impl<'t, 'c> StreamCheck<'t, 'c> {
    /// The options of the stream must be complete.
    pub(super) fn new(probe: &'t mut Probe<'c>, stream: &'static Stream, config: &'t StreamConfig) -> Self {
        let deepest = if matches!(stream.read, Read::Teams) { stream.discovered_level() } else { stream.parent_level };
        // Where parents can be neither listed nor looked up directly, the stream is read at the level above.
        let is_reachable = |level: &&'static Level| Stream::discovering(level).is_some() || is_certain(stream, config, level);
        let path = deepest.map(Level::path).unwrap_or_default().into_iter().take_while(is_reachable).collect();
        let pending = vec![(Partition::default(), Origin::Configured)];
        Self { probe, stream, config, path, pending, works: false, found: Vec::new(), absent: Vec::new(), gone: None }
    }

    /// Tries one parent after another until one can be read. Of the rest, only configured parents are tried, to see whether they exist.
    pub(super) async fn verdict(mut self) -> Verdict {
        match self.run().await {
            Ok(unread) => Verdict::Works { unread },
            Err(verdict) => *verdict,
        }
    }

    async fn run(&mut self) -> Result<Vec<Unread>, Box<Verdict>> {
        let mut left = MAX_PARENTS;
        while let Some((of, origin)) = self.pending.pop() {
            let next = self.next(&of);
            if let Some(level) = next.filter(|level| is_certain(self.stream, self.config, level)) {
                let named = self.config.ids(level).iter().rev();
                self.pending.extend(named.map(|id| (of.below(level, id), Origin::Configured)));
                continue;
            }
            if self.works && self.probe.has_listed(&of) {
                continue;
            }
            if left == 0 {
                break;
            }
            left -= 1;
            let Some(request) = self.request(&of) else { continue };
            match (self.probe.fetch(&request).await, next) {
                (Ok(_), _) if self.works => {}
                (Ok(listed), Some(level)) => self.add_listed(&of, level, listed.ids),
                (Ok(_), None) => self.note_success(&of),
                (Err(error), _) => self.note_failure(of, origin, error).await?,
            }
        }
        self.finish().await
    }

    /// The level of the parents below this one, unless the stream is read here.
    fn next(&self, of: &Partition) -> Option<&'static Level> {
        self.path.get(self.depth(of)).copied()
    }

    fn depth(&self, of: &Partition) -> usize {
        self.path.iter().position(|level| of.level() == Some(level)).map_or(0, |at| at + 1)
    }

    /// The stream that lists the parents below this one; [`None`] if there is no such list or the stream is read here.
    fn finder(&self, of: &Partition) -> Option<&'static Stream> {
        self.next(of).and_then(Stream::discovering)
    }

    fn request(&self, of: &Partition) -> Option<ProbeRequest> {
        self.finder(of).map_or_else(|| ProbeRequest::for_stream(self.stream, of), |finder| ProbeRequest::list_of(finder, of))
    }

    /// Adds the parents from a list, configured ones first.
    fn add_listed(&mut self, of: &Partition, level: &'static Level, mut ids: Vec<String>) {
        let unplaced = self.unplaced(level);
        ids.retain(|id| !self.config.excludes(id));
        ids.sort_by_key(|id| !unplaced.contains(id));
        self.found.extend(ids.iter().take_while(|id| unplaced.contains(id)).cloned());
        self.pending.extend(ids.iter().rev().map(|id| (of.below(level, id), Origin::Listed)));
    }

    /// The ids of a level that are configured without their parents.
    fn unplaced(&self, level: &'static Level) -> &'t [String] {
        let is_read = self.stream.is_below(level) && !is_certain(self.stream, self.config, level);
        if is_read { self.config.ids(level) } else { &[] }
    }

    fn note_success(&mut self, of: &Partition) {
        self.works = true;
        self.found.push(of.own_id().to_owned());
    }

    /// What a failure means depends on how its parent was found.
    async fn note_failure(&mut self, of: Partition, origin: Origin, error: graph::Error) -> Result<(), Box<Verdict>> {
        let is_absent = is_absent(&error) && of.level().is_some();
        if self.works {
            self.absent.extend(is_absent.then_some((of, error)));
            return Ok(());
        }
        if let Some(stream) = self.lists_of_team(&of, &error).await {
            let error = Error::ListOfTeam { stream: stream.name, team: of.own_id().to_owned(), source: Box::new(error) };
            return Err(Box::new(Verdict::Failed(error)));
        }
        let unplaced = self.next(&of).and_then(|level| self.unplaced(level).first().map(|id| of.below(level, id)));
        match (origin, unplaced.filter(|_| error.is_forbidden())) {
            (Origin::Configured, _) if is_absent => self.absent.push((of, error)),
            // A group that the tenant lists may have no team.
            (Origin::Listed, _) if error.is_not_found() && of.above().level().is_none() => {}
            (Origin::Listed, _) if error.is_not_found() && self.gone.is_none() => self.gone = Some((of, error)),
            // It may be in another parent: a run searches for it.
            (Origin::Candidate, _) if is_absent => {}
            // A configured parent can be read without the permission to list it.
            (_, Some(configured)) => self.pending = vec![(configured, Origin::Candidate)],
            _ => return Err(self.verdict_of(&of, error)),
        }
        Ok(())
    }

    /// The stream whose list Graph does not find for a team that exists.
    async fn lists_of_team(&mut self, of: &Partition, error: &graph::Error) -> Option<&'static Stream> {
        let listed = self.finder(of).unwrap_or(self.stream);
        let is_list =
            matches!(listed.read, Read::List(_)) && of.level() == Some(&TEAM) && error.is_not_found() && !error.is_team_not_found();
        let item = Stream::discovering(&TEAM).filter(|_| is_list).and_then(|finder| ProbeRequest::item(finder, of))?;
        self.probe.fetch(&item).await.is_ok().then_some(listed)
    }

    /// The result once no parent is left to try.
    async fn finish(&mut self) -> Result<Vec<Unread>, Box<Verdict>> {
        let absent = std::mem::take(&mut self.absent);
        if !self.works {
            if let Some((of, error)) = absent.into_iter().next() {
                return Err(self.not_found(of, error).await);
            }
            return match self.gone.take() {
                Some((of, error)) => Err(self.verdict_of(&of, error)),
                // A tenant without teams is no failure.
                None => Ok(self.searched_by_run()),
            };
        }
        let not_found = absent.iter().filter_map(|(of, _)| ConfiguredParent::of(of)).map(Unread::NotFound);
        Ok(not_found.chain(self.searched_by_run()).collect())
    }

    /// Ids that are configured without their parents and were not found here: a run searches for them everywhere.
    fn searched_by_run(&self) -> Vec<Unread> {
        let left = |level: &'static Level| {
            let ids: Vec<_> = self.unplaced(level).iter().filter(|id| !self.found.contains(id)).cloned().collect();
            (!ids.is_empty()).then_some(Unread::SearchedByRun { level, ids })
        };
        self.stream.path().into_iter().filter_map(left).collect()
    }

    /// The verdict if a configured parent does not exist: blames the topmost parent that does not exist.
    async fn not_found(&mut self, of: Partition, error: graph::Error) -> Box<Verdict> {
        let above = successors(Some(of.above()), |of| Some(of.above())).take_while(|of| of.level().is_some());
        let mut absent = (of.clone(), error);
        for parent in above {
            if let Some(request) = self.request(&parent)
                && let Err(error) = self.probe.fetch(&request).await
                && is_absent(&error)
            {
                absent = (parent, error);
            }
        }
        let (of, error) = absent;
        match ConfiguredParent::of(&of) {
            Some(parent) => Box::new(Verdict::Refused { reason: Reason::NotFound(parent), source: Box::new(error) }),
            None => self.verdict_of(&of, error),
        }
    }

    fn verdict_of(&self, of: &Partition, error: graph::Error) -> Box<Verdict> {
        let stream = self.finder(of).unwrap_or(self.stream);
        let task = match stream.read {
            Read::Teams if of.level().is_some() => format!("read {of}"),
            Read::Walk(_) if of.level() == Some(&MESSAGE) => format!("read the messages of {}", of.above()),
            Read::Walk(_) => format!("read the messages of {of}"),
            Read::Report(_) => format!("read the {} of {of}", stream.plural()),
            _ => format!("list the {} of {of}", stream.plural()),
        };
        Box::new(match (Verdict::of(task, error, &self.permissions(of)), of.excludable()) {
            (Verdict::Failed(error), Some(id)) => Verdict::Failed(error.with_exclude_hint(id)),
            (verdict, _) => verdict,
        })
    }

    /// The permissions that the request for this parent requires, then those of the requests after it.
    fn permissions(&self, of: &Partition) -> Vec<&'static Permission> {
        let is_listed = |level: &&&'static Level| !is_certain(self.stream, self.config, level);
        let finders = self.path.iter().skip(self.depth(of)).filter(is_listed).filter_map(|level| Stream::discovering(level));
        let lists = finders.filter_map(|finder| finder.permissions.first().copied());
        let own = match (self.stream.read, self.stream.discovers) {
            (Read::Teams, Some(finds)) => vec![finds.permission],
            _ => self.stream.permissions.to_vec(),
        };
        lists.chain(own).collect()
    }
}

/// Whether the parents of this level are configured together with the parents above them.
fn is_certain(stream: &Stream, config: &StreamConfig, level: &'static Level) -> bool {
    stream.is_below(level) && !config.ids(level).is_empty() && config.selects_one(level.above)
}

/// Whether Graph does not find a configured parent, or does not accept its id as an id.
fn is_absent(error: &graph::Error) -> bool {
    error.is_not_found() || error.status() == Some(400) && !error.is_transient()
}
