//! The pace: how many requests of each kind may be sent, and which one goes next.

pub(super) mod budget;
pub(super) mod counts;
pub(super) mod rates;
pub(super) mod turns;

pub use budget::{Class, Pace};
pub use counts::{ClassCounts, Counts};
pub use rates::{Budget, Rates};
pub use turns::Urgency;
