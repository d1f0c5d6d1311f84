//! The classes of requests. The requests of a class share one of Graph's rate limits per application and tenant (graph.md 6.1).

/// Requests that share a rate limit.
#[derive(Debug)]
pub struct Class {
    pub name: &'static str,
    /// Requests per second that Graph allows.
    pub per_second: f64,
}

impl Class {
    /// Directory objects: 3,500 resource units in ten seconds. A list of groups costs one unit.
    pub const GROUPS: Self = Self { name: "groups", per_second: 350.0 };
    /// One team.
    pub const TEAM: Self = Self { name: "team", per_second: 30.0 };
    /// The channels of a team.
    pub const CHANNELS: Self = Self { name: "channels", per_second: 60.0 };
    /// The members of a team.
    pub const MEMBERS: Self = Self { name: "members", per_second: 60.0 };
    /// One channel.
    pub const CHANNEL: Self = Self { name: "channel", per_second: 30.0 };
    /// Lists of root messages, single messages, and delta.
    pub const MESSAGES: Self = Self { name: "messages", per_second: 20.0 };
    /// All requests that are not listed in Graph's table of limits, such as replies.
    pub const OTHER: Self = Self { name: "other", per_second: 30.0 };
}

impl PartialEq for Class {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Class {}
