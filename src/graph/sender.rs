//! Sends a request until it succeeds or its retries are exhausted. Each attempt waits for the scheduler; `retry.rs` decides whether to retry.

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
    Cause, Claims, Error, ErrorResponse, Request, ResponseDate, WorkEvent,
    auth::token::{Token, TokenSource},
    error::WithId,
    exchange::{Exchange, ExchangeResult, Response},
    format::ResponseFormat,
    limits::Limits,
    link::report_file,
    pace::scheduler::Scheduler,
    response::{date, error_response, quotable},
    retry::{Backoff, FailureAction, action_for_cause},
    work::WorkItem,
};

/// The name of the token request in error messages.
const SIGN_IN: &str = "the sign-in";

/// Sends requests, with retries.
#[derive(Debug)]
pub(super) struct RequestSender {
    pub(super) exchange: Exchange,
    pub(super) tokens: TokenSource,
    pub(super) scheduler: Arc<Scheduler>,
    /// The date of Graph's last response.
    pub(super) last_response: Mutex<Option<ResponseDate>>,
    /// The initial backoff: one second, scaled by `pace` for simulators.
    pub(super) initial_backoff: Duration,
    pub(super) limits: Limits,
}

/// A request, and the number of attempts made so far.
struct PendingRequest<'s, F> {
    request: &'s Request,
    format: F,
    work: &'s WorkItem,
    attempts: u32,
    /// The client-request-id of the last attempt.
    id: Option<Uuid>,
}

impl<F> PendingRequest<'_, F> {
    fn error(&self, cause: Cause) -> Error {
        Error::new(self.request, cause, self.attempts).with_client_request_id(self.id)
    }
}

impl RequestSender {
    /// Signs in, if there is no token yet.
    pub(super) async fn sign_in(&self) -> Result<(), Error> {
        let mut backoff = self.backoff();
        let mut attempts = 1;
        loop {
            let Err(failure) = self.tokens.get(None).await else { return Ok(()) };
            let cause = Cause::SignIn(failure);
            let wait = if action_for_cause(&cause) == FailureAction::Retry { backoff.next(&cause, Instant::now()) } else { None };
            let Some(wait) = wait else { return Err(Error::new(SIGN_IN, cause, attempts)) };
            info!("cannot sign in: {cause}; retrying in {:.1} s", wait.as_secs_f64());
            tokio::time::sleep(wait).await;
            attempts += 1;
        }
    }

    /// Sends a request, with retries.
    pub(super) async fn send<F: ResponseFormat>(&self, request: &Request, format: F, work: &WorkItem) -> Result<F::Parsed, Error> {
        let mut backoff = self.backoff();
        let mut pending = PendingRequest { request, format, work, attempts: 0, id: None };
        loop {
            let cause = match self.scheduled_attempt(&mut pending).await {
                Ok(parsed) => return Ok(parsed),
                Err(cause) => cause,
            };
            let wait = match action_for_cause(&cause) {
                FailureAction::Retry => backoff.next(&cause, Instant::now()),
                FailureAction::RetryOnce if pending.attempts == 1 => backoff.next(&cause, Instant::now()),
                _ => None,
            };
            let Some(wait) = wait else { return Err(pending.error(cause)) };
            debug!("{request}: {}; retrying in {:.1} s", WithId(&cause, pending.id), wait.as_secs_f64());
            let _pause = throttle_retry_after(&cause).map(|_| work.pause(wait));
            tokio::time::sleep(wait).await;
        }
    }

    fn backoff(&self) -> Backoff {
        // With a simulator, `pace` scales this limit just as it scales the backoff.
        let max_throttled_time = self.limits.max_throttled_time.mul_f64(self.initial_backoff.as_secs_f64());
        Backoff::new(self.initial_backoff, Limits { max_throttled_time, ..self.limits })
    }

    /// Makes one attempt as soon as the scheduler allows it, and reports throttling to the scheduler.
    async fn scheduled_attempt<F: ResponseFormat>(&self, pending: &mut PendingRequest<'_, F>) -> Result<F::Parsed, Cause> {
        let PendingRequest { request, work, .. } = *pending;
        let (scope, queued_at) = (request.scope(), Instant::now());
        let _slot = self.scheduler.wait(scope, work.priority()).await.map_err(Cause::RateLimited)?;
        trace!("{request}: waited {} ms in the queue", queued_at.elapsed().as_millis());
        let result = self.attempt_with_token(pending).await;
        if let Some(retry_after) = result.as_ref().err().and_then(throttle_retry_after) {
            self.exchange.counters.count_throttled(scope.class());
            work.report(WorkEvent::Throttled);
            self.scheduler.report_throttled(scope, retry_after);
        }
        result
    }

