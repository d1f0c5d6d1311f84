//! One exchange with Graph: a request is sent, and the bytes of its answer are read.

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
    answer::{Patience, decoded, quotable},
    auth::token::Token,
    http::Way,
    pace::counts::Counters,
    page::bodies::{Bodies, Held},
    work::Work,
};
use crate::secrets::Secrets;

const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("client-request-id");

/// So many bytes of a body are decompressed at once.
const STEP: usize = 64 * 1024;

/// So many bytes of a refusal are read.
const REFUSAL: usize = 64 * 1024;

/// What every exchange takes.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) way: Arc<Way>,
    pub(super) host: Host,
    pub(super) secrets: Secrets,
    pub(super) counters: Arc<Counters>,
    pub(super) bodies: Bodies,
    pub(super) patience: Patience,
    /// Bytes of an answer, decompressed: a larger one is not read to its end.
    pub(super) largest: usize,
}

/// What an exchange came to.
pub(super) struct Exchanged {
    /// Our id of the request; [`None`] if it was not sent: then nobody knows it.
    pub(super) id: Option<Uuid>,
    pub(super) answer: Result<Answer, Cause>,
}

/// An answer with what could be read of its body.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Result<(Vec<u8>, Held), Cause>,
}

impl Exchange {
    /// Sends a request, with an id of its own, and reads the answer.
    pub(super) async fn send(&self, request: &Request, token: &Token, work: &Work) -> Exchanged {
        let (id, client, mut patience, mut has_left) = (Uuid::new_v4(), self.way.client(), self.patience, true);
        let to_send = match self.authorized(&client, request, token) {
            Ok(to_send) => to_send.header(CLIENT_REQUEST_ID, id.to_string()).send(),
            Err(cause) => return Exchanged { id: None, answer: Err(cause) },
        };
        let class = request.scope().class();
        self.counters.sent(class);
        work.report(WorkEvent::Sent);
        let began = Instant::now();
        let response = patience.wait(async { to_send.await.inspect_err(|error| has_left = !error.is_connect()) }).await;
        let answer = match response {
            Ok(response) => {
                let (status, headers) = (response.status(), response.headers().clone());
                let body = self.read(response, &mut patience, work.size()).await;
                Ok(Answer { status, headers, body })
            }
            Err(text) => Err(Cause::Transport(format!("{}: {}", self.host, quotable(&text, &self.secrets)))),
        };
        if patience.is_over() || matches!(answer, Ok(Answer { status: StatusCode::MISDIRECTED_REQUEST, .. })) {
            self.way.renew(&client);
        }
        let took = began.elapsed();
        self.counters.took(class, took);
        if let Ok(Answer { status, body, .. }) = &answer {
            let bytes = body.as_ref().map_or(0, |(body, _)| body.len());
            debug!("{request}: {} in {} ms, {bytes} bytes", status.as_u16(), took.as_millis());
        }
        Exchanged { id: has_left.then_some(id), answer }
    }

    /// Fetches a file from where Graph has redirected to: nothing of ours goes there, and no budget of Graph's counts it.
    pub(super) async fn file(&self, (host, url): (Host, Url), work: &Work) -> Result<Answer, Cause> {
        let transport = |text: &str| Cause::Transport(format!("{host}: {}", quotable(text, &self.secrets)));
        let (way, mut patience) = (Way::new(&host, &self.secrets).map_err(|error| transport(&error.to_string()))?, self.patience);
        let to_send = way.client().get(url).header(ACCEPT, "*/*").header(ACCEPT_ENCODING, "gzip").send();
        let response = patience.wait(to_send).await.map_err(|text| transport(&text))?;
        let (status, headers) = (response.status(), response.headers().clone());
        debug!("the file at {host}: {}", status.as_u16());
        let body = self.read(response, &mut patience, work.size()).await;
        Ok(Answer { status, headers, body })
    }

    fn authorized(&self, client: &reqwest::Client, request: &Request, token: &Token) -> Result<reqwest::RequestBuilder, Cause> {
        let url = self.host.url(request.path_and_query()).ok_or_else(|| Cause::Malformed("a link that is no path of Graph".to_owned()))?;
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", token.secret()))
            .map_err(|_| Cause::Malformed("the sign-in service gave a token that fits into no header".to_owned()))?;
        authorization.set_sensitive(true);
        Ok(client.get(url).header(AUTHORIZATION, authorization).header(ACCEPT_ENCODING, "gzip"))
    }

    /// Reads a body as fast as there is room for it. Compressed bodies do not announce their size: it is expected to be that of another. Of a
    /// refusal no more is read than anybody says of one.
    async fn read(&self, response: reqwest::Response, patience: &mut Patience, expected: usize) -> Result<(Vec<u8>, Held), Cause> {
        let is_refusal = !response.status().is_success();
        let (most, expected) = if is_refusal { (REFUSAL, 0) } else { (self.largest, expected) };
        let (mut held, mut body) = (self.bodies.hold(), Vec::new());
        let mut decoded = decoded(response).map_err(|reason| Cause::Malformed(reason.to_owned()))?;
        loop {
            // What waits for room is not late.
            held.reserve(&mut body, 1, expected).await;
            let mut part = (&mut body).limit(STEP);
            if patience.wait(decoded.read_buf(&mut part)).await.map_err(|text| Cause::Transport(quotable(&text, &self.secrets)))? == 0 {
                return Ok((body, held));
            }
            if body.len() > most {
                return if is_refusal { Ok((body, held)) } else { Err(Cause::TooLarge(most)) };
            }
        }
    }
}
