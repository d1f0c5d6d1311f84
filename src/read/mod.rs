//! Reads a tenant: makes jobs of the configured parents, and records of what the jobs read. Independent of the output protocol.

pub(crate) mod channel;
pub(crate) mod channel_ref;
pub(crate) mod context;
mod dedup;
pub(crate) mod dispatch;
pub(crate) mod found;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub(crate) mod job;
mod lookups;
mod names;
pub(crate) mod outcome;
pub(crate) mod parents;
pub(crate) mod setup;
mod skipped_items;
mod waits;
mod wanted;

pub use parents::unconfigured;
pub use setup::{States, client, states};
