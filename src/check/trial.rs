//! One stream tried: a parent is found as a run finds it, and the stream is asked for there. All of it follows from the stream's declaration.

use std::iter::successors;

use super::{
    probe::{Ask, Probe},
    verdict::{Parent, Unread, Verdict, Why},
};
use crate::{
    config::StreamConfig,
    error::Error,
    graph::{self, Permission},
    level::{Level, MESSAGE, Partition, TEAM},
    read::found::Origin,
    streams::{Read, Stream},
};

/// The most parents that are tried for a stream, the tenant among them.
const TRIED: usize = 20;

/// The trial of one stream.
pub(super) struct Trial<'t, 'c> {
    probe: &'t mut Probe<'c>,
    stream: &'static Stream,
    config: &'t StreamConfig,
    /// The levels from the top down to the one at which the stream is tried.
    path: Vec<&'static Level>,
    /// Parents that are looked at next, the last one first.
    open: Vec<(Partition, Origin)>,
    /// Whether the stream could be read from one parent.
    works: bool,
    /// Ids that are named without those above them, and that were found.
    found: Vec<String>,
    /// Parents that are named and not there, with what Graph said of each.
    absent: Vec<(Partition, graph::Error)>,
    /// A parent that a list had and that is not there: it may be gone again.
    gone: Option<(Partition, graph::Error)>,
}

impl<'t, 'c> Trial<'t, 'c> {
    /// Of a stream for which enough is configured.
    pub(super) fn new(probe: &'t mut Probe<'c>, stream: &'static Stream, config: &'t StreamConfig) -> Self {
        let deepest = if matches!(stream.read, Read::Teams) { stream.finds_level() } else { stream.below };
        // Where no list finds a parent and none is certain, what is above it is read.
        let is_within_reach = |level: &&'static Level| Stream::finding(level).is_some() || is_certain(stream, config, level);
        let path = deepest.map(Level::path).unwrap_or_default().into_iter().take_while(is_within_reach).collect();
        let open = vec![(Partition::default(), Origin::Named)];
        Self { probe, stream, config, path, open, works: false, found: Vec::new(), absent: Vec::new(), gone: None }
    }

    /// Tries one parent after the other until one can be read. Of the others it is only seen whether those that are named are there.
    pub(super) async fn verdict(mut self) -> Verdict {
        match self.run().await {
            Ok(unread) => Verdict::Works { unread },
            Err(verdict) => *verdict,
        }
    }

    async fn run(&mut self) -> Result<Vec<Unread>, Box<Verdict>> {
        let mut left = TRIED;
        while let Some((of, origin)) = self.open.pop() {
            let next = self.next(&of);
            if let Some(level) = next.filter(|level| is_certain(self.stream, self.config, level)) {
                let named = self.config.named(level).iter().rev();
                self.open.extend(named.map(|id| (of.below(level, id), Origin::Named)));
                continue;
            }
            if self.works && self.probe.has_listed(&of) {
                continue;
            }
            if left == 0 {
                break;
            }
            left -= 1;
            let Some(ask) = self.ask(&of) else { continue };
            match (self.probe.ask(&ask).await, next) {
                (Ok(_), _) if self.works => {}
                (Ok(listed), Some(level)) => self.list(&of, level, listed.ids),
                (Ok(_), None) => self.work(&of),
                (Err(error), _) => self.refused(of, origin, error).await?,
            }
        }
        self.end().await
    }

