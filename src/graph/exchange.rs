//! One HTTP exchange with Graph: sends a request and reads the response.

use std::{sync::Arc, time::Instant};

use bytes::BufMut;
use http::{
    StatusCode,
    header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};
use tokio::io::AsyncReadExt;
use tracing::debug;
use url::Url;
use uuid::Uuid;

use super::{
    Cause, Host, Request, WorkEvent,
    auth::token::Token,
    http::Connection,
    pace::counts::Counters,
    page::bodies::{BodyBuffers, BufferPermit},
    response::{Timeout, decoded, quotable},
    work::WorkItem,
};
use crate::secrets::Secrets;

const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// Maximum number of bytes that are decompressed in one step.
const CHUNK_SIZE: usize = 64 * 1024;

/// Maximum number of bytes to read from an error response.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// Sends requests to Graph and reads the responses.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) connection: Arc<Connection>,
    pub(super) host: Host,
    pub(super) secrets: Secrets,
    pub(super) counters: Arc<Counters>,
    pub(super) buffers: BodyBuffers,
    pub(super) timeout: Timeout,
    /// Maximum bytes of a response body, decompressed.
    pub(super) max_body: usize,
}

/// The result of sending a request.
pub(super) struct ExchangeResult {
    /// The client-request-id. [`None`] if the request was not sent.
    pub(super) id: Option<Uuid>,
    pub(super) response: Result<Response, Cause>,
}

/// A response, whose body may be incomplete.
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Result<(Vec<u8>, BufferPermit), Cause>,
}

impl Exchange {
    /// Sends a request with a new client-request-id and reads the response.
    pub(super) async fn send(&self, request: &Request, token: &Token, work: &WorkItem) -> ExchangeResult {
        let (id, client, mut timeout, mut was_sent) = (Uuid::new_v4(), self.connection.client(), self.timeout, true);
        let to_send = match self.authorized(&client, request, token) {
            Ok(to_send) => to_send.header(CLIENT_REQUEST_ID, id.to_string()).send(),
            Err(cause) => return ExchangeResult { id: None, response: Err(cause) },
        };
        let class = request.scope().class();
        self.counters.count_sent(class);
        work.report(WorkEvent::Sent);
        let began = Instant::now();
        let response = timeout.wait(async { to_send.await.inspect_err(|error| was_sent = !error.is_connect()) }).await;
        let response = match response {
            Ok(response) => {
                let (status, headers) = (response.status(), response.headers().clone());
                let body = self.read(response, &mut timeout, work.size()).await;
                Ok(Response { status, headers, body })
            }
            Err(text) => Err(Cause::Transport(format!("{}: {}", self.host, quotable(&text, &self.secrets)))),
        };
        if timeout.has_expired() || matches!(response, Ok(Response { status: StatusCode::MISDIRECTED_REQUEST, .. })) {
            self.connection.replace(&client);
        }
        let latency = began.elapsed();
        self.counters.add_latency(class, latency);
        if let Ok(Response { status, body, .. }) = &response {
            let bytes = body.as_ref().map_or(0, |(body, _)| body.len());
            debug!("{request}: {} in {} ms, {bytes} bytes", status.as_u16(), latency.as_millis());
        }
        ExchangeResult { id: was_sent.then_some(id), response }
    }

    /// Downloads a file that Graph has redirected to, without sending the token. This request does not count against Graph's rate limits.
    pub(super) async fn download(&self, (host, url): (Host, Url), work: &WorkItem) -> Result<Response, Cause> {
        let transport = |text: &str| Cause::Transport(format!("{host}: {}", quotable(text, &self.secrets)));
        let connection = Connection::new(&host, &self.secrets).map_err(|error| transport(&error.to_string()))?;
        let mut timeout = self.timeout;
        let to_send = connection.client().get(url).header(ACCEPT, "*/*").header(ACCEPT_ENCODING, "gzip").send();
        let response = timeout.wait(to_send).await.map_err(|text| transport(&text))?;
        let (status, headers) = (response.status(), response.headers().clone());
        debug!("report file from {host}: {}", status.as_u16());
        let body = self.read(response, &mut timeout, work.size()).await;
        Ok(Response { status, headers, body })
    }

    fn authorized(&self, client: &reqwest::Client, request: &Request, token: &Token) -> Result<reqwest::RequestBuilder, Cause> {
        let url = self.host.url(request.path_and_query()).ok_or_else(|| Cause::Malformed("a link is not a valid Graph path".to_owned()))?;
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.secret()))
            .map_err(|_| Cause::Malformed("the token from the sign-in service is not valid in an HTTP header".to_owned()))?;
        authorization.set_sensitive(true);
        Ok(client.get(url).header(AUTHORIZATION, authorization).header(ACCEPT_ENCODING, "gzip"))
    }

    /// Reads a body as memory for it becomes available. The size of a compressed body is not known in advance, so `expected_size` is the size of
    /// an earlier body. Error responses are truncated.
    async fn read(
        &self,
        response: reqwest::Response,
        timeout: &mut Timeout,
        expected_size: usize,
    ) -> Result<(Vec<u8>, BufferPermit), Cause> {
        let is_error = !response.status().is_success();
        let (max, expected_size) = if is_error { (MAX_ERROR_BODY, 0) } else { (self.max_body, expected_size) };
        let (mut permit, mut body) = (self.buffers.permit(), Vec::new());
        let mut decoded = decoded(response).map_err(|reason| Cause::Malformed(reason.to_owned()))?;
        loop {
            // Waiting for memory does not count towards the timeout.
            permit.reserve(&mut body, 1, expected_size).await;
            let mut chunk = (&mut body).limit(CHUNK_SIZE);
            if timeout.wait(decoded.read_buf(&mut chunk)).await.map_err(|text| Cause::Transport(quotable(&text, &self.secrets)))? == 0 {
                return Ok((body, permit));
            }
            if body.len() > max {
                return if is_error { Ok((body, permit)) } else { Err(Cause::TooLarge(max)) };
            }
        }
    }
}
