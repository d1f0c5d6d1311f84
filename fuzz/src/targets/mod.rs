//! The targets. Each one reads input as the tap does and checks the result.

mod catalog;
mod config;
mod delta;
mod link;
mod page;
mod responses;
mod state;

pub(crate) use catalog::catalog;
pub(crate) use config::config;
pub(crate) use delta::delta;
pub(crate) use link::link;
pub(crate) use page::page;
pub(crate) use responses::{refusal, retry_after, token};
pub(crate) use state::state;
