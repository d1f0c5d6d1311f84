//! The integration tests of the tap: the executable against the simulator, over HTTP.

#![allow(unreachable_pub, reason = "one binary: nothing is reachable from outside")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod airbyte;
mod bad_input;
mod channel_members;
mod cli;
mod conformance;
mod contents;
mod contradictions;
mod doctor;
mod documents;
mod ends;
mod exclude;
mod faults;
mod generated;
mod graph;
mod histories;
mod ids;
mod incremental;
mod layers;
mod missing_items;
mod misspelt;
mod parents;
mod people;
mod plan;
mod rate_limited;
mod refused;
mod reliability;
mod requests;
mod singer;
mod slow;
mod support;
mod usage_reports;
mod watch;
mod whole;
