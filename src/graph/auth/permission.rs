//! The application permissions that a request requires.

/// A list of application permissions, any one of which is sufficient, with the least privileged first (graph.md 2).
#[derive(Debug, Eq, PartialEq)]
pub struct Permission(&'static [&'static str]);

impl Permission {
    /// Creates a permission from a non-empty list.
    pub const fn new(names: &'static [&'static str]) -> Self {
        Self(names)
    }

    /// The permission that should be granted.
    pub fn least_privileged(&self) -> &'static str {
        self.0.first().copied().unwrap_or_default()
    }

    /// The second read-only permission, if there is one.
    pub fn alternative(&self) -> Option<&'static str> {
        self.0.iter().skip(1).copied().find(|name| !name.contains("Write"))
    }

    /// Whether this permission is sufficient.
    pub fn includes(&self, name: &str) -> bool {
        self.0.contains(&name)
    }
}