    /// Makes one attempt. If Graph does not accept the token, immediately makes a second one with a new token.
    async fn attempt_with_token<F: ResponseFormat>(&self, pending: &mut PendingRequest<'_, F>) -> Result<F::Parsed, Cause> {
        let mut rejected_token = None;
        loop {
            pending.attempts += 1;
            let token = self.tokens.get(rejected_token.as_ref()).await.map_err(Cause::SignIn)?;
            match self.attempt(pending, &token).await {
                Err(cause) if action_for_cause(&cause) == FailureAction::RefreshToken && rejected_token.is_none() => {
                    rejected_token = Some(token)
                }
                result => return result,
            }
        }
    }

    async fn attempt<F: ResponseFormat>(&self, pending: &mut PendingRequest<'_, F>, token: &Token) -> Result<F::Parsed, Cause> {
        let requested_at = Utc::now();
        let ExchangeResult { id, response } = self.exchange.send(pending.request, token, pending.work).await;
        pending.id = id;
        let response = response?;
        let date = ResponseDate::new(date(&response.headers), requested_at);
        *self.last_response.lock().unwrap_or_else(PoisonError::into_inner) = Some(date);
        let response = if F::MAY_REDIRECT && response.status == StatusCode::FOUND {
            self.download_report_file(response.headers.get(LOCATION), date, pending.work).await?
        } else {
            response
        };
        if response.status.is_success() { self.parse(response, date, pending).await } else { Err(self.error_status(response, date, token)) }
    }

    /// Downloads the file that Graph redirects to. If that fails, the request to Graph is retried, because the redirect
    /// expires after a few minutes.
    async fn download_report_file(&self, location: Option<&HeaderValue>, date: ResponseDate, work: &WorkItem) -> Result<Response, Cause> {
        let Exchange { host, secrets, .. } = &self.exchange;
        let location = location.and_then(|location| location.to_str().ok()).unwrap_or_default();
        let foreign = |target: String| Cause::ForeignLink(quotable(&target, secrets));
        let response = self.exchange.download(report_file(location, host).map_err(foreign)?, work).await?;
        match response.status {
            status if status.is_redirection() => Err(foreign("a page that redirects again".to_owned())),
            status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
                let body = response.body.map(|(body, _)| body).unwrap_or_default();
                Err(Cause::ErrorStatus(error_response(status.as_u16(), &response.headers, date, &body, secrets)))
            }
            status if !status.is_success() => Err(Cause::Transport(format!("cannot download the report file: status {}", status.as_u16()))),
            _ => Ok(response),
        }
    }

    async fn parse<F: ResponseFormat>(
        &self,
        Response { status, body, .. }: Response,
        date: ResponseDate,
        pending: &PendingRequest<'_, F>,
    ) -> Result<F::Parsed, Cause> {
        // Caches and proxies may return only part of a page.
        if status == StatusCode::PARTIAL_CONTENT {
            return Err(Cause::Malformed("it is only part of the page (status 206)".to_owned()));
        }
        let (body, permit) = body?;
        pending.work.set_size(body.len());
        pending.format.parse(body, permit, date, &self.exchange).await
    }

    fn error_status(&self, Response { status, headers, body }: Response, date: ResponseDate, token: &Token) -> Cause {
        // The status is known even if the body could not be read.
        let body = body.map(|(body, _)| body).unwrap_or_default();
        let mut response = error_response(status.as_u16(), &headers, date, &body, &self.exchange.secrets);
        if response.status == 403 {
            response.claims = Some(Box::new(Claims::parse(token.secret())));
        }
        Cause::ErrorStatus(response)
    }
}

/// [`None`] if the request was not throttled. Otherwise its `Retry-After`, if present.
fn throttle_retry_after(cause: &Cause) -> Option<Option<Duration>> {
    match cause {
        Cause::ErrorStatus(ErrorResponse { status: 429, retry_after, .. }) => Some(*retry_after),
        _ => None,
    }
}
