//! The targets: each reads what others write, as the tap does, and looks at what came of it.

mod answer;
mod catalog;
mod config;
mod delta;
mod link;
mod page;
mod state;

pub(crate) use answer::{refusal, retry_after, token};
pub(crate) use catalog::catalog;
pub(crate) use config::config;
pub(crate) use delta::delta;
pub(crate) use link::link;
pub(crate) use page::page;
pub(crate) use state::state;
