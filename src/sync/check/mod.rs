//! Whether a configuration works: one cheap request for each stream that it enables.

use super::unconfigured;
use crate::{
    config::{Config, Parents},
    error::Error,
    graph::{GraphClient, Page},
    streams::{self, CHANNELS, MEMBERS, MESSAGES, STREAMS, Source, Stream, StreamSet, TEAMS},
};

/// What can be read, as a sentence.
///
/// # Errors
/// If signing in fails, or every stream that the configuration enables is refused.
pub async fn check(client: &GraphClient, config: &Config) -> Result<String, Error> {
    client.sign_in().await.map_err(|error| Error::graph("sign in", error, &[]))?;
    let all: StreamSet = STREAMS.into_iter().collect();
    let lacking = unconfigured(config, all);
    let concerned = lacking.as_ref().map(|(concerned, _)| *concerned).unwrap_or_default();
    let mut probe = Probe { client, first_team: None, first_channel: None };
    let (mut works, mut refused) = (Vec::new(), Vec::new());
    for stream in all.without(concerned).iter() {
        match probe.stream(config, stream).await {
            Ok(()) => works.push(stream.name),
            Err(error) => refused.push((stream.name, error)),
        }
    }
    if works.is_empty() && !refused.is_empty() {
        return Err(refused.swap_remove(0).1);
    }
    let mut sentences = vec![format!("can read {}", works.join(", "))];
    sentences.extend(refused.iter().map(|(stream, error)| format!("{stream} will fail: {error}")));
    sentences.extend(lacking.map(|(_, error)| error.to_string()));
    Ok(sentences.join("; "))
}

/// The parents that the probes went through.
struct Probe<'c> {
    client: &'c GraphClient,
    first_team: Option<String>,
    first_channel: Option<String>,
}

impl Probe<'_> {
    async fn stream(&mut self, config: &Config, stream: &'static Stream) -> Result<(), Error> {
        let Some(config) = config.stream(stream.name) else { return Ok(()) };
        if matches!(stream.source, Source::Teams) {
            self.page(&streams::group_ids(Some(1)), "list the teams of the tenant", &TEAMS).await?;
            return Ok(());
        }
        let team = match &config.teams {
            Parents::Ids(ids) => ids.first().cloned(),
            _ => self.team().await?,
        };
        // A tenant without teams: nothing to read is no failure.
        let Some(team) = team else { return Ok(()) };
        if let Source::ListOfTeam { request, .. } = stream.source {
            let page = self.page(&request(&team, Some(1)), &format!("list the {} of team {team}", stream.name), stream).await?;
            if stream.name != MEMBERS.name {
                self.first_channel = first_id(&page);
            }
            return Ok(());
        }
        let channel = match &config.channels {
            Parents::Ids(ids) => ids.first().cloned(),
            _ => self.channel(&team).await?,
        };
        let Some(channel) = channel else { return Ok(()) };
        let task = format!("read the messages of channel {channel} of team {team}");
        self.page(&streams::walk(&team, &channel, 1), &task, &MESSAGES).await.map(|_| ())
    }

    async fn team(&mut self) -> Result<Option<String>, Error> {
        if self.first_team.is_none() {
            // A group that is listed may have no team: the first that has one will do.
            let page = self.page(&streams::group_ids(Some(20)), "list the teams of the tenant", &TEAMS).await?;
            for id in page.items().filter_map(|group| group.id()) {
                match self.client.object(&streams::team(&id)).await {
                    Err(error) if error.is_missing() => {}
                    _ => {
                        self.first_team = Some(id.into_owned());
                        break;
                    }
                }
            }
        }
        Ok(self.first_team.clone())
    }

    async fn channel(&mut self, team: &str) -> Result<Option<String>, Error> {
        if self.first_channel.is_none()
            && let Source::ListOfTeam { request, .. } = CHANNELS.source
        {
            let page = self.page(&request(team, None), &format!("list the channels of team {team}"), &CHANNELS).await?;
            self.first_channel = first_id(&page);
        }
        Ok(self.first_channel.clone())
    }

    async fn page(&self, request: &crate::graph::Request, task: &str, stream: &Stream) -> Result<Page, Error> {
        self.client.page(request).await.map_err(|source| Error::graph(task, source, stream.permissions))
    }
}

fn first_id(page: &Page) -> Option<String> {
    page.items().find_map(|item| item.id().map(|id| id.into_owned()))
}
