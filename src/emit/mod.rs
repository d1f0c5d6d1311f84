//! The output of a sync in either protocol: the emitters, and the queue and thread through which everything goes to stdout.

mod checkpoints;
mod emitter;
mod null;
mod output;
mod progress;
mod records;
mod stats;
mod stop;
mod write_loop;

pub use emitter::{Emitter, Outcome, PositionUpdate};
pub use null::NullEmitter;
pub use output::{Closed, Output, Writer};
pub use progress::{JobSize, Progress};
pub use records::{Batch, Change, Records};
pub use stats::{Phase, Remaining, Stats, StreamStats};
pub use stop::StopSignal;
pub use write_loop::WriteSummary;
