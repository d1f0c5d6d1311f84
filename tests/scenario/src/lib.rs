//! Shared by the random histories (`tests/it/histories`) and the soak test (`examples/soak`): a tenant that changes, runs of the tap that fail
//! or are killed, a destination, and the rows that it must contain in the end.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking, but never because of output of the tap")]

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

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Protocol {
    Airbyte,
    Singer,
}
