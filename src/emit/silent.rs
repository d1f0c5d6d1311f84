//! An emitter that writes nothing: for those who look and do not read.

use std::io;

use super::{Batch, Emitter};
use crate::{state::StreamState, streams::Stream};

/// Writes nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Emitter for Silent {
    fn records(&mut self, _: &mut Batch<'_>) -> io::Result<()> {
        Ok(())
    }

    fn state(&mut self, _: &'static Stream, _: &StreamState) -> io::Result<usize> {
        Ok(0)
    }
}
