//! Delta: the changes of a channel's root messages since the last round (graph.md 4). It saves requests, and it tells what does not move a
//! chain to the top; that nothing is lost does not depend on it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tracing::debug;

use super::{activity::before, part::Part, trouble::Trouble};
use crate::{
    emit::Closed,
    error::Error,
    graph::{self, Cause, Link, Page, Pages},
    read::{
        context::{Context, Remark},
        job::{Damage, Stop},
        place::Place,
    },
    state::ChannelState,
    streams,
};

/// Delta knows the changes of eight months (graph.md 4.2); months may have 28 days.
const HORIZON: Duration = Duration::from_secs(240 * 24 * 3600);

/// An opening reaches back by this much at least: changes show in delta with a delay.
const LEAST_OVERLAP: Duration = Duration::from_secs(3600);

/// A channel that refused delta is tried again after so long.
const TRY_AGAIN: Duration = Duration::from_secs(24 * 3600);

/// What following delta came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Followed {
    /// To its end; the round began at this moment of Graph's clock.
    To(DateTime<Utc>),
    /// It was not: the walk has to tell.
    NotAtAll,
}

/// Why a round did not come to its end.
enum Broken {
    By(graph::Error),
    Stop(Stop),
}

impl From<Closed> for Broken {
    fn from(closed: Closed) -> Self {
        Self::Stop(closed.into())
    }
}

impl Part<'_> {
    /// Whether there is delta to follow, as far as is known before the run has asked anything of the channel: a link, or a time from which
    /// it is to be opened.
    pub(crate) fn follows_delta(&self) -> bool {
        let ChannelState { delta_link, delta_at, delta, .. } = &self.state;
        let is_possible = self.config.use_delta_api && !self.is_full_refresh() && delta.refused_at.is_none();
        is_possible && (delta_link.is_some() || delta.round.is_some() || delta_at.is_some())
    }

    /// Whether what delta should tell is older than what it knows.
    fn is_delta_too_old(&self) -> bool {
        let has_link = self.state.delta_link.is_some() || self.state.delta.round.is_some();
        let is_too_old = |at| self.now.is_some_and(|now| at < before(now, HORIZON));
        !has_link && self.state.delta_at.is_none_or(is_too_old)
    }

    /// Whether its link has not been answered for so long that it will hardly be.
    fn is_given_up(&self, error: &graph::Error) -> bool {
        let asked_at = self.state.delta.round.as_ref().map(|round| round.at).or(self.state.delta_at);
        date(error).zip(asked_at).is_some_and(|(now, at)| before(now, TRY_AGAIN) > at)
    }

    /// From when on delta tells changes, if it can be followed at that time of Graph's clock.
    pub(crate) fn delta_from(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let has_link = self.state.delta_link.is_some() || self.state.delta.round.is_some();
        let at = self.state.delta.round.as_ref().map(|round| round.at).or(self.state.delta_at);
        if has_link {
            return Some(at.unwrap_or(now));
        }
        at.filter(|&at| at >= before(now, HORIZON)).map(|at| before(at, self.config.lookback.max(LEAST_OVERLAP)))
    }

    /// Whether delta was refused, and may be tried again: the walk has shown a change, or some time has passed.
    pub(crate) fn tries_delta_again(&self, changed: bool) -> bool {
        let waited = |refused_at| self.now.is_some_and(|now| before(now, TRY_AGAIN) >= refused_at);
        self.config.use_delta_api && !self.is_full_refresh() && self.state.delta.refused_at.is_some_and(|at| changed || waited(at))
    }

    /// The pages of a round: from where the last one stopped, from the end of the one before it, or from an opening.
    fn pages_of_round(&self) -> Option<Pages> {
        let since = |time| streams::delta(self.place.team, self.place.channel, time);
        let stored = |link: &str| Link::from_path(link).map(|link| Pages::from_link(&link, &since(self.since())));
        let going_on = self.state.delta.round.as_ref().and_then(|round| stored(&round.link));
        let from_link = || self.state.delta_link.as_ref().and_then(|link| stored(link));
        let opening = || {
            let from = before(self.state.delta_at?, self.config.lookback.max(LEAST_OVERLAP)).max(self.since());
            Some(Pages::new(since(from)))
        };
        going_on.or_else(from_link).or_else(opening)
    }

    /// Emits the changes of a page.
    async fn take_changes(&mut self, context: &Context, page: Page, now: DateTime<Utc>, damage: &mut Damage) -> Result<(), Closed> {
        let told = self.told;
        for message in page.items() {
            match (message.id().filter(|_| !message.is_damaged()), message.removal()) {
                (Some(id), Some(removal)) => self.push_removed(&id, removal, now),
                (Some(id), None) => self.push_changed(message, &id),
                (None, _) => damage.items += u64::from(self.is_unsaid(message)),
            }
        }
        let cleaned = page.cleaned();
        let held = page.into_held();
        self.hand_over().await?;
        drop(held);
        if self.told > told {
            context.note(cleaned);
        }
        Ok(())
    }

    /// A walk is done: where nothing is known of delta, it is to be opened from the beginning of that walk on, by the next run. A channel
    /// in which nothing was ever found is not worth a request.
    pub(crate) fn open_delta_behind_walk(&mut self) {
        if self.config.use_delta_api && self.state.read_at.is_some() && self.is_delta_too_old() {
            self.state.delta_at = self.began;
        }
    }
}

