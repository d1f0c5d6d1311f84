//! A partition: the ids that identify one parent, such as a channel of a team.

use std::{fmt, sync::Arc};

use super::{CHANNEL, Level, MESSAGE, TEAM, key};

/// One parent and its ancestors, as far as Graph's paths contain them: the unit of jobs, states and messages. The default is the tenant.
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct Partition {
    level: Option<&'static Level>,
    /// From the top down.
    ids: Arc<[Box<str>]>,
}

impl Partition {
    pub fn team(team: &str) -> Self {
        Self::default().below(&TEAM, team)
    }

    pub fn channel(team: &str, channel: &str) -> Self {
        Self::team(team).below(&CHANNEL, channel)
    }

    /// The thread of a root message.
    pub fn thread(team: &str, channel: &str, message: &str) -> Self {
        Self::channel(team, channel).below(&MESSAGE, message)
    }

    /// Its child of this level with this id.
    #[must_use]
    pub fn below(&self, level: &'static Level, id: &str) -> Self {
        let above = if level.is_rooted { &[] } else { &*self.ids };
        Self { level: Some(level), ids: above.iter().cloned().chain([id.into()]).collect() }
    }

    /// The id with which `exclude` skips it.
    pub fn excludable(&self) -> Option<&str> {
        self.levels().filter(|(level, _)| level.is_excludable).last().map(|(_, id)| id)
    }

    /// Its parent, if Graph's path contains one; otherwise the tenant.
    #[must_use]
    pub fn above(&self) -> Self {
        match self.level {
            Some(level) if !level.is_rooted => Self { level: level.above, ids: self.ids[..self.ids.len() - 1].into() },
            _ => Self::default(),
        }
    }

    /// The partition and its ancestors, without the tenant.
    pub fn upwards(&self) -> impl Iterator<Item = Self> + use<> {
        let next = |of: &Self| Some(of.above()).filter(|above| above.level.is_some());
        std::iter::successors(Some(self.clone()).filter(|of| of.level.is_some()), next)
    }

    /// [`None`] for the tenant.
    pub fn level(&self) -> Option<&'static Level> {
        self.level
    }

    /// Its own id; empty for the tenant.
    pub fn own_id(&self) -> &str {
        self.ids.last().map_or("", |id| id)
    }

    /// The id at a level; empty if there is none.
    pub fn id(&self, level: &Level) -> &str {
        self.levels().find(|(known, _)| **known == *level).map_or("", |(_, id)| id)
    }

    /// The first of its ids; empty for the tenant.
    pub fn top(&self) -> &str {
        self.ids.first().map_or("", |id| id)
    }

    /// Levels and ids, from the top down.
    pub fn levels(&self) -> impl Iterator<Item = (&'static Level, &str)> {
        let path = self.level.map(Level::path).unwrap_or_default();
        let skipped = path.len().saturating_sub(self.ids.len());
        path.into_iter().skip(skipped).zip(self.ids.iter().map(|id| &**id))
    }

    /// The id columns of each record below it.
    pub fn columns(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.levels().map(|(level, id)| (level.id, id))
    }

    /// Its path in Graph, as segments.
    pub fn path(&self) -> Vec<&str> {
        self.levels().flat_map(|(level, id)| [level.segment, id]).collect()
    }

    pub fn key(&self) -> String {
        key(&self.ids)
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut levels: Vec<_> = self.levels().collect();
        levels.reverse();
        let words: Vec<_> = levels.into_iter().map(|(level, id)| format!("{} {id}", level.name)).collect();
        formatter.write_str(if words.is_empty() { "the tenant" } else { "" })?;
        formatter.write_str(&words.join(" of "))
    }
}

impl fmt::Debug for Partition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static ROOTED: Level = Level { is_rooted: true, name: "box", segment: "boxes", id: "box_id", ..CHANNEL };

    #[test]
    fn a_partition_has_the_ids_of_its_ancestors() {
        let thread = Partition::thread("t/1", "c", "m");
        assert_eq!([thread.id(&TEAM), thread.id(&CHANNEL), thread.id(&MESSAGE), thread.id(&ROOTED)], ["t/1", "c", "m", ""]);
        assert_eq!((thread.own_id(), thread.top(), thread.level()), ("m", "t/1", Some(&MESSAGE)));
        assert_eq!(thread.key(), "t%2F1/c/m");
        assert_eq!(thread.path(), ["teams", "t/1", "channels", "c", "messages", "m"]);
        assert_eq!(thread.to_string(), "message m of channel c of team t/1");
        assert_eq!((thread.above(), thread.above().above().above()), (Partition::channel("t/1", "c"), Partition::default()));
        assert_eq!(thread.upwards().map(|of| of.key()).collect::<Vec<_>>(), ["t%2F1/c/m", "t%2F1/c", "t%2F1"]);
        assert_eq!(thread.columns().collect::<Vec<_>>(), [("team_id", "t/1"), ("channel_id", "c"), ("message_id", "m")]);
    }

    #[test]
    fn the_tenant_has_no_id() {
        let tenant = Partition::default();
        assert_eq!((tenant.own_id(), tenant.top(), tenant.key().as_str(), tenant.level()), ("", "", "", None));
        assert_eq!((tenant.to_string().as_str(), tenant.path().len()), ("the tenant", 0));
    }

    #[test]
    fn a_rooted_level_has_no_ids_of_its_ancestors() {
        let below = Partition::team("t").below(&ROOTED, "b");
        assert_eq!((below.key().as_str(), below.id(&TEAM), below.id(&ROOTED)), ("b", "", "b"));
        assert_eq!((below.path(), below.to_string()), (vec!["boxes", "b"], "box b".to_owned()));
    }
}
