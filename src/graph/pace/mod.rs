//! The pace of requests: rate limits, the order of requests, and request counts.

mod class;
pub(super) mod counts;
pub(super) mod pacer;
mod rate_control;
mod rates;
pub(super) mod scheduler;
pub(super) mod scope;

pub use class::Class;
pub use counts::{ClassCounts, Counts};
pub use rates::{Budget, Pace, Rates};
pub use scheduler::Priority;
