//! Parents that earlier runs have read and that Graph no longer lists. Lists can be incomplete: each parent is asked for. What exists is read as
//! if it were listed, what is gone is left out of the states.

use tracing::{debug, info};

use crate::{
    emit,
    error::Error,
    graph::Page,
    level::{Level, Partition, TEAM},
    read::{
        context::Context,
        found::{Found, Origin},
        job::{Damage, Report, Stop, Work},
        place::{Facts, derived},
    },
    streams::{Stream, StreamSet},
};

/// Asks for a parent that its list does not have. `shows_gap`: if it exists, the list is not complete.
pub(crate) async fn read(context: &Context, feeds: StreamSet, work: Work, shows_gap: bool) -> Result<Report, Stop> {
    let Some(mut look) = context.looks.take().await else { return Ok(Report::default()) };
    let Work { stream: finder, of, .. } = work;
    let Some(finds) = finder.finds else { return Ok(Report::default()) };
    let own = feeds.filter(|stream| stream.name == finder.name);
    let below = feeds.without(own);
    let found = |facts| {
        let mut found = Found::new(of.clone(), below, Origin::Listed);
        found.said.facts = facts;
        vec![found]
    };
    let error = match context.client.object(&(finds.request)(&of)).await {
        Ok(page) => {
            look.has_found = true;
            debug!("{of} is not in Graph's list but exists; reading it");
            let (facts, damage) = write(context, finder, own, &of, page).await?;
            let unlisted = shows_gap.then(|| of.own_id().to_owned());
            let read = if finder.below.is_none() { own } else { StreamSet::default() };
            return Ok(Report { found: found(facts), unlisted, ..Report::read(read, damage) });
        }
        Err(error) => error,
    };
    // Words of an outage are what Graph has for ids that do not exist, too: the list of the parent, which was read just now, says the same.
    if error.is_missing() || finder.below.is_some() && error.is_missing_in_an_outage() {
        forget(context, below, &of)?;
        return Ok(Report::default());
    }
    let is_forbidden = error.is_forbidden();
    let error = Error::graph(format!("read {of}"), error, &[finds.permission]);
    if !is_forbidden {
        return Err(error.into());
    }
    // Whoever may not read the parent may read what is below it, which tells as much.
    let refused = if own.is_empty() { Vec::new() } else { vec![(own, error)] };
    Ok(Report { found: found(Facts::default()), refused, ..Report::default() })
}

/// Writes the record of a parent, if its stream is selected. Gives what else is known of it, and what could not be written.
async fn write(
    context: &Context,
    finder: &'static Stream,
    own: StreamSet,
    of: &Partition,
    page: Page,
) -> Result<(Facts, Option<Error>), Stop> {
    context.note(page.cleaned());
    let (mut damage, mut facts, above) = (Damage::default(), Facts::default(), of.above());
    let selected = context.selected(finder).filter(|_| !own.is_empty());
    let mut records = context.output.batch(finder);
    for item in page.items() {
        context.names.note(item);
        facts = Facts::of(item);
        if let Some(selected) = selected {
            damage.push(context, &mut records, item, |out| selected.columns.write(item.fields(), &derived(&above), out));
        }
    }
    context.output.records(records).await?;
    Ok((facts, damage.into_error(context, || format!("read {of}"))))
}

/// A parent is gone, and all that is below it: the states of the streams that read whatever is found there leave it out.
pub(crate) fn forget(context: &Context, streams: StreamSet, of: &Partition) -> Result<(), Stop> {
    let is_found = |level: &Level, stream: &Stream| Stream::finding(level).is_none() || context.config(stream).reads_all(level);
    let from_it_on = |stream: &Stream| stream.path().into_iter().skip_while(|level| Some(*level) != of.level());
    let keeps = |stream: &Stream| stream.cursor.is_some() && from_it_on(stream).all(|level| is_found(level, stream));
    let streams = streams.filter(keeps);
    if streams.is_empty() || !context.knows(of) {
        return Ok(());
    }
    if of.level() == Some(&TEAM) {
        info!("{of} and its channels no longer exist; removed from the state");
    } else {
        info!("{of} no longer exists; removed from the state");
    }
    for stream in streams.iter() {
        context.output.report(emit::Report { stream, key: of.key(), position: None, pages: 1, offered: false })?;
    }
    Ok(())
}
