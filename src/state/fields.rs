//! Reads the fields of a partition, which are nearly the same in both versions.

use super::{
    DeltaState, InvalidState, MAX_SKIPPED_PER_PARTITION, Position, RoundState, WalkState,
    json::{JsonValue, Path},
    links, time,
    version::Version,
};
use crate::level::Trail;

const IS_MISSING: &str = "is missing";

/// Reads the fields of the partition with this key, in a state of this version.
#[derive(Clone, Copy)]
pub(super) struct FieldReader<'k> {
    pub(super) key: &'k str,
    pub(super) trail: &'k Trail,
    pub(super) version: Version,
}

impl FieldReader<'_> {
    /// Reads one field into the position. Unknown fields are ignored, and null means absent.
    pub(super) fn read(self, position: &mut Position, name: &str, json: JsonValue<'_, '_>) -> Result<(), InvalidState> {
        if json.is_null() {
            return Ok(());
        }
        match name {
            "lastModifiedDateTime" => position.last_modified_date_time = Some(time::parse_date_time(json)?),
            "readAt" => position.read_at = Some(time::parse_clock(json, self.version)?),
            "since" => position.since = Some(time::parse_date_time(json)?),
            "gapAt" => position.gap_at = Some(time::parse_clock(json, self.version)?),
            "walk" => position.walk = Some(self.walk(json)?),
            "deltaLink" => position.delta_link = Some(self.link(json, links::is_delta_link)?),
            "deltaAt" => position.delta_at = Some(time::parse_clock(json, self.version)?),
            "delta" if self.version == Version::One => position.delta = self.delta(json)?,
            "deltaRound" => position.delta.round = Some(self.round(json)?),
            "deltaRefusedAt" => position.delta.refused_at = Some(time::parse_clock(json, self.version)?),
            "import" => position.import = Some(json.string()?.into_owned()),
            "damage" => position.skipped = strings(json, MAX_SKIPPED_PER_PARTITION)?,
            _ => {}
        }
        Ok(())
    }

    fn walk(self, json: JsonValue<'_, '_>) -> Result<WalkState, InvalidState> {
        let (mut walk, mut cutoff) = (WalkState::new(time::BEGINNING), None);
        for (name, raw) in json.members()?.0 {
            let path = Path::Key(json.path(), &name);
            let json = JsonValue::new(raw, &path);
            if json.is_null() {
                continue;
            }
            match &*name {
                "link" => walk.link = Some(self.link(json, links::is_page_link)?),
                "head" => walk.head = Some(time::parse_date_time(json)?),
                "readAt" => walk.read_at = Some(time::parse_clock(json, self.version)?),
                "until" => walk.until = Some(time::parse_date_time(json)?),
                "floor" => cutoff = Some(time::parse_date_time(json)?),
                "began" => walk.began = Some(time::parse_clock(json, self.version)?),
                "owed" => walk.oldest_deferred = Some(time::parse_date_time(json)?),
                "isOfRoots" => walk.lists_roots_only = json.is("true"),
                _ => {}
            }
        }
        walk.cutoff = cutoff.ok_or_else(|| Path::Key(json.path(), "floor").invalid(IS_MISSING))?;
        if walk.link.is_some() && (walk.read_at.is_none() || walk.began.is_none()) {
            return Err(json.invalid("has a `link` but lacks `readAt` or `began`"));
        }
        Ok(walk)
    }

    fn delta(self, json: JsonValue<'_, '_>) -> Result<DeltaState, InvalidState> {
        let mut delta = DeltaState::default();
        for (name, raw) in json.members()?.0 {
            let path = Path::Key(json.path(), &name);
            let json = JsonValue::new(raw, &path);
            match &*name {
                "round" if !json.is_null() => delta.round = Some(self.round(json)?),
                "refusedAt" if !json.is_null() => delta.refused_at = Some(time::parse_clock(json, self.version)?),
                _ => {}
            }
        }
        Ok(delta)
    }

    fn round(self, json: JsonValue<'_, '_>) -> Result<RoundState, InvalidState> {
        let (mut link, mut at) = (None, None);
        for (name, raw) in json.members()?.0 {
            let path = Path::Key(json.path(), &name);
            let json = JsonValue::new(raw, &path);
            match &*name {
                "link" => link = Some(self.link(json, links::is_delta_link)?),
                "at" => at = Some(time::parse_clock(json, self.version)?),
                _ => {}
            }
        }
        let missing = |name| Path::Key(json.path(), name).invalid(IS_MISSING);
        Ok(RoundState { link: link.ok_or_else(|| missing("link"))?, at: at.ok_or_else(|| missing("at"))? })
    }

    /// A link that `is_valid` accepts for this partition.
    fn link(self, json: JsonValue<'_, '_>, is_valid: fn(&str, &str, &Trail) -> bool) -> Result<String, InvalidState> {
        let written = json.string()?;
        let link = if self.version == Version::One { Some(written.into_owned()) } else { links::expand(&written, self.key, self.trail) };
        link.filter(|link| is_valid(link, self.key, self.trail))
            .ok_or_else(|| json.invalid("contains a link to a different channel or thread"))
    }
}

/// The first strings of a list, at most `limit`.
pub(super) fn strings(json: JsonValue<'_, '_>, limit: usize) -> Result<Vec<String>, InvalidState> {
    let string = |(at, raw)| Ok(JsonValue::new(raw, &Path::Item(json.path(), at)).string()?.into_owned());
    json.first_items(limit)?.into_iter().enumerate().map(string).collect()
}
