//! The requests of a check: each is sent once, whatever streams it is for.

use std::collections::HashMap;

use uuid::Uuid;

use super::patience::{PATIENCE, Patience, no_answer};
use crate::{
    config::Config,
    error::Error,
    graph::{self, Cause, GraphClient, Page, Request, SignInRefusal},
    level::{CHANNEL, MESSAGE, Partition, TEAM},
    read::channel::pass::is_expansion_refused,
    streams::{self, Read, Stream},
};

/// One request, in the form that its answer takes.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    /// A list.
    List(Request),
    /// One object.
    Object(Request),
    /// A report that has these columns.
    Report(Request, &'static [&'static str]),
    /// A list, and the one that takes its place where Graph does not take `$expand=replies`.
    Expanded(Request, Request),
}

/// Ids of what was asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids {
    pub(super) ids: Vec<String>,
    /// There are further pages.
    pub(super) goes_on: bool,
}

impl Ids {
    fn of(page: &Page) -> Self {
        Self { ids: page.items().filter_map(|item| item.id().map(|id| id.into_owned())).collect(), goes_on: page.next().is_some() }
    }
}

/// Sends requests and remembers the answers.
pub(super) struct Probe<'c> {
    client: &'c GraphClient,
    patience: Patience,
    tenant_id: Option<Uuid>,
    answers: HashMap<Request, Result<Ids, graph::Error>>,
    /// Graph did not answer at all: it is not asked again.
    unreachable: Option<graph::Error>,
}

impl<'c> Probe<'c> {
    pub(super) async fn sign_in(client: &'c GraphClient, config: &Config) -> Result<Self, Error> {
        let late = || {
            let service = config.login_host();
            let description = format!("the sign-in service {}: {}", service.trim_end_matches('/'), no_answer(PATIENCE));
            Cause::SignIn(SignInRefusal { description, transient: true, ..SignInRefusal::default() })
        };
        let patience = Patience::new();
        let signed_in = patience.wait(client.sign_in(), "sign in", |_| late()).await;
        signed_in.map_err(|error| Error::graph("sign in", error, &[]))?;
        let tenant_id = client.claims().await.tenant_id;
        Ok(Self { client, patience, tenant_id, answers: HashMap::new(), unreachable: None })
    }

    /// As the token has it: what was configured may be a domain.
    pub(super) fn tenant_id(&self, config: &Config) -> String {
        self.tenant_id.map_or_else(|| config.tenant_id.clone(), |id| id.to_string())
    }

    /// What Graph answers.
    pub(super) async fn ask(&mut self, ask: &Ask) -> Result<Ids, graph::Error> {
        match ask {
            Ask::List(request) => self.list(request).await,
            Ask::Object(request) => self.send(request, async |client| client.object(request).await.map(|page| Ids::of(&page))).await,
            Ask::Report(request, columns) => {
                self.send(request, async |client| client.report(request, columns).await.map(|_| Ids::default())).await
            }
            Ask::Expanded(request, without) => match self.list(request).await {
                Err(error) if is_expansion_refused(&error) => self.list(without).await,
                answer => answer,
            },
        }
    }

    async fn list(&mut self, request: &Request) -> Result<Ids, graph::Error> {
        self.send(request, async |client| client.page(request).await.map(|page| Ids::of(&page))).await
    }

    async fn send(
        &mut self,
        request: &Request,
        sent: impl AsyncFnOnce(&GraphClient) -> Result<Ids, graph::Error>,
    ) -> Result<Ids, graph::Error> {
        if let Some(answer) = self.answers.get(request) {
            return answer.clone();
        }
        if let Some(error) = &self.unreachable {
            return Err(graph::Error { request: request.to_string(), ..error.clone() });
        }
        // A 429 is an answer.
        let is_held_up = || self.client.counts().throttled() > 0;
        let late = |waited| if is_held_up() { Cause::Closed(waited) } else { Cause::Transport(no_answer(waited)) };
        let answer = self.patience.wait(sent(self.client), request, late).await;
        if let Err(error) = &answer
            && matches!(error.cause, Cause::Transport(_))
        {
            self.unreachable = Some(error.clone());
        }
        self.answers.insert(request.clone(), answer.clone());
        answer
    }

    /// Whether teams were listed, and there was none.
    pub(super) fn lists_no_team(&self) -> bool {
        matches!(self.answers.get(&streams::group_ids(None)), Some(Ok(listed)) if listed.ids.is_empty() && !listed.goes_on)
    }

    /// Whether a list that was asked for has this parent.
    pub(super) fn has_listed(&self, of: &Partition) -> bool {
        let list = of.level().and_then(Stream::finding).and_then(|finder| Ask::list_of(finder, &of.above()));
        let Some(Ask::List(request)) = list else { return false };
        matches!(self.answers.get(&request), Some(Ok(listed)) if listed.ids.iter().any(|id| id == of.own_id()))
    }
}

impl Ask {
    /// The list in which a stream finds parents.
    pub(super) fn list_of(finder: &Stream, parent: &Partition) -> Option<Self> {
        match finder.read {
            // A page of ids is small.
            Read::Teams => Some(Self::List(streams::group_ids(None))),
            Read::List(list) => Some(Self::List((list.request)(parent, finder.page))),
            Read::Walk(_) | Read::Report(_) => None,
        }
    }

    /// What tries a stream of a parent.
    pub(super) fn of_stream(stream: &Stream, parent: &Partition) -> Option<Self> {
        match stream.read {
            Read::Teams => Self::item(stream, parent),
            Read::List(_) if stream.finds.is_some() => Self::list_of(stream, parent),
            Read::List(list) => Some(Self::List((list.request)(parent, 1))),
            Read::Walk(_) => Some(walk(parent)),
            Read::Report(request) => Some(Self::Report(request(), stream.primary_key)),
        }
    }

    /// What asks for a parent by itself.
    pub(super) fn item(finder: &Stream, parent: &Partition) -> Option<Self> {
        finder.finds.map(|finds| Self::Object((finds.request)(parent)))
    }
}

/// A message of a channel, or a reply of a thread.
fn walk(of: &Partition) -> Ask {
    let (team, channel) = (of.id(&TEAM), of.id(&CHANNEL));
    match of.id(&MESSAGE) {
        "" => Ask::Expanded(streams::walk(team, channel, 1), streams::roots(team, channel, 1)),
        message => Ask::List(streams::thread(team, channel, message, 1)),
    }
}
