//! What lets an application read a route: any one of a few application permissions.

/// Application permissions any one of which opens a route, the least privileged first (graph.md 2).
#[derive(Debug, Eq, PartialEq)]
pub struct Permission(&'static [&'static str]);

impl Permission {
    /// Any one of these, of which there is at least one.
    pub const fn new(names: &'static [&'static str]) -> Self {
        Self(names)
    }

    /// The least privileged one: what is to be granted.
    pub fn least(&self) -> &'static str {
        self.0.first().copied().unwrap_or_default()
    }

    /// The next that reads and no more, where there is one.
    pub fn next(&self) -> Option<&'static str> {
        self.0.iter().skip(1).copied().find(|name| !name.contains("Write"))
    }

    /// Whether this one opens the route.
    pub fn is_given_by(&self, name: &str) -> bool {
        self.0.contains(&name)
    }
}
