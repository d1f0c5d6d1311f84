//! Reading a channel: which of its streams are walked together, and what delta is asked for.

pub(crate) mod activity;
mod chains;
mod cursor;
mod damage_marks;
mod delta;
pub(crate) mod delta_cursor;
mod depth;
pub(crate) mod estimate;
pub(crate) mod expansion;
mod first_page;
mod pair;
pub(crate) mod pass;
mod reach;
mod remaining_replies;
pub(crate) mod remaining_requests;
mod restarts;
pub(crate) mod shared;
mod sink;
mod stream_reader;
pub(crate) mod thread;
mod thread_pages;
mod trouble;
mod walk;

use chrono::TimeDelta;

use super::{
    context::Context,
    found::Origin,
    job::{Damage, Report, Stop, Work},
    place::Place,
};
use crate::{
    level::{CHANNEL, TEAM},
    streams::{self, StreamSet},
};
use delta::Followed;
use pair::{Pair, are_together};
use stream_reader::StreamReader;
use walk::Walk;

/// What delta does not show comes with a walk, at least this often.
pub(crate) const WALK_EVERY: TimeDelta = TimeDelta::hours(24);

/// Reads a channel for the streams that it feeds.
pub(crate) async fn read(context: &Context, feeds: StreamSet, work: Work) -> Result<Report, Stop> {
    let place = Place { team: work.of.id(&TEAM), channel: work.of.id(&CHANNEL), facts: work.said.facts };
    let reader = |stream| StreamReader::new(context, stream, place, None).filter(|reader| feeds.contains(reader.stream()));
    let (roots, replies) = (reader(&streams::MESSAGES), reader(&streams::MESSAGE_REPLIES));
    let older_of_done = roots.iter().chain(&replies).filter(|reader| reader.is_done()).find_map(|reader| reader.gap(|| place.task()));
    let [roots, replies] = [roots, replies].map(|reader| reader.filter(|reader| !reader.is_done()));
    let mut reading = Reading { context, place, roots, replies, damage: Damage::default() };
    match reading.run().await {
        Err(Stop::Failed(error)) if work.origin == Origin::Perhaps && error.is_missing() => Ok(Report::default()),
        Err(stop) => Err(stop),
        Ok(()) => {
            let too_large = reading.roots.iter().chain(&reading.replies).map(|reader| reader.too_large).sum();
            let older = || reading.roots.iter().chain(&reading.replies).find_map(|reader| reader.gap(|| place.task()));
            let older = reading.damage.older.take().or_else(older).or(older_of_done).map(|error| error.or_leave_out(place.channel));
            let damage = Damage { too_large, older, ..reading.damage }.into_error(context, || place.task());
            Ok(Report { here: vec![place.channel.to_owned()], ..Report::read(feeds, damage) })
        }
    }
}

struct Reading<'c> {
    context: &'c Context,
    place: Place<'c>,
    roots: Option<StreamReader<'c>>,
    replies: Option<StreamReader<'c>>,
    damage: Damage,
}

impl Reading<'_> {
    async fn run(&mut self) -> Result<(), Stop> {
        let mut followed = None;
        if delta_may_do(self.roots.as_ref(), self.replies.as_ref()) {
            followed = self.follow().await?;
            if !self.roots.as_ref().is_some_and(|reader| is_walk_due(reader, followed)) {
                return Ok(());
            }
        }
        let follows = self.roots.as_ref().is_some_and(|roots| roots.delta.is_followed());
        self.walk().await?;
        let changed = self.roots.iter().chain(&self.replies).any(|reader| reader.sink.emitted() > 0);
        let tries_again = self.roots.as_ref().is_some_and(|reader| reader.delta.is_tried_again(changed, reader.cursor.now));
        if followed.is_none() && (follows || tries_again) {
            self.follow().await?;
        }
        Ok(())
    }

    async fn follow(&mut self) -> Result<Option<Followed>, Stop> {
        let Some(roots) = &mut self.roots else { return Ok(None) };
        let followed = delta::follow(self.context, self.place, roots, &mut self.damage).await?;
        Ok(Some(followed))
    }

    /// One walk for both streams if they are at the same place; otherwise one walk after the other.
    async fn walk(&mut self) -> Result<(), Stop> {
        let Self { context, place, roots, replies, damage } = self;
        let are_apart = roots.as_mut().zip(replies.as_mut()).is_some_and(|(roots, replies)| !are_together(roots, replies));
        if are_apart {
            Walk::new(context, *place, Pair::new(roots.as_mut(), None), damage).run().await?;
            Walk::new(context, *place, Pair::new(None, replies.as_mut()), damage).run().await?;
        } else if roots.is_some() || replies.is_some() {
            Walk::new(context, *place, Pair::new(roots.as_mut(), replies.as_mut()), damage).run().await?;
        }
        Ok(())
    }
}

/// Whether delta may be enough: it knows no replies, and nothing that was never read.
fn delta_may_do(roots: Option<&StreamReader<'_>>, replies: Option<&StreamReader<'_>>) -> bool {
    let knows = |reader: &StreamReader<'_>| {
        let cursor = &reader.cursor;
        reader.delta.is_followed() && cursor.read_at().is_some() && !cursor.is_walking() && !cursor.has_gap()
    };
    replies.is_none() && roots.is_some_and(knows)
}

/// Whether delta was not enough: it could not be followed, or it is time to look for what it never shows.
fn is_walk_due(roots: &StreamReader<'_>, followed: Option<Followed>) -> bool {
    match followed {
        Some(Followed::To(now)) => roots.cursor.read_at().is_none_or(|read_at| (now - read_at).abs() >= WALK_EVERY),
        _ => true,
    }
}
