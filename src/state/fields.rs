//! The fields of a partition, as both versions write them.

use super::{
    DeltaState, Invalid, MOST_DAMAGE_OF_PARTITION, Position, RoundState, WalkState,
    given::{Given, Path},
    links, time,
    version::Version,
};
use crate::level::Trail;

const IS_MISSING: &str = "is missing";

/// What the fields of a partition are read with: its key, the trail to it, and the version of the state.
#[derive(Clone, Copy)]
pub(super) struct Fields<'k> {
    pub(super) key: &'k str,
    pub(super) trail: &'k Trail,
    pub(super) version: Version,
}

impl Fields<'_> {
    /// Takes a field. What is unknown is left alone, and null means absent.
    pub(super) fn take(self, position: &mut Position, name: &str, given: Given<'_, '_>) -> Result<(), Invalid> {
        if given.is_null() {
            return Ok(());
        }
        match name {
            "lastModifiedDateTime" => position.last_modified_date_time = Some(time::moment(given)?),
            "readAt" => position.read_at = Some(time::clock(given, self.version)?),
            "since" => position.since = Some(time::moment(given)?),
            "gapAt" => position.gap_at = Some(time::clock(given, self.version)?),
            "walk" => position.walk = Some(self.walk(given)?),
            "deltaLink" => position.delta_link = Some(self.link(given, links::is_delta)?),
            "deltaAt" => position.delta_at = Some(time::clock(given, self.version)?),
            "delta" if self.version == Version::One => position.delta = self.delta(given)?,
            "deltaRound" => position.delta.round = Some(self.round(given)?),
            "deltaRefusedAt" => position.delta.refused_at = Some(time::clock(given, self.version)?),
            "import" => position.import = Some(given.text()?.into_owned()),
            "damage" => position.damage = texts(given, MOST_DAMAGE_OF_PARTITION)?,
            _ => {}
        }
        Ok(())
    }

    fn walk(self, given: Given<'_, '_>) -> Result<WalkState, Invalid> {
        let (mut walk, mut floor) = (WalkState::new(time::BEGINNING), None);
        for (name, raw) in given.members()?.0 {
            let path = Path::Key(given.path(), &name);
            let given = Given::new(raw, &path);
            if given.is_null() {
                continue;
            }
            match &*name {
                "link" => walk.link = Some(self.link(given, links::is_page)?),
                "head" => walk.head = Some(time::moment(given)?),
                "readAt" => walk.read_at = Some(time::clock(given, self.version)?),
                "until" => walk.until = Some(time::moment(given)?),
                "floor" => floor = Some(time::moment(given)?),
                "began" => walk.began = Some(time::clock(given, self.version)?),
                "owed" => walk.owed = Some(time::moment(given)?),
                "isOfRoots" => walk.is_of_roots = given.is("true"),
                _ => {}
            }
        }
        walk.floor = floor.ok_or_else(|| Path::Key(given.path(), "floor").invalid(IS_MISSING))?;
        if walk.link.is_some() && (walk.read_at.is_none() || walk.began.is_none()) {
            return Err(given.invalid("has a `link` but lacks `readAt` or `began`"));
        }
        Ok(walk)
    }

    fn delta(self, given: Given<'_, '_>) -> Result<DeltaState, Invalid> {
        let mut delta = DeltaState::default();
        for (name, raw) in given.members()?.0 {
            let path = Path::Key(given.path(), &name);
            let given = Given::new(raw, &path);
            match &*name {
                "round" if !given.is_null() => delta.round = Some(self.round(given)?),
                "refusedAt" if !given.is_null() => delta.refused_at = Some(time::clock(given, self.version)?),
                _ => {}
            }
        }
        Ok(delta)
    }

    fn round(self, given: Given<'_, '_>) -> Result<RoundState, Invalid> {
        let (mut link, mut at) = (None, None);
        for (name, raw) in given.members()?.0 {
            let path = Path::Key(given.path(), &name);
            let given = Given::new(raw, &path);
            match &*name {
                "link" => link = Some(self.link(given, links::is_delta)?),
                "at" => at = Some(time::clock(given, self.version)?),
                _ => {}
            }
        }
        let missing = |name| Path::Key(given.path(), name).invalid(IS_MISSING);
        Ok(RoundState { link: link.ok_or_else(|| missing("link"))?, at: at.ok_or_else(|| missing("at"))? })
    }

    /// A link that leads to this partition.
    fn link(self, given: Given<'_, '_>, leads: fn(&str, &str, &Trail) -> bool) -> Result<String, Invalid> {
        let written = given.text()?;
        let whole = if self.version == Version::One { Some(written.into_owned()) } else { links::whole(&written, self.key, self.trail) };
        whole
            .filter(|link| leads(link, self.key, self.trail))
            .ok_or_else(|| given.invalid("does not link to its own channel or thread"))
    }
}

/// The first texts of a list, so many at most.
pub(super) fn texts(given: Given<'_, '_>, most: usize) -> Result<Vec<String>, Invalid> {
    let text = |(at, raw)| Ok(Given::new(raw, &Path::Item(given.path(), at)).text()?.into_owned());
    given.first(most)?.into_iter().enumerate().map(text).collect()
}
