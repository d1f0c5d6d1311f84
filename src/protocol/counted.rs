//! A writer that counts bytes.

use std::io::{self, Write};

pub(super) struct Counted<'w, W> {
    out: &'w mut W,
    pub(super) bytes: usize,
}

impl<'w, W> Counted<'w, W> {
    pub(super) fn new(out: &'w mut W) -> Self {
        Self { out, bytes: 0 }
    }
}

impl<W: Write> Write for Counted<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
