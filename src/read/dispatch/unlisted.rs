//! Checks parents that earlier runs have read and that Graph no longer lists. Lists can be incomplete, so each of these parents is
//! requested. Those that exist are read as if they were listed; those that do not are removed from the states.

use tracing::{debug, info};

use crate::{
    emit,
    error::Error,
    graph::Page,
    level::{Level, Partition, TEAM},
    read::{
        channel_ref::{ChannelFacts, id_columns},
        context::Context,
        found::{FoundParent, Origin},
        job::{JobError, JobInput, JobReport, Skipped},
    },
    streams::{Stream, StreamSet},
};

/// Requests a parent that its list does not contain. `shows_gap`: if the parent exists, the list is incomplete.
pub(crate) async fn read(context: &Context, streams: StreamSet, input: JobInput, shows_gap: bool) -> Result<JobReport, JobError> {
    let Some(mut lookup) = context.lookups.start().await else { return Ok(JobReport::default()) };
    let JobInput { stream: finder, parent, .. } = input;
    let Some(finds) = finder.discovers else { return Ok(JobReport::default()) };
    let own = streams.filter(|stream| stream.name == finder.name);
    let below = streams.without(own);
    let found = |facts| {
        let mut found = FoundParent::new(parent.clone(), below, Origin::Listed);
        found.details.facts = facts;
        vec![found]
    };
    let error = match context.client.object(&(finds.request)(&parent)).await {
        Ok(page) => {
            lookup.has_found = true;
            debug!("{parent} is not in Graph's list but exists; reading it");
            let (facts, skipped) = write(context, finder, own, &parent, page).await?;
            let unlisted = shows_gap.then(|| parent.own_id().to_owned());
            let read = if finder.parent_level.is_none() { own } else { StreamSet::default() };
            return Ok(JobReport { found: found(facts), unlisted, ..JobReport::completed(read, skipped) });
        }
        Err(error) => error,
    };
    // Graph reports outages in the same words as some ids that do not exist. The list of the parent, which was read a moment ago, confirms
    // that this one does not exist.
    if error.is_not_found() || finder.parent_level.is_some() && error.is_not_found_due_to_outage() {
        forget(context, below, &parent)?;
        return Ok(JobReport::default());
    }
    let is_forbidden = error.is_forbidden();
    let error = Error::graph(format!("read {parent}"), error, &[finds.permission]);
    if !is_forbidden {
        return Err(error.into());
    }
    // The application may be allowed to read what is below the parent. Reading that also shows whether the parent exists.
    let refused = if own.is_empty() { Vec::new() } else { vec![(own, error)] };
    Ok(JobReport { found: found(ChannelFacts::default()), refused, ..JobReport::default() })
}

/// Emits the record of a parent if its stream is selected. Returns the properties of the channel, and the error for records that were skipped.
async fn write(
    context: &Context,
    finder: &'static Stream,
    own: StreamSet,
    parent: &Partition,
    page: Page,
) -> Result<(ChannelFacts, Option<Error>), JobError> {
    context.count_replacements(page.replacements());
    let (mut skipped, mut facts, above) = (Skipped::default(), ChannelFacts::default(), parent.above());
    let selected = context.selected(finder).filter(|_| !own.is_empty());
    let mut records = context.output.batch(finder);
    for item in page.items() {
        context.names.note(item);
        facts = ChannelFacts::from_item(item);
        if let Some(selected) = selected {
            skipped.push(context, &mut records, item, |out| selected.columns.write(item.fields(), &id_columns(&above), out));
        }
    }
    context.output.write_records(records).await?;
    Ok((facts, skipped.into_error(context, || format!("read {parent}"))))
}

/// Removes a parent that no longer exists, and everything below it, from the states of the streams that read whatever they find there.
pub(crate) fn forget(context: &Context, streams: StreamSet, parent: &Partition) -> Result<(), JobError> {
    let is_found = |level: &Level, stream: &Stream| Stream::discovering(level).is_none() || context.config(stream).reads_all(level);
    let path_from_parent = |stream: &Stream| stream.path().into_iter().skip_while(|level| Some(*level) != parent.level());
    let is_affected = |stream: &Stream| stream.cursor.is_some() && path_from_parent(stream).all(|level| is_found(level, stream));
    let streams = streams.filter(is_affected);
    if streams.is_empty() || !context.knows(parent) {
        return Ok(());
    }
    if parent.level() == Some(&TEAM) {
        info!("{parent} and its channels no longer exist; removed from the state");
    } else {
        info!("{parent} no longer exists; removed from the state");
    }
    for stream in streams.iter() {
        context.output.update_position(emit::PositionUpdate { stream, key: parent.key(), position: None, pages: 1, offered: false })?;
    }
    Ok(())
}
