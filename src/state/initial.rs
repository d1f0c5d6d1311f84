//! The state that a stream starts with, from the state that an earlier run wrote in either version.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::{
    invalid::InvalidState,
    json::{JsonValue, Members, Path},
    partitions::Partitions,
    stream::{Partitioned, StreamState},
    version::{FullRefresh, Version},
    version_1, version_2,
};
use crate::level::Trail;

/// How long an interrupted full refresh can be resumed. After that, the records it has read are too old.
const FULL_REFRESH_LIFETIME: TimeDelta = TimeDelta::days(7);

impl StreamState {
    /// The initial state of a stream that is read in full each time.
    ///
    /// # Errors
    /// If the written state has an unknown version or an invalid value.
    pub fn begin_snapshot(written: Option<&RawValue>) -> Result<Self, InvalidState> {
        let skipped = read(written)?.map_or(Ok(Vec::new()), |(version, members)| version.skipped(&members))?;
        Ok(Self { skipped, partitioned: None })
    }

    /// The initial state of an incremental run that starts at `now` of the local clock.
    ///
    /// # Errors
    /// If the written state has an unknown version, belongs to another tenant, or has an invalid value.
    pub fn begin_incremental(written: Option<&RawValue>, tenant: &str, trail: &Trail, now: DateTime<Utc>) -> Result<Self, InvalidState> {
        let Some((version, members)) = read(written)? else { return Ok(Self::new_partitioned(tenant, trail)) };
        let (mut partitioned, skipped) = (Partitioned::read(version, &members, tenant, trail)?, version.skipped(&members)?);
        partitioned.partitions.drop_future_dates(now);
        // The destination may discard what an unfinished full refresh has written, so an incremental run cannot rely on it.
        Ok(if partitioned.full_refresh.is_some() {
            Self::new_partitioned(tenant, trail)
        } else {
            Self { skipped, partitioned: Some(partitioned) }
        })
    }

    /// The initial state of a full refresh: the progress of an interrupted one that can be resumed, or an empty state.
    pub fn begin_full_refresh(written: Option<&RawValue>, tenant: &str, trail: &Trail, now: DateTime<Utc>) -> Self {
        let resumed = || {
            let (version, members) = read(written).ok()??;
            let full_refresh = version.full_refresh(&members).ok()??;
            let start = full_refresh.graph_start.filter(|_| (now - full_refresh.local_start).abs() < FULL_REFRESH_LIFETIME)?;
            let mut partitioned = Partitioned::read(version, &members, tenant, trail).ok()?;
            partitioned.partitions.drop_future_dates(now);
            partitioned.partitions.retain(|position| position.belongs_to_full_refresh(start));
            Some(Self { skipped: version.skipped(&members).ok()?, partitioned: Some(partitioned) })
        };
        let new = || {
            let full_refresh = Some(FullRefresh { local_start: now.trunc_subsecs(0), graph_start: None });
            Partitioned { full_refresh, ..Partitioned::new(tenant, trail.clone()) }
        };
        resumed().unwrap_or_else(|| Self { skipped: Vec::new(), partitioned: Some(new()) })
    }
}

/// The version and the members of a written state. [`None`] if there is no state, or only an empty one.
pub(super) fn read(written: Option<&RawValue>) -> Result<Option<(Version, Members<'_>)>, InvalidState> {
    let Some(written) = written.map(|raw| JsonValue::new(raw, &Path::Root)).filter(|json| !json.is_null()) else { return Ok(None) };
    let members = written.members()?;
    let path = Path::Key(&Path::Root, "version");
    match members.get("version").map(|raw| JsonValue::new(raw, &path).integer()) {
        Some(Some(1)) => Ok(Some((Version::One, members))),
        Some(Some(2)) => Ok(Some((Version::Two, members))),
        Some(_) => Err(path.invalid("is not supported; use the version of this program that wrote the state, or start without a state")),
        None if members.0.iter().all(|(_, raw)| JsonValue::new(raw, &path).is_null_or_empty()) => Ok(None),
        None => Err(path.invalid("is missing, so the state was not written by this program; start without a state")),
    }
}

impl Version {
    fn full_refresh(self, members: &Members<'_>) -> Result<Option<FullRefresh>, InvalidState> {
        match self {
            Self::One => version_1::full_refresh(members),
            Self::Two => version_2::full_refresh(members),
        }
    }

    fn skipped(self, members: &Members<'_>) -> Result<Vec<String>, InvalidState> {
        match self {
            Self::One => Ok(Vec::new()),
            Self::Two => version_2::skipped(members),
        }
    }

    fn partitions(self, members: &Members<'_>, trail: &Trail) -> Result<Partitions, InvalidState> {
        match self {
            Self::One => version_1::partitions(members, trail),
            Self::Two => version_2::partitions(members, trail),
        }
    }
}

impl Partitioned {
    pub(super) fn read(version: Version, members: &Members<'_>, tenant: &str, trail: &Trail) -> Result<Self, InvalidState> {
        let path = Path::Key(&Path::Root, "tenant");
        let names_tenant = match members.get("tenant") {
            Some(raw) => {
                let json = JsonValue::new(raw, &path);
                let is_same = json.string()?.eq_ignore_ascii_case(tenant);
                let reason = "differs from `tenant_id` in the configuration; write the same tenant id, start without a state, or keep a separate state (cache, table prefix) for each tenant";
                is_same.then_some(true).ok_or_else(|| json.invalid(reason))?
            }
            None => false,
        };
        let (full_refresh, partitions) = (version.full_refresh(members)?, version.partitions(members, trail)?);
        if !names_tenant && !partitions.is_empty() {
            return Err(path.invalid("is missing"));
        }
        Ok(Self { tenant: tenant.to_owned(), full_refresh, partitions })
    }
}
