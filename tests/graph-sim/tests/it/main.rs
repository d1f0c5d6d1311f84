//! The simulator's own tests: one a quirk, each naming the section of graph.md that it stands for.
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
