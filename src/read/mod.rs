//! Reading: from the parents that are configured to jobs, and from a job to records. Knows nothing of protocols.

pub(crate) mod begin;
pub(crate) mod channel;
pub(crate) mod context;
pub(crate) mod dispatch;
pub(crate) mod found;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub(crate) mod job;
mod looks;
mod marks;
mod names;
mod once;
pub(crate) mod outcome;
pub(crate) mod parents;
pub(crate) mod place;
mod waits;
mod wanted;

pub use begin::{States, client, states};
pub use parents::unconfigured;