    /// The level at which parents below this one are, unless the stream is tried here.
    fn next(&self, of: &Partition) -> Option<&'static Level> {
        self.path.get(self.depth(of)).copied()
    }

    fn depth(&self, of: &Partition) -> usize {
        self.path.iter().position(|level| of.level() == Some(level)).map_or(0, |at| at + 1)
    }

    /// The stream whose list has the parents below this one; [`None`]: there is no such list, or they are not wanted.
    fn finder(&self, of: &Partition) -> Option<&'static Stream> {
        self.next(of).and_then(Stream::finding)
    }

    fn ask(&self, of: &Partition) -> Option<Ask> {
        self.finder(of).map_or_else(|| Ask::of_stream(self.stream, of), |finder| Ask::list_of(finder, of))
    }

    /// Adds the parents that a list has, those that are named first.
    fn list(&mut self, of: &Partition, level: &'static Level, mut ids: Vec<String>) {
        let sought = self.sought(level);
        ids.retain(|id| !self.config.excludes(id));
        ids.sort_by_key(|id| !sought.contains(id));
        self.found.extend(ids.iter().take_while(|id| sought.contains(id)).cloned());
        self.open.extend(ids.iter().rev().map(|id| (of.below(level, id), Origin::Listed)));
    }

    /// The ids of a level that are named without those above them.
    fn sought(&self, level: &'static Level) -> &'t [String] {
        let is_read = self.stream.is_below(level) && !is_certain(self.stream, self.config, level);
        if is_read { self.config.named(level) } else { &[] }
    }

    /// The stream can be read from this parent.
    fn work(&mut self, of: &Partition) {
        self.works = true;
        self.found.push(of.own_id().to_owned());
    }

    /// What a refusal means depends on how its parent was found.
    async fn refused(&mut self, of: Partition, origin: Origin, error: graph::Error) -> Result<(), Box<Verdict>> {
        let is_absent = is_absent(&error) && of.level().is_some();
        if self.works {
            self.absent.extend(is_absent.then_some((of, error)));
            return Ok(());
        }
        if let Some(stream) = self.lists_of_team(&of, &error).await {
            let error = Error::ListOfTeam { stream: stream.name, team: of.own_id().to_owned(), source: Box::new(error) };
            return Err(Box::new(Verdict::Failed(error)));
        }
        let sought = self.next(&of).and_then(|level| self.sought(level).first().map(|id| of.below(level, id)));
        match (origin, sought.filter(|_| error.is_forbidden())) {
            (Origin::Named, _) if is_absent => self.absent.push((of, error)),
            // What the tenant lists need not have what is below it: a group may have no team.
            (Origin::Listed, _) if error.is_missing() && of.above().level().is_none() => {}
            (Origin::Listed, _) if error.is_missing() && self.gone.is_none() => self.gone = Some((of, error)),
            // It may be elsewhere, where a run looks for it.
            (Origin::Perhaps, _) if is_absent => {}
            // What is named can be read without the permission to list it.
            (_, Some(named)) => self.open = vec![(named, Origin::Perhaps)],
            _ => return Err(self.verdict_of(&of, error)),
        }
        Ok(())
    }

    /// The stream of which Graph gives no list for a team that exists.
    async fn lists_of_team(&mut self, of: &Partition, error: &graph::Error) -> Option<&'static Stream> {
        let asked = self.finder(of).unwrap_or(self.stream);
        let is_list = matches!(asked.read, Read::List(_)) && of.level() == Some(&TEAM) && error.is_missing() && !error.denies_team();
        let item = Stream::finding(&TEAM).filter(|_| is_list).and_then(|finder| Ask::item(finder, of))?;
        self.probe.ask(&item).await.is_ok().then_some(asked)
    }

    /// No parent is left.
    async fn end(&mut self) -> Result<Vec<Unread>, Box<Verdict>> {
        let absent = std::mem::take(&mut self.absent);
        if !self.works {
            if let Some((of, error)) = absent.into_iter().next() {
                return Err(self.not_found(of, error).await);
            }
            return match self.gone.take() {
                Some((of, error)) => Err(self.verdict_of(&of, error)),
                // A tenant without teams is no failure.
                None => Ok(self.left_to_run()),
            };
        }
        let not_found = absent.iter().filter_map(|(of, _)| Parent::of(of)).map(Unread::NotFound);
        Ok(not_found.chain(self.left_to_run()).collect())
    }

    /// What is named without those above it and was not found: a run looks for it everywhere.
    fn left_to_run(&self) -> Vec<Unread> {
        let left = |level: &'static Level| {
            let ids: Vec<_> = self.sought(level).iter().filter(|id| !self.found.contains(id)).cloned().collect();
            (!ids.is_empty()).then_some(Unread::Sought { level, ids })
        };
        self.stream.path().into_iter().filter_map(left).collect()
    }

    /// A parent that is named is not there: or the one above it is not.
    async fn not_found(&mut self, of: Partition, error: graph::Error) -> Box<Verdict> {
        let above = successors(Some(of.above()), |of| Some(of.above())).take_while(|of| of.level().is_some());
        let mut absent = (of.clone(), error);
        for parent in above {
            if let Some(ask) = self.ask(&parent)
                && let Err(error) = self.probe.ask(&ask).await
                && is_absent(&error)
            {
                absent = (parent, error);
            }
        }
        let (of, error) = absent;
        match Parent::of(&of) {
            Some(parent) => Box::new(Verdict::Refused { why: Why::NotFound(parent), source: Box::new(error) }),
            None => self.verdict_of(&of, error),
        }
    }

    fn verdict_of(&self, of: &Partition, error: graph::Error) -> Box<Verdict> {
        let asked = self.finder(of).unwrap_or(self.stream);
        let task = match asked.read {
            Read::Teams if of.level().is_some() => format!("read {of}"),
            Read::Walk(_) if of.level() == Some(&MESSAGE) => format!("read the messages of {}", of.above()),
            Read::Walk(_) => format!("read the messages of {of}"),
            Read::Report(_) => format!("read the {} of {of}", asked.plural()),
            _ => format!("list the {} of {of}", asked.plural()),
        };
        Box::new(match (Verdict::of(task, error, &self.permissions(of)), of.excludable()) {
            (Verdict::Failed(error), Some(id)) => Verdict::Failed(error.or_leave_out(id)),
            (verdict, _) => verdict,
        })
    }

    /// What the request for this parent takes, and the requests after it.
    fn permissions(&self, of: &Partition) -> Vec<&'static Permission> {
        let is_listed = |level: &&&'static Level| !is_certain(self.stream, self.config, level);
        let finders = self.path.iter().skip(self.depth(of)).filter(is_listed).filter_map(|level| Stream::finding(level));
        let lists = finders.filter_map(|finder| finder.permissions.first().copied());
        let own = match (self.stream.read, self.stream.finds) {
            (Read::Teams, Some(finds)) => vec![finds.permission],
            _ => self.stream.permissions.to_vec(),
        };
        lists.chain(own).collect()
    }
}

/// Whether the parents of that level are named with those above them.
fn is_certain(stream: &Stream, config: &StreamConfig, level: &'static Level) -> bool {
    stream.is_below(level) && !config.named(level).is_empty() && config.names_one(level.above)
}

/// Whether Graph does not know a parent that is named, or cannot even take what is named for an id.
fn is_absent(error: &graph::Error) -> bool {
    error.is_missing() || error.status() == Some(400) && !error.is_transient()
}
