//! Delta: the changes of a channel's root messages since the last round (graph.md 4). It saves requests, and it shows what does not move a
//! chain to the top; that nothing is lost does not depend on it.

use chrono::{DateTime, Utc};
use tracing::debug;

use super::{delta_cursor::Start, shared::Remark, stream_reader::StreamReader, trouble::Trouble};
use crate::{
    emit::Closed,
    error::Error,
    graph::{self, Cause, Page, Pages},
    read::{
        context::Context,
        job::{Damage, Stop},
        place::Place,
    },
    streams,
};

/// From the round to its beginning, to an opening, and once more if that ends too.
const MAX_ATTEMPTS: usize = 4;

/// How far delta was followed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Followed {
    /// To its end; the round began at this moment of Graph's clock.
    To(DateTime<Utc>),
    /// It was not: the walk has to find the changes.
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

/// Follows the delta of a channel: emits the changes, and stores the link for the next run.
pub(super) async fn follow(
    context: &Context,
    place: Place<'_>,
    roots: &mut StreamReader<'_>,
    damage: &mut Damage,
) -> Result<Followed, Stop> {
    let mut delta = Delta { context, place, roots, damage };
    for _ in 0..MAX_ATTEMPTS {
        if delta.roots.delta.is_too_old(delta.roots.cursor.now) {
            // Delta does not reach back so far: the walk does, and delta is opened after it.
            delta.roots.delta.position.delta_at = delta.roots.cursor.began;
            delta.roots.report(0, false)?;
            return Ok(Followed::NotAtAll);
        }
        match delta.round().await {
            Ok(Some(at)) => return Ok(Followed::To(at)),
            Ok(None) => return Ok(Followed::NotAtAll),
            Err(Broken::By(error)) => {
                if !delta.recover(error)? {
                    return Ok(Followed::NotAtAll);
                }
            }
            Err(Broken::Stop(stop)) => return Err(stop),
        }
    }
    Ok(Followed::NotAtAll)
}

/// The delta of a channel while it is followed.
struct Delta<'d, 'c> {
    context: &'d Context,
    place: Place<'d>,
    roots: &'d mut StreamReader<'c>,
    damage: &'d mut Damage,
}

impl Delta<'_, '_> {
    /// Reads a round to its end. Gives when it began; [`None`] if Graph ended it without saying where the next one begins.
    async fn round(&mut self) -> Result<Option<DateTime<Utc>>, Broken> {
        let mut began = self.roots.delta.position.delta.round.as_ref().map(|round| round.at);
        let Some(mut pages) = self.pages() else { return Ok(None) };
        let mut owes = false;
        while let Some(page) = pages.next(&self.context.client).await.map_err(Broken::By)? {
            // Messages of delta do not move the cursor, by which the next run knows that a time ahead of our own clock is right.
            let now = page.date().believed(None);
            let at = *began.get_or_insert(now);
            self.roots.cursor.now = Some(now);
            let (next, delta) = (page.next().cloned(), page.delta().cloned());
            self.emit_changes(page, now).await?;
            self.context.remains(1.0);
            // A root that the run has emitted differently is left to the next run, which asks for this page again.
            owes |= self.roots.sink.take_owed();
            if !owes {
                self.roots.follow_delta(at, next.as_ref(), delta.as_ref());
            }
            self.roots.report(1, next.is_none())?;
            if next.is_none() && delta.is_some() {
                return Ok(Some(at));
            }
        }
        self.end_without_link()?;
        Ok(None)
    }

    /// The pages of a round.
    fn pages(&self) -> Option<Pages> {
        let opening = |since| streams::delta(self.place.team, self.place.channel, since);
        let since = self.roots.cursor.since();
        Some(match self.roots.delta.start(since)? {
            Start::Link(link) => Pages::from_link(&link, &opening(since)),
            Start::Opening(since) => Pages::new(opening(since)),
        })
    }