/// Follows the delta of a channel: tells what it tells, and stores where it goes on.
pub(crate) async fn follow(context: &Context, place: Place<'_>, part: &mut Part<'_>, damage: &mut Damage) -> Result<Followed, Stop> {
    // From the round to its beginning, to an opening, and once more if that ends too.
    for _ in 0..4 {
        if part.is_delta_too_old() {
            // Delta does not reach back so far: the walk does, and delta is opened behind it.
            part.state.delta_at = part.began;
            part.report(0, false)?;
            return Ok(Followed::NotAtAll);
        }
        let error = match round(context, place, part, damage).await {
            Ok(Some(at)) => return Ok(Followed::To(at)),
            Ok(None) => return Ok(Followed::NotAtAll),
            Err(Broken::By(error)) => error,
            Err(Broken::Stop(stop)) => return Err(stop),
        };
        if !goes_on(context, place, part, error)? {
            return Ok(Followed::NotAtAll);
        }
    }
    Ok(Followed::NotAtAll)
}

/// Does what can be done about a round that did not come to its end. Gives whether to try again: from the beginning of the round, or from an
/// opening.
fn goes_on(context: &Context, place: Place<'_>, part: &mut Part<'_>, error: graph::Error) -> Result<bool, Stop> {
    let Place { team, channel, .. } = place;
    let (has_round, has_link) = (part.state.delta.round.is_some(), part.state.delta_link.is_some());
    match Trouble::of(&error, part.is_given_up(&error)) {
        Trouble::Fatal => return Err(Error::graph(place.task(), error, streams::MESSAGES.permissions).into()),
        Trouble::Ended if has_round && has_link => {
            debug!("delta of channel {channel} of team {team}: the round begins again: {error}");
            part.state.delta.round = None;
        }
        Trouble::Ended if has_round || has_link => {
            let sentence = format!(
                "the delta token of channel {channel} of team {team} is no longer taken: what changed since is asked for anew; {error}"
            );
            context.remark(Remark::DeltaEnded, sentence);
            part.now = part.now.max(date(&error));
            (part.state.delta.round, part.state.delta_link) = (None, None);
        }
        Trouble::Ended | Trouble::Refused => {
            let sentence = format!("delta is refused for channel {channel} of team {team}: it is read without; {error}");
            // An empty channel's first page leads nowhere (graph.md 4.2): nothing that anybody could change.
            if error.to_string().contains("DeltaToken") && !has_link {
                debug!("{sentence}");
            } else {
                context.remark(Remark::DeltaRefused, sentence);
            }
            part.now = part.now.max(date(&error));
            // The link is kept: what it tells from its time on, nothing else may tell.
            (part.state.delta.round, part.state.delta.refused_at) = (None, part.now);
            part.report(0, false)?;
            return Ok(false);
        }
        Trouble::Unanswered => {
            let sentence = format!("delta does not answer for channel {channel} of team {team}: it is read without for now; {error}");
            context.remark(Remark::DeltaUnanswered, sentence);
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reads a round to its end. Gives when it began; [`None`] if Graph ended it without saying where the next one begins.
async fn round(context: &Context, place: Place<'_>, part: &mut Part<'_>, damage: &mut Damage) -> Result<Option<DateTime<Utc>>, Broken> {
    let mut began = part.state.delta.round.as_ref().map(|round| round.at);
    let Some(mut pages) = part.pages_of_round() else { return Ok(None) };
    let mut owes = false;
    while let Some(page) = pages.next(&context.client).await.map_err(Broken::By)? {
        // Messages of delta do not move the cursor, by which the next run knows that a time ahead of our own clock is right.
        let now = page.date().believed(None);
        let at = *began.get_or_insert(now);
        part.now = Some(now);
        let (next, delta) = (page.next().cloned(), page.delta().cloned());
        part.take_changes(context, page, now, damage).await?;
        context.remains(1.0);
        // A root that the run has emitted differently is left to the next run, which asks for this page again.
        owes |= part.take_owed();
        if !owes {
            part.follow_delta_links(at, next.as_ref(), delta.as_ref());
        }
        part.report(1, next.is_none())?;
        if next.is_none() && delta.is_some() {
            return Ok(Some(at));
        }
    }
    let Place { team, channel, .. } = place;
    let sentence = format!("delta of channel {channel} of team {team} ends without a deltaLink: its round is asked for again");
    context.remark(Remark::DeltaUnanswered, sentence);
    part.state.delta.round = None;
    part.report(0, false)?;
    Ok(None)
}

fn date(error: &graph::Error) -> Option<DateTime<Utc>> {
    match &error.cause {
        Cause::Refused(refusal) => Some(refusal.date),
        _ => None,
    }
}
