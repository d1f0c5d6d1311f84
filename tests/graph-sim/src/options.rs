//! The options of a simulator.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{generate::TenantSpec, limits::Limits, server::default_roles, switches::Switches, time::Time};

/// 2024-11-25T08:00:00Z: old enough that no test moves the simulated clock past the clock of the machine, which clients may compare with it.
pub const START: Time = Time::from_secs(1_732_521_600);

/// The options of [`GraphSim::start`](crate::GraphSim::start). Most can be changed later.
#[derive(Clone, Debug)]
pub struct Options {
    pub tenant: TenantSpec,
    pub switches: Switches,
    /// With none, Graph's limits are not enforced.
    pub limits: Option<Limits>,
    pub latency: Latency,
    /// Simulated time at the start.
    pub start: Time,
    /// Simulated seconds per real second. With 0, only tests move the clock.
    pub clock_speed: f64,
    pub client_secret: String,
    /// Application permissions.
    pub roles: Vec<String>,
    /// 0 chooses a free port, here and for `login_port`.
    pub graph_port: u16,
    pub login_port: u16,
    /// Number of threads that handle requests.
    pub workers: usize,
    /// Number of entries that the journal keeps; its counts cover all requests.
    pub journal_entries: usize,
    /// Compress responses if the client accepts gzip.
    pub gzip: bool,
    /// HTTPS; requires the feature `tls`.
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
            // Has characters that must be encoded in a form.
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

    /// Only tests move the clock.
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

/// Whether the listeners use TLS, and with which certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tls {
    #[default]
    Off,
    /// A valid certificate of a throwaway CA.
    On,
    /// An expired certificate.
    Expired,
    /// A certificate for another host.
    OtherName,
}

/// Delay of each response, in real time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Latency {
    #[default]
    None,
    Fixed(Duration),
    /// Drawn from the seed of the simulator.
    Between(Duration, Duration),
}

/// What a client needs to sign in.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub tenant_id: String,
    /// A verified domain, which clients may use instead of the tenant id.
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
