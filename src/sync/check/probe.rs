//! The requests of a check: each is sent once, whatever streams it is for.

use std::{collections::HashMap, time::Duration};

use super::verdict::{Parent, Verdict, Why};
use crate::{
    config::{Config, Parents, StreamConfig},
    error::Error,
    graph::{self, Cause, Claims, GraphClient, Permission, Request, SignInRefusal},
    streams::{self, CHANNELS, LISTS_CHANNELS, LISTS_TEAMS, READS_MESSAGES, READS_TEAMS, Source, Stream},
};

/// So long one answer is waited for, all attempts included: somebody sits before a dialog.
const PATIENCE: Duration = Duration::from_secs(15);

/// So many parents are tried until one is there.
const TRIED: usize = 20;

/// Ids of what was asked for.
type Ids = Vec<String>;

/// Looks at one stream after the other.
pub(super) struct Probe<'c> {
    client: &'c GraphClient,
    claims: Claims,
    answers: HashMap<Request, Result<Ids, graph::Error>>,
    /// Graph did not answer at all: it is not asked again.
    unreachable: Option<graph::Error>,
}

/// A team's channel that can be read, if there is any, and the parents that are named and not there.
struct Place {
    channel: Option<(String, String)>,
    not_found: Vec<Parent>,
}

impl<'c> Probe<'c> {
    pub(super) async fn sign_in(client: &'c GraphClient, config: &Config) -> Result<Self, Error> {
        let late = || {
            let service = config.login_host();
            let description = format!("the sign-in service {}: {}", service.trim_end_matches('/'), no_answer());
            Cause::SignIn(SignInRefusal { description, transient: true, ..SignInRefusal::default() })
        };
        let signed_in = in_time(client.sign_in(), "sign in", late).await;
        signed_in.map_err(|error| Error::graph("sign in", error, &[]))?;
        Ok(Self { client, claims: client.claims().await, answers: HashMap::new(), unreachable: None })
    }

    /// As the token has it: what was configured may be a domain.
    pub(super) fn tenant_id(&self, config: &Config) -> String {
        self.claims.tenant_id.map_or_else(|| config.tenant_id.clone(), |id| id.to_string())
    }

    /// What becomes of a stream for which enough is configured.
    pub(super) async fn stream(&mut self, stream: &'static Stream, config: &StreamConfig) -> Verdict {
        let looked = match stream.source {
            Source::Teams => self.teams().await,
            Source::ListOfTeam { request, .. } => self.list(stream, request, config).await,
            Source::Roots => self.channel(config).await.map(|place| place.not_found),
            Source::Replies => self.replies(config).await,
        };
        looked.map_or_else(|verdict| *verdict, |not_found| Verdict::Works { not_found })
    }

    async fn teams(&mut self) -> Result<Vec<Parent>, Box<Verdict>> {
        for team in self.found_teams(&[&READS_TEAMS]).await? {
            match self.ask(&streams::team(&team), true).await {
                // A group that is listed may have no team.
                Err(error) if error.is_missing() => {}
                Err(error) => return self.refused(format!("read team {team}"), error, &READS_TEAMS),
                Ok(_) => break,
            }
        }
        // A tenant without teams is no failure.
        Ok(Vec::new())
    }

    async fn list(
        &mut self,
        stream: &'static Stream,
        request: fn(&str, Option<u64>) -> Request,
        config: &StreamConfig,
    ) -> Result<Vec<Parent>, Box<Verdict>> {
        let Some(&wants) = stream.permissions.first() else { return Ok(Vec::new()) };
        let mut absent = Absent::new("team_id", &config.teams);
        for team in self.teams_of(config, stream.permissions).await? {
            match self.ask(&request(&team, Some(1)), false).await {
                Ok(_) => return Ok(absent.beside_others()),
                Err(error) if absent.explains(&error) => absent.note(&team, error),
                Err(error) => return self.refused(format!("list the {} of team {team}", stream.name), error, wants),
            }
        }
        absent.altogether()
    }

