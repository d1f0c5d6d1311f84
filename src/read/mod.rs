//! Reads a tenant: turns the configured parents into jobs, and the items that the jobs read into records. Independent of the output protocol.

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
