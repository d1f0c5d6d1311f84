//! The pace: how many requests of each kind may be sent, and which one goes next.

mod class;
pub(super) mod counts;
pub(super) mod pacer;
mod rates;
pub(super) mod scope;
mod slot;
pub(super) mod turns;

pub use class::Class;
pub use counts::{ClassCounts, Counts};
pub use rates::{Budget, Pace, Rates};
pub use turns::Urgency;
