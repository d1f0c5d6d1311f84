//! Simulates Microsoft Graph with one tenant in memory, over real HTTP, including the quirks that `docs/graph.md` describes.
//!
//! [`GraphSim::start`] generates a tenant from a [`TenantSpec`] and serves it until the handle is dropped. Meanwhile tests can change the
//! tenant ([`GraphSim::with_tenant`]), inject faults ([`GraphSim::inject`]), move the clock, enforce limits, and inspect the requests
//! ([`GraphSim::journal`]) and the expected data ([`GraphSim::truth`]). `README.md` describes the program and its control API.

mod clock;
mod content;
pub mod control;
mod corpus;
mod encode;
mod faults;
mod generate;
mod journal;
mod limits;
mod options;
mod rng;
mod server;
mod sim;
mod switches;
mod tenant;
mod time;

pub use clock::Clock;
pub use content::{Flavour, SYSTEM_EVENTS};
pub use corpus::{Awkward, corpus, damaged};
pub use faults::{Fault, LinkFault, RetryAfter, Rule};
pub use generate::TenantSpec;
pub use journal::{Class, Entry, Host, Ids, Journal, PageKind, RequestInfo};
pub use limits::{Limits, Sustained};
pub use options::{Credentials, Latency, Options, START, Tls};
pub use sim::GraphSim;
pub use switches::{
    BasicTeam, DeletedBody, DeltaDeletes, DeltaSwitches, DeltaTop, Excess, ExpiredToken, LinkStyle, Overflow, Paging, RepliesOrder,
    Switches, TokenExpiry,
};
pub use tenant::{
    Block, ChangeError, Channel, ChannelMember, DeltaSupport, Member, MemberKind, Membership, MessageId, MessageRef, MessageTruth, Post,
    Team, Tenant, Truth,
};
pub use time::Time;
