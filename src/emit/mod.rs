//! What a sync emits, whatever the protocol: the emitter that takes it, and the one road to stdout.

mod checkpoints;
mod emitter;
mod figures;
mod output;
mod progress;
mod records;
mod silent;
mod stop;
mod writing;

pub use emitter::{Emitter, Outcome, Report};
pub use figures::{Ahead, Figures, Phase, StreamFigures};
pub use output::{Closed, Output, Writer};
pub use progress::{Progress, Size};
pub use records::{Batch, Change, Records};
pub use silent::Silent;
pub use stop::StopSignal;
pub use writing::Written;
