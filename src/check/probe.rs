//! The requests of a check. Each is sent once, even if several streams need it.

use std::collections::HashMap;

use uuid::Uuid;

use super::deadline::{Deadline, REQUEST_LIMIT, no_response};
use crate::{
    config::Config,
    error::Error,
    graph::{self, Cause, GraphClient, Page, Request, SignInFailure},
    level::{CHANNEL, MESSAGE, Partition, TEAM},
    read::channel::pass::is_expansion_refused,
    streams::{self, Read, Stream},
};

/// A request and the kind of its response.
#[derive(Clone, Debug)]
pub(super) enum ProbeRequest {
    List(Request),
    Object(Request),
    /// A report with these columns.
    Report(Request, &'static [&'static str]),
    /// A list, and its replacement where Graph does not support `$expand=replies`.
    Expanded(Request, Request),
}

/// The ids on the first page of a list.
#[derive(Clone, Debug, Default)]
pub(super) struct ListedIds {
    pub(super) ids: Vec<String>,
    pub(super) has_next: bool,
}

impl ListedIds {
    fn of(page: &Page) -> Self {
        Self { ids: page.items().filter_map(|item| item.id().map(|id| id.into_owned())).collect(), has_next: page.next().is_some() }
    }
}

/// Sends requests and remembers their results.
pub(super) struct Probe<'c> {
    client: &'c GraphClient,
    deadline: Deadline,
    tenant_id: Option<Uuid>,
    results: HashMap<Request, Result<ListedIds, graph::Error>>,
    /// Graph did not respond at all: nothing more is sent.
    unreachable: Option<graph::Error>,
}

impl<'c> Probe<'c> {
    pub(super) async fn sign_in(client: &'c GraphClient, config: &Config) -> Result<Self, Error> {
        let late = || {
            let service = config.login_host();
            let description = format!("the sign-in service {}: {}", service.trim_end_matches('/'), no_response(REQUEST_LIMIT));
            Cause::SignIn(SignInFailure { description, transient: true, ..SignInFailure::default() })
        };
        let deadline = Deadline::new();
        let signed_in = deadline.wait(client.sign_in(), "sign in", |_| late()).await;
        signed_in.map_err(|error| Error::graph("sign in", error, &[]))?;
        let tenant_id = client.claims().await.tenant_id;
        Ok(Self { client, deadline, tenant_id, results: HashMap::new(), unreachable: None })
    }

    /// The tenant's id from the token, since the configured one may be a domain.
    pub(super) fn tenant_id(&self, config: &Config) -> String {
        self.tenant_id.map_or_else(|| config.tenant_id.clone(), |id| id.to_string())
    }

    pub(super) async fn fetch(&mut self, request: &ProbeRequest) -> Result<ListedIds, graph::Error> {
        match request {
            ProbeRequest::List(request) => self.list(request).await,
            ProbeRequest::Object(request) => {
                self.send(request, async |client| client.object(request).await.map(|page| ListedIds::of(&page))).await
            }
            ProbeRequest::Report(request, columns) => {
                self.send(request, async |client| client.report(request, columns).await.map(|_| ListedIds::default())).await
            }
            ProbeRequest::Expanded(request, without) => match self.list(request).await {
                Err(error) if is_expansion_refused(&error) => self.list(without).await,
                result => result,
            },
        }
    }

    async fn list(&mut self, request: &Request) -> Result<ListedIds, graph::Error> {
        self.send(request, async |client| client.page(request).await.map(|page| ListedIds::of(&page))).await
    }

    async fn send(
        &mut self,
        request: &Request,
        send: impl AsyncFnOnce(&GraphClient) -> Result<ListedIds, graph::Error>,
    ) -> Result<ListedIds, graph::Error> {
        if let Some(result) = self.results.get(request) {
            return result.clone();
        }
        if let Some(error) = &self.unreachable {
            return Err(graph::Error { request: request.to_string(), ..error.clone() });
        }
        // A 429 is a response: Graph is reachable.
        let is_throttled = || self.client.counts().throttled() > 0;
        let late = |waited| if is_throttled() { Cause::RateLimited(waited) } else { Cause::Transport(no_response(waited)) };
        let result = self.deadline.wait(send(self.client), request, late).await;
        if let Err(error) = &result
            && matches!(error.cause, Cause::Transport(_))
        {
            self.unreachable = Some(error.clone());
        }
        self.results.insert(request.clone(), result.clone());
        result
    }

    /// Whether Graph's list of teams is empty.
    pub(super) fn lists_no_team(&self) -> bool {
        matches!(self.results.get(&streams::group_ids(None)), Some(Ok(listed)) if listed.ids.is_empty() && !listed.has_next)
    }

    /// Whether one of the lists that were read contains this parent.
    pub(super) fn has_listed(&self, of: &Partition) -> bool {
        let list = of.level().and_then(Stream::discovering).and_then(|finder| ProbeRequest::list_of(finder, &of.above()));
        let Some(ProbeRequest::List(request)) = list else { return false };
        matches!(self.results.get(&request), Some(Ok(listed)) if listed.ids.iter().any(|id| id == of.own_id()))
    }
}

impl ProbeRequest {
    /// The list in which a stream finds parents.
    pub(super) fn list_of(finder: &Stream, parent: &Partition) -> Option<Self> {
        match finder.read {
            // A page of ids is small.
            Read::Teams => Some(Self::List(streams::group_ids(None))),
            Read::List(list) => Some(Self::List((list.request)(parent, finder.max_page_size))),
            Read::Walk(_) | Read::Report(_) => None,
        }
    }

    /// The request that shows whether a stream of this parent can be read.
    pub(super) fn for_stream(stream: &Stream, parent: &Partition) -> Option<Self> {
        match stream.read {
            Read::Teams => Self::item(stream, parent),
            Read::List(_) if stream.discovers.is_some() => Self::list_of(stream, parent),
            Read::List(list) => Some(Self::List((list.request)(parent, 1))),
            Read::Walk(_) => Some(walk(parent)),
            Read::Report(request) => Some(Self::Report(request(), stream.primary_key)),
        }
    }

    /// The request for the parent itself.
    pub(super) fn item(finder: &Stream, parent: &Partition) -> Option<Self> {
        finder.discovers.map(|finds| Self::Object((finds.request)(parent)))
    }
}

/// One message of a channel, or one reply of a thread.
fn walk(of: &Partition) -> ProbeRequest {
    let (team, channel) = (of.id(&TEAM), of.id(&CHANNEL));
    match of.id(&MESSAGE) {
        "" => ProbeRequest::Expanded(streams::messages_with_replies(team, channel, 1), streams::root_messages(team, channel, 1)),
        message => ProbeRequest::List(streams::replies(team, channel, message, 1)),
    }
}
