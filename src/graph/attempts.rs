//! The attempts at a request: it waits for its turn, is sent, and is sent again as the table in `retry.rs` says, until it has its page or is
//! given up.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::Utc;
use http::StatusCode;
use tracing::{debug, info, trace};
use uuid::Uuid;

use super::{
    AnswerDate, Cause, Claims, Error, Page, Refusal, Request, WorkEvent,
    answer::{date, quotable, refusal},
    auth::token::{Token, TokenSource},
    error::WithId,
    exchange::{Answer, Exchange, Exchanged},
    limits::Limits,
    pace::turns::Turns,
    page::{
        index::{Expected, Malformed},
        text,
    },
    retry::{Verdict, Waits, verdict},
    work::Work,
};

/// What errors call the request for a token.
const SIGN_IN: &str = "the sign-in";

/// What attempts take.
#[derive(Debug)]
pub(super) struct Attempts {
    pub(super) exchange: Exchange,
    pub(super) tokens: TokenSource,
    pub(super) turns: Arc<Turns>,
    /// When Graph answered last; nothing before it did.
    pub(super) answered: Mutex<Option<AnswerDate>>,
    /// A second of Graph's time.
    pub(super) first_wait: Duration,
    pub(super) limits: Limits,
}

/// A request that is sent until it gets its page.
struct Sending<'s> {
    request: &'s Request,
    expected: Expected,
    work: &'s Work,
    attempts: u32,
    /// Our id of the last attempt.
    id: Option<Uuid>,
}

impl Sending<'_> {
    fn error(&self, cause: Cause) -> Error {
        Error::new(self.request, cause, self.attempts).of_attempt(self.id)
    }
}

impl Attempts {
    /// Signs in, if there is no token yet.
    pub(super) async fn sign_in(&self) -> Result<(), Error> {
        let mut waits = self.waits();
        let mut attempts = 1;
        loop {
            let Err(refusal) = self.tokens.get(None).await else { return Ok(()) };
            let cause = Cause::SignIn(refusal);
            let wait = if verdict(&cause) == Verdict::Retry { waits.next(&cause, Instant::now()) } else { None };
            let Some(wait) = wait else { return Err(Error::new(SIGN_IN, cause, attempts)) };
            info!("cannot sign in yet: {cause}; trying again in {:.1} s", wait.as_secs_f64());
            tokio::time::sleep(wait).await;
            attempts += 1;
        }
    }

    /// Sends a request until it gets its page.
    pub(super) async fn send(&self, request: &Request, expected: Expected, work: &Work) -> Result<Page, Error> {
        let mut waits = self.waits();
        let mut sending = Sending { request, expected, work, attempts: 0, id: None };
        loop {
            let cause = match self.take_turn(&mut sending).await {
                Ok(page) => return Ok(page),
                Err(cause) => cause,
            };
            let wait = match verdict(&cause) {
                Verdict::Retry => waits.next(&cause, Instant::now()),
                Verdict::RetryOnce if sending.attempts == 1 => waits.next(&cause, Instant::now()),
                _ => None,
            };
            let Some(wait) = wait else { return Err(sending.error(cause)) };
            debug!("{request}: {}; trying again in {:.1} s", WithId(&cause, sending.id), wait.as_secs_f64());
            let _held_up = throttled(&cause).map(|_| work.hold_up(wait));
            tokio::time::sleep(wait).await;
        }
    }

    fn waits(&self) -> Waits {
        // Graph's time goes as fast as the pace.
        let throttled = self.limits.throttled.mul_f64(self.first_wait.as_secs_f64());
        Waits::new(self.first_wait, Limits { throttled, ..self.limits })
    }

    /// Tries once, when it is the request's turn. Whoever has the next turn knows if this one was throttled.
    async fn take_turn(&self, sending: &mut Sending<'_>) -> Result<Page, Cause> {
        let Sending { request, work, .. } = *sending;
        let (scope, asked_at) = (request.scope(), Instant::now());
        let _turn = self.turns.take(scope, work.urgency()).await.map_err(Cause::Closed)?;
        trace!("{request}: its turn came after {} ms", asked_at.elapsed().as_millis());
        let result = self.try_with_token(sending).await;
        if let Some(retry_after) = result.as_ref().err().and_then(throttled) {
            self.exchange.counters.throttled(scope.class());
            work.report(WorkEvent::Throttled);
            self.turns.throttled(scope, retry_after);
        }
        result
    }

    /// Tries once, and at once again with a fresh token if Graph does not accept the one there is.
    async fn try_with_token(&self, sending: &mut Sending<'_>) -> Result<Page, Cause> {
        let mut refused = None;
        loop {
            sending.attempts += 1;
            let token = self.tokens.get(refused.as_ref()).await.map_err(Cause::SignIn)?;
            match self.attempt(sending, &token).await {
                Err(cause) if verdict(&cause) == Verdict::RefreshToken && refused.is_none() => refused = Some(token),
                result => return result,
            }
        }
    }

    async fn attempt(&self, sending: &mut Sending<'_>, token: &Token) -> Result<Page, Cause> {
        let asked = Utc::now();
        let Exchanged { id, answer } = self.exchange.send(sending.request, token, sending.work).await;
        sending.id = id;
        let answer = answer?;
        let date = AnswerDate::new(date(&answer.headers), asked);
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(date);
        if answer.status.is_success() { self.page(answer, date, sending).await } else { Err(self.refused(answer, date, token)) }
    }

    fn refused(&self, Answer { status, headers, body }: Answer, date: AnswerDate, token: &Token) -> Cause {
        // A refusal is one whatever has become of its body.
        let body = body.map(|(body, _)| body).unwrap_or_default();
        let mut refusal = refusal(status.as_u16(), &headers, date, &body, &self.exchange.secrets);
        if refusal.status == 403 {
            refusal.claims = Some(Box::new(Claims::of(token.secret())));
        }
        Cause::Refused(refusal)
    }

    async fn page(&self, Answer { status, body, .. }: Answer, date: AnswerDate, sending: &Sending<'_>) -> Result<Page, Cause> {
        // A part of a page, as caches and proxies give it, says nothing of the rest.
        if status == StatusCode::PARTIAL_CONTENT {
            return Err(Cause::Malformed("it is a part of a page (status 206)".to_owned()));
        }
        let Exchange { host, secrets, .. } = &self.exchange;
        let (body, mut held) = body?;
        sending.work.set_size(body.len());
        let (text, cleaned) = text::decode(body).ok_or_else(|| Cause::Malformed("it is no text in UTF-8".to_owned()))?;
        let page = Page::parse(text, cleaned, sending.expected, host, secrets, date).map_err(|malformed| match malformed {
            Malformed::Body(text) => Cause::Malformed(text),
            Malformed::ForeignLink(place) => Cause::ForeignLink(quotable(&place, secrets)),
        })?;
        held.add(page.bytes_of_index()).await;
        Ok(page.holding(held))
    }
}

/// The wait that Graph names, if it has refused a request since its limits are reached.
fn throttled(cause: &Cause) -> Option<Option<Duration>> {
    match cause {
        Cause::Refused(Refusal { status: 429, retry_after, .. }) => Some(*retry_after),
        _ => None,
    }
}
