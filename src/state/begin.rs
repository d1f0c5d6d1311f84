//! The state with which a stream begins, from what an earlier run wrote in whichever version.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::{
    given::{Given, Members, Path},
    invalid::Invalid,
    partitions::Partitions,
    stream::{Partitioned, StreamState},
    version::{Full, Version},
    version_1, version_2,
};
use crate::level::Trail;

/// A full refresh that was interrupted is taken up for so long; then what it has read is too old.
const FULL_REFRESH_LASTS: TimeDelta = TimeDelta::days(7);

impl StreamState {
    /// The state with which a stream begins that is read in full each time.
    ///
    /// # Errors
    /// If what was written is of another version, or damaged: the key is named.
    pub fn begin_snapshot(written: Option<&RawValue>) -> Result<Self, Invalid> {
        let damage = read(written)?.map_or(Ok(Vec::new()), |(version, members)| version.damage(&members))?;
        Ok(Self { damage, partitioned: None })
    }

    /// The state with which an incremental run begins that starts at `now` of our own clock.
    ///
    /// # Errors
    /// If what was written is of another version or tenant, or damaged: the key is named.
    pub fn begin_incremental(written: Option<&RawValue>, tenant: &str, trail: &Trail, now: DateTime<Utc>) -> Result<Self, Invalid> {
        let Some((version, members)) = read(written)? else { return Ok(Self::of_partitions(tenant, trail)) };
        let (mut partitioned, damage) = (Partitioned::read(version, &members, tenant, trail)?, version.damage(&members)?);
        partitioned.partitions.drop_dates_ahead(now);
        // What a full refresh has read so far may be thrown away by the destination.
        Ok(if partitioned.full.is_some() { Self::of_partitions(tenant, trail) } else { Self { damage, partitioned: Some(partitioned) } })
    }

    /// The state with which a full refresh begins: what another one that was interrupted has read, or nothing.
    pub fn begin_full_refresh(written: Option<&RawValue>, tenant: &str, trail: &Trail, now: DateTime<Utc>) -> Self {
        let taken_up = || {
            let (version, members) = read(written).ok()??;
            let full = version.full(&members).ok()?.filter(|full| (now - full.begun).abs() < FULL_REFRESH_LASTS)?;
            let mark = full.mark?;
            let mut partitioned = Partitioned::read(version, &members, tenant, trail).ok()?;
            partitioned.partitions.drop_dates_ahead(now);
            partitioned.partitions.retain(|position| position.is_of_full_refresh(mark));
            Some(Self { damage: version.damage(&members).ok()?, partitioned: Some(partitioned) })
        };
        let begins =
            || Partitioned { full: Some(Full { begun: now.trunc_subsecs(0), mark: None }), ..Partitioned::new(tenant, trail.clone()) };
        taken_up().unwrap_or_else(|| Self { damage: Vec::new(), partitioned: Some(begins()) })
    }
}

/// What an earlier run wrote, and in which version; [`None`] if nothing was.
pub(super) fn read(written: Option<&RawValue>) -> Result<Option<(Version, Members<'_>)>, Invalid> {
    let Some(written) = written.map(|raw| Given::new(raw, &Path::Top)).filter(|given| !given.is_null()) else { return Ok(None) };
    let members = written.members()?;
    let path = Path::Key(&Path::Top, "version");
    match members.get("version").map(|raw| Given::new(raw, &path).whole()) {
        Some(Some(1)) => Ok(Some((Version::One, members))),
        Some(Some(2)) => Ok(Some((Version::Two, members))),
        Some(_) => Err(path.invalid("is not supported by this version of the program; use the version that wrote the state, or start without a state")),
        None if members.0.iter().all(|(_, raw)| Given::new(raw, &path).is_nothing()) => Ok(None),
        None => Err(path.invalid("is missing, so the state was not written by this program; start without a state")),
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

    fn partitions(self, members: &Members<'_>, trail: &Trail) -> Result<Partitions, Invalid> {
        match self {
            Self::One => version_1::partitions(members, trail),
            Self::Two => version_2::partitions(members, trail),
        }
    }
}

impl Partitioned {
    pub(super) fn read(version: Version, members: &Members<'_>, tenant: &str, trail: &Trail) -> Result<Self, Invalid> {
        let path = Path::Key(&Path::Top, "tenant");
        let named = match members.get("tenant") {
            Some(raw) => {
                let given = Given::new(raw, &path);
                let is_same = given.text()?.eq_ignore_ascii_case(tenant);
                let reason = "differs from `tenant_id` in the configuration; write the same tenant id, start without a state, or keep a separate state (cache, table prefix) for each tenant";
                is_same.then_some(true).ok_or_else(|| given.invalid(reason))?
            }
            None => false,
        };
        let (full, partitions) = (version.full(members)?, version.partitions(members, trail)?);
        if !named && !partitions.is_empty() {
            return Err(path.invalid("is missing"));
        }
        Ok(Self { tenant: tenant.to_owned(), full, partitions })
    }
}