    /// Reads a page of a channel.
    async fn channel(&mut self, config: &StreamConfig) -> Result<Place, Box<Verdict>> {
        if let (Parents::Ids(teams), Parents::Ids(channels)) = (&config.teams, &config.channels)
            && let [team] = teams.as_slice()
        {
            return self.named_channel(team, channels).await;
        }
        let mut absent = Absent::new("team_id", &config.teams);
        let mut unlisted = None;
        for team in self.teams_of(config, &[&LISTS_CHANNELS, &READS_MESSAGES]).await? {
            let channels = match (self.channels_of(&team).await, &config.channels) {
                (Ok(listed), channels) => {
                    let is_named = |id: &&String| matches!(channels, Parents::Ids(named) if named.contains(id));
                    listed.iter().find(is_named).or(listed.first()).cloned().into_iter().collect()
                }
                // Channels that are named can be read without the permission to list channels.
                (Err(error), Parents::Ids(named)) if error.is_forbidden() => {
                    unlisted = Some((team.clone(), error));
                    named.clone()
                }
                (Err(error), _) if absent.explains(&error) => {
                    absent.note(&team, error);
                    continue;
                }
                (Err(error), _) => return self.refused_list(&team, error),
            };
            for channel in channels.into_iter().take(TRIED) {
                match self.ask(&streams::walk(&team, &channel, 1), false).await {
                    Ok(_) => return Ok(Place { channel: Some((team, channel)), not_found: absent.beside_others() }),
                    // It may be in another of the teams.
                    Err(error) if error.is_missing() && unlisted.is_some() => {}
                    Err(error) => return self.refused(task(&team, &channel), error, &READS_MESSAGES),
                }
            }
        }
        match unlisted {
            Some((team, error)) => self.refused_list(&team, error),
            None => absent.altogether().map(|not_found| Place { channel: None, not_found }),
        }
    }

    /// Reads a page of one of these channels of a team.
    async fn named_channel(&mut self, team: &str, channels: &[String]) -> Result<Place, Box<Verdict>> {
        let mut absent = Absent::named("channel_id");
        for channel in channels.iter().take(TRIED) {
            match self.ask(&streams::walk(team, channel, 1), false).await {
                Ok(_) => return Ok(Place { channel: Some((team.to_owned(), channel.clone())), not_found: absent.beside_others() }),
                Err(error) if absent.explains(&error) => absent.note(channel, error),
                Err(error) => return self.refused(task(team, channel), error, &READS_MESSAGES),
            }
        }
        // It may be the team that is not there.
        match self.channels_of(team).await {
            Err(error) if absent.explains(&error) => Err(not_found("team_id", team, error)),
            _ => absent.altogether().map(|not_found| Place { channel: None, not_found }),
        }
    }

    /// Reads a page of a channel, and the thread that is named where there is one place for it only.
    async fn replies(&mut self, config: &StreamConfig) -> Result<Vec<Parent>, Box<Verdict>> {
        let place = self.channel(config).await?;
        let is_one = |parents: &Parents| matches!(parents, Parents::Ids(ids) if ids.len() == 1);
        let (Some((team, channel)), Parents::Ids(messages)) = (place.channel, &config.messages) else { return Ok(place.not_found) };
        if !is_one(&config.teams) || !is_one(&config.channels) {
            return Ok(place.not_found);
        }
        let mut absent = Absent::named("message_id");
        for message in messages.iter().take(TRIED) {
            match self.ask(&streams::thread(&team, &channel, message, 1), false).await {
                Ok(_) => return Ok(absent.beside_others()),
                Err(error) if absent.explains(&error) => absent.note(message, error),
                Err(error) => return self.refused(task(&team, &channel), error, &READS_MESSAGES),
            }
        }
        absent.altogether()
    }

