//! The requests of a check: each is sent once, whatever streams it is for.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;
use uuid::Uuid;

use super::verdict::{Looked, Parent, Verdict, Why};
use crate::{
    config::{Config, Parents, StreamConfig},
    error::Error,
    graph::{self, Cause, GraphClient, Permission, Request, SignInRefusal},
    level::{CHANNEL, MESSAGE, Partition, TEAM},
    read::channel::pass::is_expansion_refused,
    streams::{self, CHANNELS, LISTS_CHANNELS, LISTS_TEAMS, READS_MESSAGES, READS_TEAMS, Read, Side, Stream},
};

/// So long one answer is waited for, all attempts included: somebody sits before a dialog.
const PATIENCE: Duration = Duration::from_secs(15);

/// And so long all of them together.
const PATIENCE_IN_ALL: Duration = Duration::from_secs(45);

/// So many parents are tried, and into so many teams is looked for what is named.
pub(super) const TRIED: usize = 20;

/// Ids of what was asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Ids {
    pub(super) ids: Vec<String>,
    /// There are more behind the page.
    pub(super) goes_on: bool,
}

impl Ids {
    fn without_excluded(mut self, config: &StreamConfig) -> Self {
        self.ids.retain(|id| !config.excludes(id));
        self
    }
}

/// The teams that are read: some of them, and how many there are (or more).
pub(super) struct Teams {
    pub(super) some: Vec<String>,
    pub(super) all: usize,
    pub(super) goes_on: bool,
}

/// What was answered.
type Answers = HashMap<Request, Result<Ids, graph::Error>>;

/// How long a check waits for answers.
#[derive(Clone, Copy)]
struct Patience {
    until: Instant,
}

/// Looks at one stream after the other.
pub(super) struct Probe<'c> {
    client: &'c GraphClient,
    patience: Patience,
    tenant_id: Option<Uuid>,
    /// Teams were listed, and there was none.
    pub(super) lists_no_team: bool,
    answers: Answers,
    /// Graph did not answer at all: it is not asked again.
    unreachable: Option<graph::Error>,
}

