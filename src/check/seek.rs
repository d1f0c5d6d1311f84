//! Ids that may be in any of several places: looked for in one after the other, in no more than a short check can take.

use super::{
    probe::{Absent, Place, Probe, TRIED, list_of_channels, not_found},
    verdict::{Looked, Parent, Verdict},
};
use crate::{
    config::{Parents, StreamConfig},
    level::{CHANNEL, TEAM},
    streams::{self, LISTS_CHANNELS, READS_MESSAGES},
};

/// Channels that are looked for.
struct Channels {
    wanted: Vec<String>,
    /// With their teams.
    found: Vec<(String, String)>,
    /// Requests for single channels, where no list may be asked for.
    tries: usize,
    /// Why one could not be tried.
    refusal: Option<Box<Verdict>>,
}

impl Probe<'_> {
    /// Looks for channels in the lists of the teams that are read; reads a page of one that is there.
    pub(super) async fn seek_channels(&mut self, config: &StreamConfig, named: &[String]) -> Result<Place, Box<Verdict>> {
        let teams = self.teams_of(config, &[&LISTS_CHANNELS, &READS_MESSAGES]).await?;
        let mut absent = Absent::new("team_id", config.parents(&TEAM));
        let mut channels = Channels { wanted: named.to_vec(), found: Vec::new(), tries: 0, refusal: None };
        let (mut places, mut other) = (0, None);
        let mut some = teams.some.into_iter();
        while !channels.wanted.is_empty()
            && let Some(team) = some.next()
        {
            let is_whole = match self.channels_of(&team, config).await {
                Ok(listed) => {
                    channels.note(&team, |channel| listed.ids.contains(channel));
                    other = other.or(listed.ids.into_iter().next().map(|channel| (team, channel)));
                    !listed.goes_on
                }
                // Channels that are named can be read without the permission to list channels.
                Err(error) if error.is_forbidden() => self.try_channels(&team, &mut channels).await?,
                Err(error) if absent.explains(&error) => {
                    absent.note(&team, error);
                    true
                }
                Err(error) => return self.refused_list(&team, error),
            };
            places += usize::from(is_whole);
        }
        self.note_absent(&mut absent, some, list_of_channels).await;
        let looked = Looked::Into { places, of: teams.all, or_more: teams.goes_on };
        let unfound = channels.wanted.into_iter().map(|id| Parent { option: "channel_id", id, looked });
        let Some((team, channel)) = channels.found.first() else {
            if !absent.found.is_empty() && absent.found.len() == places && places == teams.all {
                return absent.altogether().map(|not_found| Place { channels: Vec::new(), not_found });
            }
            return self.nowhere(unfound.into_iter().next(), channels.refusal, other).await;
        };
        match self.ask_messages(team, channel).await {
            Ok(_) => Ok(Place { not_found: absent.beside_others().into_iter().chain(unfound).collect(), channels: channels.found }),
            Err(error) => self.refused_channel(team, channel, error),
        }
    }

    /// None of the channels was found. Where they may still be there, another one tells whether messages can be read.
    async fn nowhere(
        &mut self,
        first: Option<Parent>,
        refusal: Option<Box<Verdict>>,
        other: Option<(String, String)>,
    ) -> Result<Place, Box<Verdict>> {
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        let Some(parent) = first else { return Ok(Place { channels: Vec::new(), not_found: Vec::new() }) };
        if let Some((team, channel)) = other.filter(|_| !parent.is_missing())
            && let Err(error) = self.ask_messages(&team, &channel).await
            && !error.is_missing()
        {
            return self.refused_channel(&team, &channel, error);
        }
        Err(Box::new(Verdict::Unfound(parent)))
    }

    /// Tries the channels in a team that does not list them. Gives whether all were tried.
    async fn try_channels(&mut self, team: &str, channels: &mut Channels) -> Result<bool, Box<Verdict>> {
        for channel in channels.wanted.clone() {
            if channels.tries == TRIED {
                return Ok(false);
            }
            channels.tries += 1;
            match self.ask_messages(team, &channel).await {
                Ok(_) => channels.note(team, |id| *id == channel),
                // It may be in another of the teams.
                Err(error) if Absent::named("channel_id").explains(&error) => {}
                Err(error) if error.is_forbidden() => {
                    let refused = self.refused_channel::<()>(team, &channel, error);
                    channels.refusal = channels.refusal.take().or(refused.err());
                    return Ok(false);
                }
                Err(error) => return self.refused_channel(team, &channel, error),
            }
        }
        Ok(true)
    }

    /// Looks for messages in the channels that are read.
    pub(super) async fn seek_messages(
        &mut self,
        config: &StreamConfig,
        place: Place,
        named: &[String],
    ) -> Result<Vec<Parent>, Box<Verdict>> {
        let (channels, or_more) = match config.parents(&CHANNEL) {
            Parents::Ids(_) => (place.channels, place.not_found.iter().any(|parent| !parent.is_missing())),
            _ => self.some_channels(config).await?,
        };
        let mut wanted: Vec<_> = named.iter().take(TRIED).cloned().collect();
        let mut absent = Absent::named("message_id");
        let (mut places, mut tries, mut is_any_found) = (0, 0, false);
        for (team, channel) in &channels {
            let most = TRIED - tries;
            if wanted.is_empty() || most < wanted.len() {
                break;
            }
            for message in std::mem::take(&mut wanted) {
                tries += 1;
                match self.ask(&streams::thread(team, channel, &message, 1), false).await {
                    Ok(_) => is_any_found = true,
                    Err(error) if absent.explains(&error) => {
                        absent.note(&message, error);
                        wanted.push(message);
                    }
                    Err(error) => return self.refused_channel(team, channel, error),
                }
            }
            places += 1;
        }
        let of = channels.len();
        let looked = if of == 1 && !or_more { Looked::AtIt } else { Looked::Into { places, of, or_more } };
        let mut unfound = wanted.into_iter().map(|id| Parent { option: "message_id", id, looked }).peekable();
        match unfound.peek() {
            Some(parent) if !is_any_found => Err(match absent.first.filter(|_| looked == Looked::AtIt) {
                Some(error) => not_found("message_id", &parent.id, error),
                None => Box::new(Verdict::Unfound(parent.clone())),
            }),
            _ => Ok(place.not_found.into_iter().chain(unfound).collect()),
        }
    }

    /// Channels of the teams that are read, and whether there are more.
    async fn some_channels(&mut self, config: &StreamConfig) -> Result<(Vec<(String, String)>, bool), Box<Verdict>> {
        let teams = self.teams_of(config, &[&LISTS_CHANNELS, &READS_MESSAGES]).await?;
        let (mut channels, mut or_more) = (Vec::new(), teams.goes_on || teams.all > teams.some.len());
        for team in teams.some {
            if channels.len() >= TRIED {
                return Ok((channels, true));
            }
            match self.channels_of(&team, config).await {
                Ok(listed) => {
                    or_more |= listed.goes_on;
                    channels.extend(listed.ids.into_iter().map(|channel| (team.clone(), channel)));
                }
                // A group may have no team.
                Err(error) => or_more |= !error.is_missing(),
            }
        }
        Ok((channels, or_more))
    }
}

impl Channels {
    /// Takes note of those that are in the team.
    fn note(&mut self, team: &str, is_there: impl Fn(&String) -> bool) {
        let (found, wanted): (Vec<_>, Vec<_>) = std::mem::take(&mut self.wanted).into_iter().partition(is_there);
        self.found.extend(found.into_iter().map(|channel| (team.to_owned(), channel)));
        self.wanted = wanted;
    }
}
