//! What a simulator is started with.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{generate::TenantSpec, limits::Limits, server::default_roles, switches::Switches, time::Time};

/// 2024-11-25T08:00:00Z: so long ago that no test moves the clock beyond the machine's, which a client may compare it with.
pub const START: Time = Time::from_secs(1_732_521_600);

/// All settings of [`GraphSim::start`](crate::GraphSim::start); most can be changed later.
#[derive(Clone, Debug)]
pub struct Options {
    pub tenant: TenantSpec,
    pub switches: Switches,
    /// None: Graph's limits are not enforced.
    pub limits: Option<Limits>,
    pub latency: Latency,
    /// Simulated time at the start.
    pub start: Time,
    /// Simulated seconds a second; 0: the clock stands until it is moved.
    pub clock_speed: f64,
    pub client_secret: String,
    /// Application permissions.
    pub roles: Vec<String>,
    /// Ports, 0 for free ones.
    pub graph_port: u16,
    pub login_port: u16,
    /// Threads that answer.
    pub workers: usize,
    /// Entries that the journal keeps; counts are always kept.
    pub journal_entries: usize,
    /// Answers are compressed when the client takes gzip.
    pub gzip: bool,
    /// HTTPS (feature `tls`).
    pub tls: Tls,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            tenant: TenantSpec::default(),
            switches: Switches::default(),
            limits: None,
            latency: Latency::None,
            start: START,
            clock_speed: 1.0,
            // What a form must encode is in it.
            client_secret: "sim~Secret+/=&%42 ü".to_owned(),
            roles: default_roles(),
            graph_port: 0,
            login_port: 0,
            workers: 2,
            journal_entries: 20_000,
            gzip: true,
            tls: Tls::Off,
        }
    }
}

impl Options {
    pub fn new(tenant: TenantSpec) -> Options {
        Options { tenant, ..Options::default() }
    }

    /// A clock that only tests move.
    #[must_use]
    pub fn manual_clock(mut self) -> Options {
        self.clock_speed = 0.0;
        self
    }

    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Options {
        self.limits = Some(limits);
        self
    }

    #[must_use]
    pub fn roles(mut self, roles: &[&str]) -> Options {
        self.roles = roles.iter().map(|&role| role.to_owned()).collect();
        self
    }
}

/// Whether the listeners speak TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    #[default]
    Off,
    /// A certificate of a throwaway CA.
    On,
    /// One that ended yesterday.
    Expired,
    /// One for another host.
    OtherName,
}

/// Real time before each answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Latency {
    #[default]
    None,
    Fixed(Duration),
    /// Drawn from the simulator's seed.
    Between(Duration, Duration),
}

/// What a client needs.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub tenant_id: String,
    /// A verified domain, which may stand for the tenant id.
    pub domain: String,
    pub client_id: String,
    pub client_secret: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("tenant_id", &self.tenant_id)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
