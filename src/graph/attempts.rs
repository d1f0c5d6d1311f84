//! The attempts at a request: it waits for its turn, is sent, and is sent again as the table in `retry.rs` says, until it has its page or is
//! given up.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::Utc;
use http::{
    StatusCode,
    header::{HeaderValue, LOCATION},
};
use tracing::{debug, info, trace};
use uuid::Uuid;

use super::{
    AnswerDate, Cause, Claims, Error, Refusal, Request, WorkEvent,
    answer::{date, quotable, refusal},
    auth::token::{Token, TokenSource},
    error::WithId,
    exchange::{Answer, Exchange, Exchanged},
    form::Form,
    limits::Limits,
    link::report_file,
    pace::turns::Turns,
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
struct Sending<'s, F> {
    request: &'s Request,
    form: F,
    work: &'s Work,
    attempts: u32,
    /// Our id of the last attempt.
    id: Option<Uuid>,
}

impl<F> Sending<'_, F> {
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

    /// Sends a request until it gets what it is for.
    pub(super) async fn send<F: Form>(&self, request: &Request, form: F, work: &Work) -> Result<F::Made, Error> {
        let mut waits = self.waits();
        let mut sending = Sending { request, form, work, attempts: 0, id: None };
        loop {
            let cause = match self.take_turn(&mut sending).await {
                Ok(made) => return Ok(made),
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
    async fn take_turn<F: Form>(&self, sending: &mut Sending<'_, F>) -> Result<F::Made, Cause> {
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
    async fn try_with_token<F: Form>(&self, sending: &mut Sending<'_, F>) -> Result<F::Made, Cause> {
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

    async fn attempt<F: Form>(&self, sending: &mut Sending<'_, F>, token: &Token) -> Result<F::Made, Cause> {
        let asked = Utc::now();
        let Exchanged { id, answer } = self.exchange.send(sending.request, token, sending.work).await;
        sending.id = id;
        let answer = answer?;
        let date = AnswerDate::new(date(&answer.headers), asked);
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(date);
        let answer = if F::MAY_BE_ELSEWHERE && answer.status == StatusCode::FOUND {
            self.file(answer.headers.get(LOCATION), date, sending.work).await?
        } else {
            answer
        };
        if answer.status.is_success() { self.made(answer, date, sending).await } else { Err(self.refused(answer, date, token)) }
    }

    /// The file that Graph redirects to. Where it cannot be had, Graph is asked anew: what it redirects to lasts for minutes.
    async fn file(&self, location: Option<&HeaderValue>, date: AnswerDate, work: &Work) -> Result<Answer, Cause> {
        let Exchange { host, secrets, .. } = &self.exchange;
        let location = location.and_then(|location| location.to_str().ok()).unwrap_or_default();
        let elsewhere = |place: String| Cause::ForeignLink(quotable(&place, secrets));
        let answer = self.exchange.file(report_file(location, host).map_err(elsewhere)?, work).await?;
        match answer.status {
            status if status.is_redirection() => Err(elsewhere("yet another place than the file of the report".to_owned())),
            status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
                let body = answer.body.map(|(body, _)| body).unwrap_or_default();
                Err(Cause::Refused(refusal(status.as_u16(), &answer.headers, date, &body, secrets)))
            }
            status if !status.is_success() => {
                Err(Cause::Transport(format!("the file of the report cannot be had: status {}", status.as_u16())))
            }
            _ => Ok(answer),
        }
    }

    async fn made<F: Form>(
        &self,
        Answer { status, body, .. }: Answer,
        date: AnswerDate,
        sending: &Sending<'_, F>,
    ) -> Result<F::Made, Cause> {
        // A part of a page, as caches and proxies give it, says nothing of the rest.
        if status == StatusCode::PARTIAL_CONTENT {
            return Err(Cause::Malformed("it is a part of a page (status 206)".to_owned()));
        }
        let (body, held) = body?;
        sending.work.set_size(body.len());
        sending.form.make(body, held, date, &self.exchange).await
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
}

/// The wait that Graph names, if it has refused a request since its limits are reached.
fn throttled(cause: &Cause) -> Option<Option<Duration>> {
    match cause {
        Cause::Refused(Refusal { status: 429, retry_after, .. }) => Some(*retry_after),
        _ => None,
    }
}
