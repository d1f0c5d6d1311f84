//! The Singer specification: <https://github.com/singer-io/getting-started/blob/master/docs/SPEC.md>, as Meltano and the targets live it.

mod about;
mod catalog;
mod emitter;
mod environment;
mod log;
mod state;

pub use about::{About, about};
pub use catalog::{catalog, everything, read_catalog};
pub use emitter::SingerEmitter;
pub use environment::settings_of_environment;
pub use log::{Format, Log};
pub use state::read_state;