    /// Emits the changes of a page.
    async fn emit_changes(&mut self, page: Page, now: DateTime<Utc>) -> Result<(), Closed> {
        let emitted = self.roots.sink.emitted();
        for message in page.items() {
            match (message.id().filter(|_| !message.is_damaged()), message.removal()) {
                (Some(id), Some(removal)) => self.roots.push_removed(&id, removal, now),
                (Some(id), None) => self.roots.push_changed(message, &id),
                (None, _) => self.damage.items += u64::from(self.roots.is_unreported(message)),
            }
        }
        let cleaned = page.cleaned();
        let held = page.into_held();
        self.roots.sink.hand_over().await?;
        drop(held);
        if self.roots.sink.emitted() > emitted {
            self.context.note(cleaned);
        }
        Ok(())
    }

    fn end_without_link(&mut self) -> Result<(), Closed> {
        let sentence = format!("the delta query for {} ended without a deltaLink; the next run repeats it", self.channel());
        self.context.channels.remark(Remark::DeltaUnanswered, sentence);
        self.roots.delta.position.delta.round = None;
        self.roots.report(0, false)
    }

    /// Does what can be done about a round that did not come to its end. Gives whether to try again: from the beginning of the round, or from
    /// an opening.
    fn recover(&mut self, error: graph::Error) -> Result<bool, Stop> {
        let (has_round, has_link) = {
            let position = &self.roots.delta.position;
            (position.delta.round.is_some(), position.delta_link.is_some())
        };
        match Trouble::of(&error, self.roots.delta.is_given_up(date(&error))) {
            Trouble::Fatal => return Err(Error::graph(self.place.task(), error, streams::MESSAGES.permissions).into()),
            Trouble::Ended if has_round && has_link => self.begin_round_again(&error),
            Trouble::Ended if has_round || has_link => self.open_anew(&error),
            Trouble::Ended | Trouble::Refused => {
                self.refuse(&error, has_link)?;
                return Ok(false);
            }
            Trouble::Unanswered => {
                self.leave_for_now(&error);
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn begin_round_again(&mut self, error: &graph::Error) {
        debug!("starting the delta round of {} again: {error}", self.channel());
        self.roots.delta.position.delta.round = None;
    }

    fn open_anew(&mut self, error: &graph::Error) {
        let sentence = format!(
            "Graph rejected the delta token of {}; requesting the changes since then with a new delta query: {error}",
            self.channel()
        );
        self.context.channels.remark(Remark::DeltaEnded, sentence);
        self.note_date(error);
        let position = &mut self.roots.delta.position;
        (position.delta.round, position.delta_link) = (None, None);
    }

    fn refuse(&mut self, error: &graph::Error, has_link: bool) -> Result<(), Closed> {
        let sentence = format!("Graph refuses delta queries for {}; reading the channel without them: {error}", self.channel());
        // An empty channel's first page leads nowhere (graph.md 4.2): nothing that anybody could change.
        if is_of_empty_channel(error) && !has_link {
            debug!("{sentence}");
        } else {
            self.context.channels.remark(Remark::DeltaRefused, sentence);
        }
        self.note_date(error);
        self.roots.delta.refuse(self.roots.cursor.now);
        self.roots.report(0, false)
    }

    fn leave_for_now(&self, error: &graph::Error) {
        let sentence = format!("the delta query for {} failed; reading the channel without it in this run: {error}", self.channel());
        self.context.channels.remark(Remark::DeltaUnanswered, sentence);
    }

    fn note_date(&mut self, error: &graph::Error) {
        self.roots.cursor.now = self.roots.cursor.now.max(date(error));
    }

    fn channel(&self) -> String {
        format!("channel {} of team {}", self.place.channel, self.place.team)
    }
}

/// Graph's clock when it refused a request.
fn date(error: &graph::Error) -> Option<DateTime<Utc>> {
    match &error.cause {
        Cause::Refused(refusal) => Some(refusal.date),
        _ => None,
    }
}

/// Whether Graph refuses a token of delta that it has made itself, as it does in an empty channel.
fn is_of_empty_channel(error: &graph::Error) -> bool {
    matches!(&error.cause, Cause::Refused(refusal) if refusal.message.contains("DeltaToken"))
}
