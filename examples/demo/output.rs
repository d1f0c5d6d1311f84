//! The output of the demo: counts the records, and writes all messages or keeps a few records for a preview.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use unicode_width::UnicodeWidthChar;

/// How many records of each stream a preview has.
const RECORDS_PER_STREAM: usize = 2;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Mode {
    Everything,
    Preview,
}

#[derive(Debug)]
pub(crate) struct Output<W> {
    mode: Mode,
    inner: Arc<Mutex<Inner<W>>>,
}

#[derive(Debug)]
struct Inner<W> {
    out: W,
    /// The beginning of a line whose end has not been written yet.
    line: Vec<u8>,
    records: BTreeMap<String, u64>,
    preview: BTreeMap<String, Vec<Value>>,
}

impl<W> Clone for Output<W> {
    fn clone(&self) -> Self {
        Self { mode: self.mode, inner: self.inner.clone() }
    }
}

impl<W> Output<W> {
    pub(crate) fn new(mode: Mode, out: W) -> Self {
        let inner = Inner { out, line: Vec::new(), records: BTreeMap::new(), preview: BTreeMap::new() };
        Self { mode, inner: Arc::new(Mutex::new(inner)) }
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    /// The number of records of each stream.
    pub(crate) fn records(&self) -> BTreeMap<String, u64> {
        self.lock().records.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner<W>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W: Write> Output<W> {
    /// Writes the records of the preview, one per line, cut to `width` columns.
    pub(crate) fn write_preview(&mut self, streams: impl Iterator<Item = &'static str>, width: usize) -> io::Result<()> {
        let Inner { out, preview, .. } = &mut *self.lock();
        for stream in streams {
            for record in preview.get(stream).into_iter().flatten() {
                writeln!(out, "{}", cut(&format!("{stream:<16} {record}"), width))?;
            }
        }
        out.flush()
    }
}

#[cfg(test)]
impl<W: Default> Output<W> {
    pub(crate) fn into_written(self) -> W {
        std::mem::take(&mut self.lock().out)
    }
}

impl<W: Write> Write for Output<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut inner = self.lock();
        if self.mode == Mode::Everything {
            inner.out.write_all(bytes)?;
        }
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            inner.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                inner.count_line(self.mode);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().out.flush()
    }
}

impl<W> Inner<W> {
    fn count_line(&mut self, mode: Mode) {
        let line = std::mem::take(&mut self.line);
        let Some((stream, record)) = record(&line) else { return };
        if mode == Mode::Preview {
            let kept = self.preview.entry(stream.clone()).or_default();
            if kept.len() < RECORDS_PER_STREAM {
                kept.push(record);
            }
        }
        *self.records.entry(stream).or_default() += 1;
    }
}

/// The stream and the data of a RECORD message, in either protocol.
fn record(line: &[u8]) -> Option<(String, Value)> {
    let mut message: Value = serde_json::from_slice(line).ok()?;
    if message["type"] != "RECORD" {
        return None;
    }
    let mut record = message["record"].take();
    match message["stream"].as_str() {
        Some(stream) => Some((stream.to_owned(), record)),
        None => Some((record["stream"].as_str()?.to_owned(), record["data"].take())),
    }
}

/// The beginning of a line that fits into `width` columns, with an ellipsis if the rest was cut off.
fn cut(line: &str, width: usize) -> String {
    let columns = |char: char| char.width().unwrap_or(0);
    if line.chars().map(columns).sum::<usize>() <= width {
        return line.to_owned();
    }
    let mut used = 1;
    let fits = |char: &char| {
        used += columns(*char);
        used <= width
    };
    line.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_line_is_cut_to_the_columns_that_it_takes() {
        assert_eq!(cut("12345", 5), "12345");
        assert_eq!(cut("123456", 5), "1234…");
        assert_eq!(cut("営業部の部長", 6), "営業…");
    }
}
