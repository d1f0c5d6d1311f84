//! Makes jobs of the configured parents and of those that were found. No other file does.

use super::{
    context::Context,
    found::{FoundParent, Origin},
    job::{Job, JobInput, JobReport},
    wanted::WantedParents,
};
use crate::{
    config::{Config, Parents, StreamConfig},
    error::Error,
    level::{LEVELS, Level, Partition},
    streams::{Read, Stream, StreamSet},
};

/// If some of the streams lack options: those streams, and one error for all of them.
pub fn unconfigured(config: &Config, streams: StreamSet) -> Option<(StreamSet, Error)> {
    let missing = |stream: &'static Stream| missing_options(stream, config.stream(stream));
    let affected = streams.filter(|stream| !missing(stream).is_empty());
    let needs: Vec<_> = affected.iter().map(|stream| format!("{} needs {}", stream.name, missing(stream).join(" and "))).collect();
    let error = || Error::Parents(format!("the configuration does not specify what to read: {}", needs.join("; ")));
    (!affected.is_empty()).then(|| (affected, error()))
}

/// The options that a stream needs and that are not set.
pub(crate) fn missing_options(stream: &Stream, config: &StreamConfig) -> Vec<String> {
    let missing = |level: &'static Level| match config.parents(level) {
        Parents::Unknown => Some(format!("`{}` or `{}`", level.id, level.all)),
        Parents::Ids(ids) if ids.is_empty() => Some(format!("a {} in `{}` that is not in `exclude`", level.name, level.id)),
        Parents::Ids(_) | Parents::All => None,
    };
    stream.path().into_iter().filter_map(missing).collect()
}

/// The first jobs of a run.
pub(crate) fn first_jobs(context: &Context) -> Vec<Job> {
    jobs(context, FoundParent::new(Partition::default(), context.streams(), Origin::Configured))
}

/// The jobs that follow from a report.
pub(crate) fn following_jobs(context: &Context, report: &mut JobReport) -> Vec<Job> {
    let found = std::mem::take(&mut report.found);
    report.next_page.take().into_iter().chain(found.into_iter().flat_map(|found| jobs(context, found))).collect()
}

/// The jobs for a parent and for everything below it.
fn jobs(context: &Context, found: FoundParent) -> Vec<Job> {
    let streams = context.not_excluding(found.parent.own_id(), found.streams);
    if let (Origin::Unlisted { .. }, Some(finder)) = (found.origin, found.parent.level().and_then(Stream::discovering)) {
        return vec![Job::new(streams, JobInput::new(finder, found.parent, found.origin))];
    }
    let level = found.parent.level();
    let mut jobs = own_jobs(&found, streams.filter(|stream| is_read_at(context, stream, level)));
    for next in LEVELS.iter().filter(|next| next.above == level) {
        let deeper = streams
            .filter(|stream| stream.discovered_level() == Some(next) || stream.is_below(next) && !is_read_at(context, stream, level));
        match Stream::discovering(next) {
            Some(finder) => jobs.extend(list_jobs(context, &found, finder, next, deeper)),
            None => jobs.extend(deeper.iter().flat_map(|stream| configured_jobs(context, &found.parent, next, stream))),
        }
    }
    jobs
}

/// Whether a run reads the stream from parents of this level. This is the stream's own level, or the level above if all parents of its own
/// level are read and no list finds them.
fn is_read_at(context: &Context, stream: &Stream, level: Option<&'static Level>) -> bool {
    let is_found_below = stream.discovered_level().is_some_and(|finds| finds.above == level);
    let is_own = stream.parent_level == level && !is_found_below;
    let is_completed = matches!(stream.read, Read::Teams) && stream.discovered_level() == level;
    let reads_below =
        |own: &'static Level| own.above == level && Stream::discovering(own).is_none() && context.config(stream).reads_all(own);
    let is_walked = matches!(stream.read, Read::Walk(_)) && stream.parent_level.is_some_and(reads_below);
    is_own || is_completed || is_walked
}

/// The jobs that read a parent itself. Streams that share a walk share a job.
fn own_jobs(found: &FoundParent, streams: StreamSet) -> Vec<Job> {
    let input = |stream| JobInput { details: found.details.clone(), ..JobInput::new(stream, found.parent.clone(), found.origin) };
    let walked = streams.filter(|stream| matches!(stream.read, Read::Walk(_)));
    let together = walked.iter().next().map(|stream| Job::new(walked, input(stream)));
    let alone = streams.without(walked).iter().map(|stream| Job::new(StreamSet::default().with(stream), input(stream)));
    together.into_iter().chain(alone).collect()
}

/// The job that lists the parents of the next level, and jobs for those that can be read without the list.
fn list_jobs(context: &Context, found: &FoundParent, finder: &'static Stream, next: &'static Level, streams: StreamSet) -> Vec<Job> {
    let mut wanted = WantedParents::new(context, &found.parent, next, streams);
    let own = streams.filter(|stream| stream.name == finder.name);
    // The list of a single parent is short and contains more about the configured items. The list of the tenant may be long.
    let waits_for_list = wanted.needs_list() || found.parent.level().is_some() && !own.is_empty();
    let configured = if waits_for_list { Vec::new() } else { wanted.take_configured(&found.parent) };
    let streams = own.union(wanted.dependent_streams());
    let list = Job::new(streams, JobInput { wanted, ..JobInput::new(finder, found.parent.clone(), found.origin) });
    let list = Some(list).filter(|_| !streams.is_empty());
    list.into_iter().chain(configured.into_iter().flat_map(|found| jobs(context, found))).collect()
}

/// The jobs for the configured parents of the next level, if no list finds them.
fn configured_jobs(context: &Context, parent: &Partition, next: &'static Level, stream: &'static Stream) -> Vec<Job> {
    let origin = if context.has_single_parent(stream, next.above) { Origin::Configured } else { Origin::Candidate };
    let ids = context.config(stream).ids(next).iter();
    ids.flat_map(|id| jobs(context, FoundParent::new(parent.below(next, id), StreamSet::default().with(stream), origin))).collect()
}
