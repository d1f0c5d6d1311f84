//! What random histories (`tests/it/histories`) and the soak (`examples/soak`) have in common: a tenant that changes, runs of the tap
//! that fail and are ended, a careful destination, and what it must hold in the end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking; what the tap writes is never a reason for it")]

pub mod catalog;
pub mod changes;
pub mod compare;
pub mod destination;
pub mod dice;
pub mod expect;
pub mod faults;
pub mod ledger;
pub mod lines;
pub mod plan;
pub mod process;
pub mod states;
pub mod truth;
pub mod world;

/// The streams that are read incrementally.
pub const STREAMS: [&str; 2] = ["messages", "message_replies"];

/// In whose words the tap speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    Airbyte,
    Singer,
}
