//! What is configured and what was found, made into jobs: the only file that does.

use super::{
    context::Context,
    found::{Found, Origin},
    job::{Job, Report, Work},
    wanted::Wanted,
};
use crate::{
    config::{Config, Parents, StreamConfig},
    error::Error,
    level::{LEVELS, Level, Partition},
    streams::{Read, Stream, StreamSet},
};

/// What must be configured for some of the streams and is not, said in one sentence for all of them.
pub fn unconfigured(config: &Config, streams: StreamSet) -> Option<(StreamSet, Error)> {
    let lacking = |stream: &'static Stream| missing(stream, config.stream(stream));
    let concerned = streams.filter(|stream| !lacking(stream).is_empty());
    let sentences: Vec<_> = concerned.iter().map(|stream| format!("{} needs {}", stream.name, lacking(stream).join(" and "))).collect();
    let error = || Error::Parents(format!("the configuration does not specify what to read: {}", sentences.join("; ")));
    (!concerned.is_empty()).then(|| (concerned, error()))
}

/// What a stream needs that is not configured.
pub(crate) fn missing(stream: &Stream, config: &StreamConfig) -> Vec<String> {
    let lacking = |level: &'static Level| match config.parents(level) {
        Parents::Unknown => Some(format!("`{}` or `{}`", level.id, level.all)),
        Parents::Ids(ids) if ids.is_empty() => Some(format!("a {} in `{}` that is not in `exclude`", level.name, level.id)),
        Parents::Ids(_) | Parents::All => None,
    };
    stream.path().into_iter().filter_map(lacking).collect()
}

/// The jobs that a run begins with.
pub(crate) fn first_jobs(context: &Context) -> Vec<Job> {
    jobs(context, Found::new(Partition::default(), context.streams(), Origin::Named))
}

/// The jobs that a report leads to.
pub(crate) fn jobs_of(context: &Context, report: &mut Report) -> Vec<Job> {
    let found = std::mem::take(&mut report.found);
    report.more.take().into_iter().chain(found.into_iter().flat_map(|found| jobs(context, found))).collect()
}

/// The jobs for a parent, and for what is below it.
fn jobs(context: &Context, found: Found) -> Vec<Job> {
    let streams = context.not_excluding(found.of.own_id(), found.streams);
    if let (Origin::Known { .. }, Some(finder)) = (found.origin, found.of.level().and_then(Stream::finding)) {
        return vec![Job::new(streams, Work::new(finder, found.of, found.origin))];
    }
    let level = found.of.level();
    let mut jobs = own_jobs(&found, streams.filter(|stream| is_read_at(context, stream, level)));
    for next in LEVELS.iter().filter(|next| next.above == level) {
        let deeper =
            streams.filter(|stream| stream.finds_level() == Some(next) || stream.is_below(next) && !is_read_at(context, stream, level));
        match Stream::finding(next) {
            Some(finder) => jobs.extend(list_jobs(context, &found, finder, next, deeper)),
            None => jobs.extend(deeper.iter().flat_map(|stream| named_jobs(context, &found.of, next, stream))),
        }
    }
    jobs
}

/// Whether a run reads the stream from parents of this level: from its own, or from those above it where all of its own are read and no list
/// finds them.
fn is_read_at(context: &Context, stream: &Stream, level: Option<&'static Level>) -> bool {
    let is_found_below = stream.finds_level().is_some_and(|finds| finds.above == level);
    let is_own = stream.below == level && !is_found_below;
    let is_completed = matches!(stream.read, Read::Teams) && stream.finds_level() == level;
    let reads_below = |own: &'static Level| own.above == level && Stream::finding(own).is_none() && context.config(stream).reads_all(own);
    let is_walked = matches!(stream.read, Read::Walk(_)) && stream.below.is_some_and(reads_below);
    is_own || is_completed || is_walked
}

/// The jobs that read a parent itself. What a walk brings is read together.
fn own_jobs(found: &Found, streams: StreamSet) -> Vec<Job> {
    let work = |stream| Work { said: found.said.clone(), ..Work::new(stream, found.of.clone(), found.origin) };
    let walked = streams.filter(|stream| matches!(stream.read, Read::Walk(_)));
    let together = walked.iter().next().map(|stream| Job::new(walked, work(stream)));
    let alone = streams.without(walked).iter().map(|stream| Job::new(StreamSet::default().with(stream), work(stream)));
    together.into_iter().chain(alone).collect()
}

/// The job that lists the parents of the next level, and those that are read without it.
fn list_jobs(context: &Context, found: &Found, finder: &'static Stream, next: &'static Level, streams: StreamSet) -> Vec<Job> {
    let mut wanted = Wanted::new(context, &found.of, next, streams);
    let own = streams.filter(|stream| stream.name == finder.name);
    // The list of a parent is short, and says more of what is named. The list of the tenant may be long.
    let waits_for_list = wanted.needs_list() || found.of.level().is_some() && !own.is_empty();
    let named = if waits_for_list { Vec::new() } else { wanted.take_named(&found.of) };
    let feeds = own.union(wanted.feeds());
    let list = Job::new(feeds, Work { wanted, ..Work::new(finder, found.of.clone(), found.origin) });
    let list = Some(list).filter(|_| !feeds.is_empty());
    list.into_iter().chain(named.into_iter().flat_map(|found| jobs(context, found))).collect()
}

/// The jobs for the parents of the next level that are named for a stream, where no list finds them.
fn named_jobs(context: &Context, parent: &Partition, next: &'static Level, stream: &'static Stream) -> Vec<Job> {
    let origin = if context.is_one(stream, next.above) { Origin::Named } else { Origin::Perhaps };
    let ids = context.config(stream).named(next).iter();
    ids.flat_map(|id| jobs(context, Found::new(parent.below(next, id), StreamSet::default().with(stream), origin))).collect()
}