/// Channels that can be read, with their teams before them, and the parents that are named and not there.
pub(super) struct Place {
    pub(super) channels: Vec<(String, String)>,
    pub(super) not_found: Vec<Parent>,
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
        Ok(Self {
            client,
            patience,
            tenant_id: client.claims().await.tenant_id,
            lists_no_team: false,
            answers: HashMap::new(),
            unreachable: None,
        })
    }

    /// As the token has it: what was configured may be a domain.
    pub(super) fn tenant_id(&self, config: &Config) -> String {
        self.tenant_id.map_or_else(|| config.tenant_id.clone(), |id| id.to_string())
    }

    /// What becomes of a stream for which enough is configured.
    pub(super) async fn stream(&mut self, stream: &'static Stream, config: &StreamConfig) -> Verdict {
        let looked = match stream.read {
            Read::Teams => self.teams(config).await,
            Read::List(list) => self.list(stream, list.request, config).await,
            Read::Walk(Side::Roots) => self.channel(config).await.map(|place| place.not_found),
            Read::Walk(Side::Replies) => self.replies(config).await,
        };
        looked.map_or_else(|verdict| *verdict, |not_found| Verdict::Works { not_found })
    }

    async fn teams(&mut self, config: &StreamConfig) -> Result<Vec<Parent>, Box<Verdict>> {
        for team in self.found_teams(config, &[&READS_TEAMS]).await?.some {
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
        request: fn(&Partition, u64) -> Request,
        config: &StreamConfig,
    ) -> Result<Vec<Parent>, Box<Verdict>> {
        let Some(&wants) = stream.permissions.first() else { return Ok(Vec::new()) };
        let mut absent = Absent::new("team_id", config.parents(&TEAM));
        let mut teams = self.teams_of(config, stream.permissions).await?.some.into_iter();
        while let Some(team) = teams.next() {
            match self.ask(&request(&Partition::team(&team), 1), false).await {
                Ok(_) => {
                    self.note_absent(&mut absent, teams, request).await;
                    return Ok(absent.beside_others());
                }
                Err(error) if error.is_missing() && self.exists(&team, &error).await => {
                    let error = Error::ListOfTeam { stream: stream.name, team, source: Box::new(error) };
                    return Err(Box::new(Verdict::Failed(error)));
                }
                Err(error) if absent.explains(&error) => absent.note(&team, error),
                Err(error) => return self.refused(format!("list the {} of team {team}", stream.name), error, wants),
            }
        }
        absent.altogether()
    }

    /// Whether a team exists although Graph gives this 404 for something in it.
    async fn exists(&mut self, team: &str, missing: &graph::Error) -> bool {
        !missing.denies_team() && self.ask(&streams::team(team), true).await.is_ok()
    }

    /// Reads a page of a channel.
    async fn channel(&mut self, config: &StreamConfig) -> Result<Place, Box<Verdict>> {
        match (config.parents(&TEAM), config.parents(&CHANNEL)) {
            (Parents::Ids(teams), Parents::Ids(channels)) if teams.len() == 1 => self.named_channel(&teams[0], channels, config).await,
            (_, Parents::Ids(channels)) => self.seek_channels(config, channels).await,
            _ => self.any_channel(config).await,
        }
    }

    /// Reads a page of a channel of one of the teams.
    async fn any_channel(&mut self, config: &StreamConfig) -> Result<Place, Box<Verdict>> {
        let mut absent = Absent::new("team_id", config.parents(&TEAM));
        let mut teams = self.teams_of(config, &[&LISTS_CHANNELS, &READS_MESSAGES]).await?.some.into_iter();
        let mut gone = None;
        while let Some(team) = teams.next() {
            let listed = match self.channels_of(&team, config).await {
                Ok(listed) => listed.ids,
                Err(error) if absent.explains(&error) => {
                    absent.note(&team, error);
                    continue;
                }
                Err(error) => return self.refused_list(&team, error),
            };
            let Some(channel) = listed.into_iter().next() else { continue };
            if let Err(error) = self.ask_messages(&team, &channel).await {
                // What was found may be gone again: another one tells.
                if error.is_missing() && gone.is_none() {
                    gone = Some((team, channel, error));
                    continue;
                }
                return self.refused_channel(&team, &channel, error);
            }
            self.note_absent(&mut absent, teams, list_of_channels).await;
            return Ok(Place { channels: vec![(team, channel)], not_found: absent.beside_others() });
        }
        if let Some((team, channel, error)) = gone {
            return self.refused_channel(&team, &channel, error);
        }
        absent.altogether().map(|not_found| Place { channels: Vec::new(), not_found })
    }

    /// Reads a page of one of these channels of a team.
    async fn named_channel(&mut self, team: &str, channels: &[String], config: &StreamConfig) -> Result<Place, Box<Verdict>> {
        let mut absent = Absent::named("channel_id");
        let mut there: Vec<(String, String)> = Vec::new();
        for channel in channels.iter().take(TRIED) {
            // Of the others it is enough that they are listed.
            let is_listed = !there.is_empty() && self.channels_of(team, config).await.is_ok_and(|listed| listed.ids.contains(channel));
            let answer = if is_listed { Ok(Ids::default()) } else { self.ask_messages(team, channel).await };
            match answer {
                Ok(_) => there.push((team.to_owned(), channel.clone())),
                Err(error) if absent.explains(&error) => absent.note(channel, error),
                // One that can be read is enough.
                Err(_) if !there.is_empty() => {}
                Err(error) => return self.refused_channel(team, channel, error),
            }
        }
        if !there.is_empty() {
            return Ok(Place { channels: there, not_found: absent.beside_others() });
        }
        // It may be the team that is not there.
        match self.channels_of(team, config).await {
            Err(error) if absent.explains(&error) => Err(not_found("team_id", team, error)),
            _ => absent.altogether().map(|not_found| Place { channels: Vec::new(), not_found }),
        }
    }

    /// Reads a page of a channel, and of the threads that are named.
    async fn replies(&mut self, config: &StreamConfig) -> Result<Vec<Parent>, Box<Verdict>> {
        let place = self.channel(config).await?;
        match config.parents(&MESSAGE) {
            Parents::Ids(messages) if !place.channels.is_empty() => self.seek_messages(config, place, messages).await,
            _ => Ok(place.not_found),
        }
    }

    /// Takes note of those of the other teams that are named and not there. A team that was found among the groups is there.
    pub(super) async fn note_absent(
        &mut self,
        absent: &mut Absent,
        others: impl Iterator<Item = String>,
        request: fn(&Partition, u64) -> Request,
    ) {
        if !absent.is_named {
            return;
        }
        let is_group = |answers: &Answers, team: &String| matches!(answers.get(&streams::group_ids(None)), Some(Ok(groups)) if groups.ids.contains(team));
        for team in others {
            if is_group(&self.answers, &team) {
                continue;
            }
            match self.ask(&request(&Partition::team(&team), 1), false).await {
                Err(error) if absent.explains(&error) => absent.note(&team, error),
                _ => {}
            }
        }
    }

    /// The teams that are read: those that are named, or some of those that are found. `behind` is what the next requests take.
    pub(super) async fn teams_of(&mut self, config: &StreamConfig, behind: &[&'static Permission]) -> Result<Teams, Box<Verdict>> {
        match config.parents(&TEAM) {
            Parents::Ids(ids) => Ok(Teams::of(Ids { ids: ids.clone(), goes_on: false })),
            _ => self.found_teams(config, behind).await,
        }
    }

    async fn found_teams(&mut self, config: &StreamConfig, behind: &[&'static Permission]) -> Result<Teams, Box<Verdict>> {
        // A page of ids is small, and tells how many there are.
        let found = self.ask(&streams::group_ids(None), false).await;
        self.lists_no_team |= found.as_ref().is_ok_and(|found| found.ids.is_empty() && !found.goes_on);
        let found = found.map(|found| Teams::of(found.without_excluded(config)));
        found.map_err(|error| Box::new(Verdict::of("list the teams of the tenant", error, &LISTS_TEAMS, behind)))
    }

    /// The channels of a team that are not to be left out.
    pub(super) async fn channels_of(&mut self, team: &str, config: &StreamConfig) -> Result<Ids, graph::Error> {
        Ok(self.ask(&list_of_channels(&Partition::team(team), 0), false).await?.without_excluded(config))
    }

    /// Asks for a message of a channel; without its replies where Graph refuses to list them with it, as a run does.
    pub(super) async fn ask_messages(&mut self, team: &str, channel: &str) -> Result<Ids, graph::Error> {
        match self.ask(&streams::walk(team, channel, 1), false).await {
            Err(error) if is_expansion_refused(&error) => self.ask(&streams::roots(team, channel, 1), false).await,
            answer => answer,
        }
    }

    /// The ids of a list, or of one object.
    pub(super) async fn ask(&mut self, request: &Request, is_object: bool) -> Result<Ids, graph::Error> {
        if let Some(answer) = self.answers.get(request) {
            return answer.clone();
        }
        if let Some(error) = &self.unreachable {
            return Err(graph::Error { request: request.to_string(), ..error.clone() });
        }
        let page = async { if is_object { self.client.object(request).await } else { self.client.page(request).await } };
        // Who is told to wait has been answered.
        let is_held_up = || self.client.counts().throttled() > 0;
        let late = |waited| if is_held_up() { Cause::Closed(waited) } else { Cause::Transport(no_answer(waited)) };
        let page = self.patience.wait(page, request, late).await;
        let answer = page.map(|page| Ids {
            ids: page.items().filter_map(|item| item.id().map(|id| id.into_owned())).collect(),
            goes_on: page.next().is_some(),
        });
        if let Err(error) = &answer
            && matches!(error.cause, Cause::Transport(_))
        {
            self.unreachable = Some(error.clone());
        }
        self.answers.insert(request.clone(), answer.clone());
        answer
    }

    pub(super) fn refused<T>(&self, task: String, error: graph::Error, wants: &'static Permission) -> Result<T, Box<Verdict>> {
        Err(Box::new(Verdict::of(task, error, wants, &[])))
    }

    /// The messages of a channel were not given.
    pub(super) fn refused_channel<T>(&self, team: &str, channel: &str, error: graph::Error) -> Result<T, Box<Verdict>> {
        let task = format!("read the messages of channel {channel} of team {team}");
        Err(Box::new(match Verdict::of(task, error, &READS_MESSAGES, &[]) {
            Verdict::Failed(error) => Verdict::Failed(error.or_leave_out(channel)),
            verdict => verdict,
        }))
    }

    pub(super) fn refused_list<T>(&self, team: &str, error: graph::Error) -> Result<T, Box<Verdict>> {
        let task = format!("list the channels of team {team}");
        Err(Box::new(Verdict::of(task, error, &LISTS_CHANNELS, &[&READS_MESSAGES])))
    }
}

impl Teams {
    fn of(mut teams: Ids) -> Self {
        let all = teams.ids.len();
        teams.ids.truncate(TRIED);
        Self { some: teams.ids, all, goes_on: teams.goes_on }
    }
}

pub(super) fn list_of_channels(team: &Partition, top: u64) -> Request {
    match CHANNELS.read {
        Read::List(list) => (list.request)(team, top),
        _ => streams::team(team.own_id()),
    }
}

impl Patience {
    fn new() -> Self {
        Self { until: Instant::now() + PATIENCE_IN_ALL }
    }

    /// The answer, unless it takes too long: then the cause is made of the time that was too long.
    async fn wait<T>(
        self,
        answer: impl Future<Output = Result<T, graph::Error>>,
        request: impl ToString,
        late: impl FnOnce(Duration) -> Cause,
    ) -> Result<T, graph::Error> {
        let left = self.until.saturating_duration_since(Instant::now());
        let late = |waited| graph::Error {
            request: request.to_string(),
            cause: late(waited),
            attempts: 1,
            client_request_id: None,
            is_later_page: false,
        };
        if left.is_zero() {
            return Err(late(PATIENCE_IN_ALL));
        }
        match tokio::time::timeout(left.min(PATIENCE), answer).await {
            Ok(answer) => answer,
            Err(_) => Err(late(if left < PATIENCE { PATIENCE_IN_ALL } else { PATIENCE })),
        }
    }
}

fn no_answer(within: Duration) -> String {
    let in_all = if within == PATIENCE_IN_ALL { " in all" } else { "" };
    format!("no answer within {} s{in_all}", within.as_secs())
}

/// Parents that are not there.
pub(super) struct Absent {
    option: &'static str,
    /// Whether they were named: what was found may be gone again, or have no team.
    pub(super) is_named: bool,
    pub(super) found: Vec<Parent>,
    /// What Graph said of the first.
    pub(super) first: Option<graph::Error>,
}

impl Absent {
    pub(super) fn new(option: &'static str, parents: &Parents) -> Self {
        Self { is_named: matches!(parents, Parents::Ids(_)), ..Self::named(option) }
    }

    pub(super) fn named(option: &'static str) -> Self {
        Self { option, is_named: true, found: Vec::new(), first: None }
    }

    /// Whether Graph does not know the parent, or cannot even take what is named for an id.
    pub(super) fn explains(&self, error: &graph::Error) -> bool {
        error.is_missing() || self.is_named && error.status() == Some(400) && !error.is_transient()
    }

    pub(super) fn note(&mut self, id: &str, error: graph::Error) {
        self.found.push(Parent { option: self.option, id: id.to_owned(), looked: Looked::AtIt });
        self.first.get_or_insert(error);
    }

    /// Another one is there.
    pub(super) fn beside_others(self) -> Vec<Parent> {
        if self.is_named { self.found } else { Vec::new() }
    }

    /// None is there.
    pub(super) fn altogether(self) -> Result<Vec<Parent>, Box<Verdict>> {
        match (self.first, self.found.first()) {
            (Some(error), Some(parent)) if self.is_named => Err(not_found(self.option, &parent.id, error)),
            _ => Ok(Vec::new()),
        }
    }
}

pub(super) fn not_found(option: &'static str, id: &str, error: graph::Error) -> Box<Verdict> {
    Box::new(Verdict::Refused { why: Why::NotFound(Parent { option, id: id.to_owned(), looked: Looked::AtIt }), source: Box::new(error) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_slow_each_time_is_waited_for_no_longer_than_the_whole_may_take() {
        let paused = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        paused.block_on(async {
            let (patience, began, mut answers) = (Patience::new(), Instant::now(), Vec::new());
            for _ in 0..20 {
                let slow = async {
                    tokio::time::sleep(Duration::from_secs(14)).await;
                    Ok(())
                };
                let answer = patience.wait(slow, "a request", |waited| Cause::Transport(no_answer(waited))).await;
                answers.push(answer.map_err(|error| error.cause.to_string()));
            }
            assert_eq!(Instant::now() - began, PATIENCE_IN_ALL);
            assert!(answers[..3].iter().all(Result::is_ok));
            assert!(answers[3..].iter().all(|answer| answer.as_ref().unwrap_err() == "no answer within 45 s in all"), "{answers:?}");
            let silent = std::future::pending::<Result<(), graph::Error>>();
            let answer = Patience::new().wait(silent, "a request", |waited| Cause::Transport(no_answer(waited))).await;
            assert_eq!(answer.unwrap_err().cause.to_string(), "no answer within 15 s");
        });
    }
}
