//! Reading a channel: which of its streams are walked together, and what delta is asked for.

pub(crate) mod activity;
pub(crate) mod ahead;
pub(crate) mod delta;
pub(crate) mod part;
mod reach;
mod restarts;
pub(crate) mod thread;
mod trouble;
pub(crate) mod walk;

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
use part::Part;
use walk::{Walk, are_together};

/// What delta does not tell comes with a walk, so often at least.
const WALK_EVERY: TimeDelta = TimeDelta::hours(24);

/// Reads a channel for the streams that it feeds.
pub(crate) async fn read(context: &Context, feeds: StreamSet, work: Work) -> Result<Report, Stop> {
    let place = Place { team: work.of.id(&TEAM), channel: work.of.id(&CHANNEL), facts: work.said.facts };
    let part = |stream| Part::new(context, stream, place, None).filter(|part| feeds.contains(part.stream()));
    let (roots, replies) = (part(&streams::MESSAGES), part(&streams::MESSAGE_REPLIES));
    let older_of_done = roots.iter().chain(&replies).filter(|part| part.is_done()).find_map(|part| part.gap(|| place.task()));
    let [roots, replies] = [roots, replies].map(|part| part.filter(|part| !part.is_done()));
    let mut reading = Reading { context, place, roots, replies, damage: Damage::default() };
    match reading.run().await {
        Err(Stop::Failed(error)) if work.origin == Origin::Perhaps && error.is_missing() => Ok(Report::default()),
        Err(stop) => Err(stop),
        Ok(()) => {
            let too_large = reading.roots.iter().chain(&reading.replies).map(|part| part.too_large).sum();
            let older = || reading.roots.iter().chain(&reading.replies).find_map(|part| part.gap(|| place.task()));
            let older = reading.damage.older.take().or_else(older).or(older_of_done).map(|error| error.or_leave_out(place.channel));
            let damage = Damage { too_large, older, ..reading.damage }.into_error(context, || place.task());
            Ok(Report { here: vec![place.channel.to_owned()], ..Report::read(feeds, damage) })
        }
    }
}

struct Reading<'c> {
    context: &'c Context,
    place: Place<'c>,
    roots: Option<Part<'c>>,
    replies: Option<Part<'c>>,
    damage: Damage,
}

impl Reading<'_> {
    async fn run(&mut self) -> Result<(), Stop> {
        let mut followed = None;
        if delta_may_do(self.roots.as_ref(), self.replies.as_ref()) {
            followed = self.follow().await?;
            if !self.roots.as_ref().is_some_and(|part| is_walk_due(part, followed)) {
                return Ok(());
            }
        }
        let follows = self.roots.as_ref().is_some_and(Part::follows_delta);
        self.walk().await?;
        let changed = self.roots.iter().chain(&self.replies).any(|part| part.told > 0);
        let tries_again = self.roots.as_ref().is_some_and(|part| part.tries_delta_again(changed));
        if followed.is_none() && (follows || tries_again) {
            self.follow().await?;
        }
        Ok(())
    }

    async fn follow(&mut self) -> Result<Option<Followed>, Stop> {
        let Some(part) = &mut self.roots else { return Ok(None) };
        let followed = delta::follow(self.context, self.place, part, &mut self.damage).await?;
        Ok(Some(followed))
    }

    /// One walk for both streams where they stand at the same place; otherwise one after the other.
    async fn walk(&mut self) -> Result<(), Stop> {
        let Self { context, place, roots, replies, damage } = self;
        let are_apart = roots.as_mut().zip(replies.as_mut()).is_some_and(|(roots, replies)| !are_together(roots, replies));
        if are_apart {
            Walk::new(context, *place, roots.as_mut(), None, damage).run().await?;
            Walk::new(context, *place, None, replies.as_mut(), damage).run().await?;
        } else if roots.is_some() || replies.is_some() {
            Walk::new(context, *place, roots.as_mut(), replies.as_mut(), damage).run().await?;
        }
        Ok(())
    }
}

/// Whether delta may tell all that is wanted: it knows no replies, and nothing that was never read.
pub(crate) fn delta_may_do(roots: Option<&Part<'_>>, replies: Option<&Part<'_>>) -> bool {
    let knows = |part: &Part<'_>| part.follows_delta() && part.state.read_at.is_some() && part.state.walk.is_none() && !part.has_gap();
    replies.is_none() && roots.is_some_and(knows)
}

/// Whether delta was not enough: it did not tell, or it is time for what it never tells.
pub(crate) fn is_walk_due(part: &Part<'_>, followed: Option<Followed>) -> bool {
    match followed {
        Some(Followed::To(now)) => part.state.read_at.is_none_or(|read_at| (now - read_at).abs() >= WALK_EVERY),
        _ => true,
    }
}
