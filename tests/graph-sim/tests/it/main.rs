//! The tests of the simulator. Each test of a quirk names the section of graph.md that documents it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod changes;
mod channel_members;
mod client;
mod control;
mod delta;
mod directory;
mod errors;
mod faults;
mod limits;
mod login;
mod messages;
mod program;
mod readme;
#[cfg(feature = "tls")]
mod tls;
