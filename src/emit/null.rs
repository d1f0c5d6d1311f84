//! An emitter that discards everything, for commands that only sample the tenant.

use std::io;

use super::{Batch, Emitter};
use crate::{state::StreamState, streams::Stream};

#[derive(Clone, Copy, Debug)]
pub struct NullEmitter;

impl Emitter for NullEmitter {
    fn write_records(&mut self, _: &mut Batch<'_>) -> io::Result<()> {
        Ok(())
    }

    fn write_state(&mut self, _: &'static Stream, _: &StreamState) -> io::Result<usize> {
        Ok(0)
    }
}
