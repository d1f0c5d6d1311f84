//! The state of a stream: where the next run goes on. Documented in `docs/state.md`; what is written here is read by every later version.

mod channel;
mod entry;
mod fields;
mod given;
mod invalid;
mod key;
mod links;
mod partitions;
mod texts;
mod time;
mod version_1;
mod version_2;

use std::collections::BTreeMap;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde_json::value::RawValue;

pub use channel::{ChannelState, DeltaState, RoundState, WalkState};
use given::{Given, Members, Path};
pub use invalid::Invalid;
pub use key::{ids, key};
pub use links::{is_delta, is_page};
use partitions::Partitions;
pub use time::BEGINNING;

/// What earlier runs wrote, by stream.
pub type Written<'t> = BTreeMap<String, &'t RawValue>;

/// A full refresh that was interrupted is taken up for so long; then what it has read is too old.
const FULL_REFRESH_LASTS: TimeDelta = TimeDelta::days(7);

/// So many hashes of items that were left out are remembered for a stream, ...
pub const MOST_DAMAGE: usize = 1000;

/// ... and so many for a channel.
pub const MOST_DAMAGE_OF_CHANNEL: usize = 32;

/// What a stream's state holds, the same in both protocols. A clone shares what neither changes.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamState {
    /// Hashes of items of lists that were left out, damaged or too large, and reported.
    damage: Vec<String>,
    /// Of a stream that is read in full each time there is nothing more.
    channels: Option<Channels>,
}

/// Where the channels and threads of a stream can go on.
#[derive(Clone, Debug, PartialEq)]
struct Channels {
    /// The tenant that was read.
    tenant: String,
    /// Written while a full refresh is under way. Only another full refresh takes up its channels.
    full: Option<Full>,
    partitions: Partitions,
}

/// The mark of a full refresh.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Full {
    /// When it began, by our own clock.
    begun: DateTime<Utc>,
    /// The same by Graph's clock, which the channels go by; [`None`]: nothing was read yet.
    mark: Option<DateTime<Utc>>,
}

/// The versions of a state's form. The last one is written.
#[derive(Clone, Copy, PartialEq)]
enum Version {
    One = 1,
    Two = 2,
}

impl StreamState {
    /// The state of a stream that is read in full each time.
    pub fn of_snapshot() -> Self {
        Self { damage: Vec::new(), channels: None }
    }

    /// The state of a stream of channels that were not read yet.
    pub fn of_channels(tenant: &str) -> Self {
        Self { damage: Vec::new(), channels: Some(Channels::new(tenant)) }
    }

    /// The state with which a stream begins that is read in full each time.
    ///
    /// # Errors
    /// If what was written is of another version, or damaged: the key is named.
    pub fn begin_snapshot(written: Option<&RawValue>) -> Result<Self, Invalid> {
        let damage = read(written)?.map_or(Ok(Vec::new()), |(version, members)| version.damage(&members))?;
        Ok(Self { damage, channels: None })
    }

    /// The state with which an incremental run begins that starts at `now` of our own clock.
    ///
    /// # Errors
    /// If what was written is of another version or tenant, or damaged: the key is named.
    pub fn begin_incremental(written: Option<&RawValue>, tenant: &str, now: DateTime<Utc>) -> Result<Self, Invalid> {
        let Some((version, members)) = read(written)? else { return Ok(Self::of_channels(tenant)) };
        let (mut channels, damage) = (Channels::read(version, &members, tenant)?, version.damage(&members)?);
        channels.partitions.drop_dates_ahead(now);
        // What a full refresh has read so far may be thrown away by the destination.
        Ok(if channels.full.is_some() { Self::of_channels(tenant) } else { Self { damage, channels: Some(channels) } })
    }

    /// The state with which a full refresh begins: what another one that was interrupted has read, or nothing.
    pub fn begin_full_refresh(written: Option<&RawValue>, tenant: &str, now: DateTime<Utc>) -> Self {
        let taken_up = || {
            let (version, members) = read(written).ok()??;
            let full = version.full(&members).ok()?.filter(|full| (now - full.begun).abs() < FULL_REFRESH_LASTS)?;
            let mark = full.mark?;
            let mut channels = Channels::read(version, &members, tenant).ok()?;
            channels.partitions.drop_dates_ahead(now);
            channels.partitions.retain(|channel| channel.is_of_full_refresh(mark));
            Some(Self { damage: version.damage(&members).ok()?, channels: Some(channels) })
        };
        let begins = || Channels { full: Some(Full { begun: now.trunc_subsecs(0), mark: None }), ..Channels::new(tenant) };
        taken_up().unwrap_or_else(|| Self { damage: Vec::new(), channels: Some(begins()) })
    }

    /// What is known of a channel, or of a thread.
    pub fn channel(&self, key: &str) -> Option<ChannelState> {
        self.channels.as_ref()?.partitions.get(key)
    }

    /// The keys of what is known.
    pub fn keys(&self) -> impl Iterator<Item = String> {
        let groups = self.channels.iter().flat_map(|own| own.partitions.groups());
        groups.flat_map(|(parents, group)| group.iter().map(move |(id, _)| key::join(parents, id)))
    }