    /// The teams that are read: those that are named, or some of those that are found. `behind` is what the next requests take.
    async fn teams_of(&mut self, config: &StreamConfig, behind: &[&'static Permission]) -> Result<Ids, Box<Verdict>> {
        match &config.teams {
            Parents::Ids(ids) => Ok(ids.iter().take(TRIED).cloned().collect()),
            _ => self.found_teams(behind).await,
        }
    }

    async fn found_teams(&mut self, behind: &[&'static Permission]) -> Result<Ids, Box<Verdict>> {
        let ids = self.ask(&streams::group_ids(Some(TRIED as u64)), false).await;
        ids.map_err(|error| Box::new(Verdict::of("list the teams of the tenant", error, &self.claims, &LISTS_TEAMS, behind)))
    }

    async fn channels_of(&mut self, team: &str) -> Result<Ids, graph::Error> {
        match CHANNELS.source {
            Source::ListOfTeam { request, .. } => self.ask(&request(team, Some(1)), false).await,
            _ => Ok(Vec::new()),
        }
    }

    /// The ids of a list, or of one object.
    async fn ask(&mut self, request: &Request, is_object: bool) -> Result<Ids, graph::Error> {
        if let Some(answer) = self.answers.get(request) {
            return answer.clone();
        }
        if let Some(error) = &self.unreachable {
            return Err(error.clone());
        }
        let page = async { if is_object { self.client.object(request).await } else { self.client.page(request).await } };
        let page = in_time(page, request, || Cause::Transport(no_answer())).await;
        let answer = page.map(|page| page.items().filter_map(|item| item.id().map(|id| id.into_owned())).collect());
        if let Err(error) = &answer
            && matches!(error.cause, Cause::Transport(_))
        {
            self.unreachable = Some(error.clone());
        }
        self.answers.insert(request.clone(), answer.clone());
        answer
    }

    fn refused<T>(&self, task: String, error: graph::Error, wants: &'static Permission) -> Result<T, Box<Verdict>> {
        Err(Box::new(Verdict::of(task, error, &self.claims, wants, &[])))
    }

    fn refused_list<T>(&self, team: &str, error: graph::Error) -> Result<T, Box<Verdict>> {
        let task = format!("list the channels of team {team}");
        Err(Box::new(Verdict::of(task, error, &self.claims, &LISTS_CHANNELS, &[&READS_MESSAGES])))
    }
}

/// What Graph answers, unless it takes too long: then that is the cause.
async fn in_time<T>(
    answer: impl Future<Output = Result<T, graph::Error>>,
    request: impl ToString,
    late: impl FnOnce() -> Cause,
) -> Result<T, graph::Error> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(graph::Error { request: request.to_string(), cause: late(), attempts: 1, client_request_id: None }),
    }
}

fn no_answer() -> String {
    format!("no answer within {} s", PATIENCE.as_secs())
}

/// Parents that are not there.
struct Absent {
    option: &'static str,
    /// Whether they were named: what was found may be gone again, or have no team.
    is_named: bool,
    found: Vec<Parent>,
    /// What Graph said of the first.
    first: Option<graph::Error>,
}

impl Absent {
    fn new(option: &'static str, parents: &Parents) -> Self {
        Self { is_named: matches!(parents, Parents::Ids(_)), ..Self::named(option) }
    }

    fn named(option: &'static str) -> Self {
        Self { option, is_named: true, found: Vec::new(), first: None }
    }

    /// Whether Graph does not know the parent, or cannot even take what is named for an id.
    fn explains(&self, error: &graph::Error) -> bool {
        error.is_missing() || self.is_named && error.status() == Some(400) && !error.is_transient()
    }

    fn note(&mut self, id: &str, error: graph::Error) {
        self.found.push(Parent { option: self.option, id: id.to_owned() });
        self.first.get_or_insert(error);
    }

    /// Another one is there.
    fn beside_others(self) -> Vec<Parent> {
        if self.is_named { self.found } else { Vec::new() }
    }

    /// None is there.
    fn altogether(self) -> Result<Vec<Parent>, Box<Verdict>> {
        match (self.first, self.found.first()) {
            (Some(error), Some(parent)) if self.is_named => Err(not_found(self.option, &parent.id, error)),
            _ => Ok(Vec::new()),
        }
    }
}

fn not_found(option: &'static str, id: &str, error: graph::Error) -> Box<Verdict> {
    Box::new(Verdict::Refused { why: Why::NotFound(Parent { option, id: id.to_owned() }), source: Box::new(error) })
}

fn task(team: &str, channel: &str) -> String {
    format!("read the messages of channel {channel} of team {team}")
}
