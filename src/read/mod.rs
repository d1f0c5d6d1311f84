//! Reading: from the parents that are configured to jobs, and from a job to records. Knows nothing of protocols.

mod awaited;
pub(crate) mod begin;
pub(crate) mod channel;
pub(crate) mod context;
pub(crate) mod dispatch;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub(crate) mod job;
pub(crate) mod known;
mod list;
mod looks;
mod marks;
mod names;
mod once;
pub(crate) mod outcome;
pub(crate) mod parents;
pub(crate) mod place;
pub(crate) mod rest;
pub(crate) mod teams;
mod waits;

pub use begin::{States, client, states};
pub use parents::unconfigured;