    /// The teams of what is known, each once.
    pub fn teams(&self) -> impl Iterator<Item = String> {
        let teams = self.channels.iter().flat_map(|own| own.partitions.groups()).filter_map(|(parents, _)| ids(parents).next());
        let mut last = String::new();
        // Groups of one team follow each other.
        teams.filter(move |team| {
            *team != last && {
                last.clone_from(team);
                true
            }
        })
    }

    /// The channels of a team of which something is known, or of threads of which; some of them twice.
    pub fn channels_of(&self, team: &str) -> impl Iterator<Item = String> {
        let parents = key(&[team]);
        let of_group = move |(of, group): (&str, &partitions::Group)| -> Vec<String> {
            match ids(of).nth(1) {
                Some(channel) => vec![channel],
                None => group.iter().map(|(id, _)| id.to_owned()).collect(),
            }
        };
        let groups: Vec<_> =
            self.channels.iter().flat_map(|own| own.partitions.below(&parents).map(&of_group).collect::<Vec<_>>()).collect();
        groups.into_iter().flatten()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.damage.is_empty() && self.channels.as_ref().is_none_or(|own| own.partitions.is_empty())
    }

    /// Takes note of a channel; [`None`]: it is gone, and all that is known below it. The key of a team stands for all its channels.
    pub fn set(&mut self, key: &str, channel: Option<ChannelState>) {
        let Some(own) = &mut self.channels else { return };
        if let (Some(full), Some(began)) = (&mut own.full, channel.as_ref().and_then(ChannelState::began)) {
            // Its channels are dated by different machines, and some of them begin before the one that is the first to report.
            full.mark = Some(full.mark.map_or(began, |mark| mark.min(began)));
        }
        match channel {
            Some(channel) => own.partitions.set(key, channel),
            None => own.partitions.remove(key),
        }
    }

    /// Hashes of items of lists that were left out, damaged or too large, and reported.
    pub fn damage(&self) -> &[String] {
        &self.damage
    }

    /// Takes note of the items of lists that were left out and reported.
    pub fn set_damage(&mut self, damage: Vec<String>) {
        self.damage = damage;
    }

    /// Whether it was written in the midst of a full refresh.
    pub fn is_full(&self) -> bool {
        self.channels.as_ref().is_some_and(|own| own.full.is_some())
    }

    /// The full refresh is no longer under way.
    pub fn end_full_refresh(&mut self) {
        if let Some(own) = &mut self.channels {
            own.full = None;
        }
    }
}

/// What an earlier run wrote, and in which version; [`None`] if nothing was.
fn read(written: Option<&RawValue>) -> Result<Option<(Version, Members<'_>)>, Invalid> {
    let Some(written) = written.map(|raw| Given::new(raw, &Path::Top)).filter(|given| !given.is_null()) else { return Ok(None) };
    let members = written.members()?;
    let path = Path::Key(&Path::Top, "version");
    match members.get("version").map(|raw| Given::new(raw, &path).whole()) {
        Some(Some(1)) => Ok(Some((Version::One, members))),
        Some(Some(2)) => Ok(Some((Version::Two, members))),
        Some(_) => Err(path.invalid("it is none that this program reads; use the program that wrote the state, or start without one")),
        None if members.0.iter().all(|(_, raw)| Given::new(raw, &path).is_nothing()) => Ok(None),
        None => Err(path.invalid("it is missing: the state is not one of this program; start without it")),
    }
}

impl Version {
    fn full(self, members: &Members<'_>) -> Result<Option<Full>, Invalid> {
        match self {
            Self::One => version_1::full(members),
            Self::Two => version_2::full(members),
        }
    }

    fn damage(self, members: &Members<'_>) -> Result<Vec<String>, Invalid> {
        match self {
            Self::One => Ok(Vec::new()),
            Self::Two => version_2::damage(members),
        }
    }

    fn partitions(self, members: &Members<'_>) -> Result<Partitions, Invalid> {
        match self {
            Self::One => version_1::partitions(members),
            Self::Two => version_2::partitions(members),
        }
    }
}

impl Channels {
    fn new(tenant: &str) -> Self {
        Self { tenant: tenant.to_owned(), full: None, partitions: Partitions::default() }
    }

    fn read(version: Version, members: &Members<'_>, tenant: &str) -> Result<Self, Invalid> {
        let path = Path::Key(&Path::Top, "tenant");
        let named = match members.get("tenant") {
            Some(raw) => {
                let given = Given::new(raw, &path);
                let is_same = given.text()?.eq_ignore_ascii_case(tenant);
                let reason = "it is not the `tenant_id` of the configuration: name the tenant alike, start without a state, or keep a state (a cache, a table prefix) for each tenant";
                is_same.then_some(true).ok_or_else(|| given.invalid(reason))?
            }
            None => false,
        };
        let (full, partitions) = (version.full(members)?, version.partitions(members)?);
        if !named && !partitions.is_empty() {
            return Err(path.invalid("it is missing"));
        }
        Ok(Self { tenant: tenant.to_owned(), full, partitions })
    }
}

#[cfg(test)]
mod tests;
