//! The only path to stdout: a writer thread, fed by a queue whose size in bytes is bounded.

use std::{io, panic::resume_unwind, sync::Arc, thread::JoinHandle};

use chrono::{DateTime, Utc};
use tokio::sync::{Semaphore, mpsc};

use super::{
    emitter::{Emitter, Outcome, PositionUpdate},
    progress::Progress,
    records::{BufferPool, Records},
    stop::StopSignal,
    write_loop::{Event, WriteLoop, WriteSummary},
};
use crate::{graph::Counts, state::StreamState, streams::Stream};

/// The maximum number of bytes of records in the queue. A larger batch waits until the queue is empty.
const QUEUE_BYTES: u32 = 6 * 1024 * 1024;

/// A handle to the writer thread. Events keep their order, so a state never overtakes the records that it covers.
#[derive(Clone, Debug)]
pub struct Output {
    events: mpsc::UnboundedSender<Event>,
    capacity: Arc<Semaphore>,
    buffers: BufferPool,
    progress: Arc<Progress>,
    stop: StopSignal,
}

/// The writer thread. It ends when the last [`Output`] is dropped.
#[derive(Debug)]
pub struct Writer(JoinHandle<io::Result<WriteSummary>>);

/// The error that [`Output`]'s methods return once the writer thread has ended, usually because the reader closed the pipe.
#[derive(Clone, Copy, Debug)]
pub struct Closed;

impl Output {
    /// Starts the writer thread. `states` are the initial states of the streams. If `stop` ends the run early, the states that cover the written
    /// records are emitted last.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(emitter: Box<dyn Emitter>, states: Vec<(&'static Stream, StreamState)>, stop: StopSignal) -> io::Result<(Self, Writer)> {
        let (events, receiver) = mpsc::unbounded_channel();
        let capacity = Arc::new(Semaphore::new(QUEUE_BYTES as usize));
        let progress = Arc::<Progress>::default();
        let writing = WriteLoop::new(emitter, states, stop.clone(), progress.clone());
        let writer = std::thread::Builder::new().name("writer".to_owned()).spawn({
            let capacity = capacity.clone();
            move || {
                let result = writing.run(receiver);
                // Wakes the tasks that wait for capacity.
                capacity.close();
                result
            }
        })?;
        Ok((Self { events, capacity, buffers: BufferPool::default(), progress, stop }, Writer(writer)))
    }

    /// Creates an empty batch of records.
    pub fn batch(&self, stream: &'static Stream) -> Records {
        Records::new(stream, &self.buffers)
    }

    /// Queues records for writing. Waits while the queue is full.
    pub async fn write_records(&self, records: Records) -> Result<(), Closed> {
        if records.is_empty() {
            return Ok(());
        }
        let records = records.compact();
        let size = u32::try_from(records.capacity()).unwrap_or(u32::MAX).min(QUEUE_BYTES);
        let permit = self.capacity.clone().acquire_many_owned(size).await.map_err(|_| Closed)?;
        self.progress.add_records(&records);
        self.send(Event::Records(records, permit))
    }

    pub fn stop(&self) -> &StopSignal {
        &self.stop
    }

    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Reports that a stream has started.
    pub fn report_started(&self, stream: &'static Stream) -> Result<(), Closed> {
        self.progress.start_stream(stream);
        self.send(Event::Started(stream))
    }

    /// Updates the position of a partition, and writes a state if one is due.
    pub fn update_position(&self, update: PositionUpdate) -> Result<(), Closed> {
        self.send(Event::Position(Box::new(update)))
    }

    /// Adds the hashes of skipped list items to the stream's next state.
    pub fn set_skipped(&self, stream: &'static Stream, hashes: Vec<String>) -> Result<(), Closed> {
        self.send(Event::Skipped(stream, hashes))
    }

    /// Reports that Graph is rate-limiting the stream's requests until this time.
    pub fn report_rate_limit(&self, stream: &'static Stream, until: DateTime<Utc>) -> Result<(), Closed> {
        self.progress.set_rate_limit(stream, until);
        self.send(Event::RateLimited(stream, until))
    }

    /// Reports the estimated total number of records of a stream, including the ones already emitted.
    pub fn report_estimate(&self, stream: &'static Stream, records: u64) -> Result<(), Closed> {
        self.send(Event::Estimate(stream, records))
    }

    /// Reports that a stream has ended, after its last state is written.
    pub fn report_ended(&self, stream: &'static Stream, outcome: Outcome) -> Result<(), Closed> {
        self.send(Event::Ended(stream, outcome))
    }

    /// Writes the statistics of the run, including its request counts.
    pub fn write_stats(&self, requests: Counts) -> Result<(), Closed> {
        self.send(Event::Stats(requests))
    }

    /// Writes a log message for users. The message is lost if the reader has closed the pipe.
    pub fn log(&self, level: tracing::Level, message: String) {
        let _ = self.send(Event::Log(level, message));
    }

    fn send(&self, event: Event) -> Result<(), Closed> {
        self.events.send(event).map_err(|_| Closed)
    }
}

impl Writer {
    /// Waits until everything is written. All [`Output`]s must be dropped first.
    ///
    /// # Errors
    /// If a write failed.
    ///
    /// # Panics
    /// If the writer thread panicked.
    pub fn join(self) -> io::Result<WriteSummary> {
        self.0.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, channel},
    };

    use super::*;
    use crate::{emit::Batch, streams::MESSAGES};

    /// Writes one batch per message received.
    struct GatedEmitter {
        gate: Receiver<()>,
        written: Arc<AtomicUsize>,
    }

    impl Emitter for GatedEmitter {
        fn write_records(&mut self, batch: &mut Batch<'_>) -> io::Result<()> {
            self.gate.recv().map_err(io::Error::other)?;
            batch.for_each(|record| _ = self.written.fetch_add(record.len(), Ordering::SeqCst));
            Ok(())
        }

        fn write_state(&mut self, _: &'static Stream, _: &StreamState) -> io::Result<usize> {
            Ok(0)
        }
    }

    #[test]
    fn the_queue_is_bounded_and_an_oversized_batch_has_it_to_itself() {
        let (queue, runtime) = (QUEUE_BYTES as usize, tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap());
        for (batches, bytes) in [(100, 300 * 1024), (2000, 10 * 1024), (4, 2 * queue)] {
            let (permit, gate) = channel();
            let (written, accepted) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let (output, writer) =
                Output::start(Box::new(GatedEmitter { gate, written: written.clone() }), Vec::new(), StopSignal::default()).unwrap();
            let sending: Vec<_> = (0..batches)
                .map(|_| {
                    let (output, written, accepted) = (output.clone(), written.clone(), accepted.clone());
                    runtime.spawn(async move {
                        let mut records = output.batch(&MESSAGES);
                        records.push(|out| out.resize(bytes, b'x'), |_| true);
                        output.write_records(records.take()).await.unwrap();
                        (accepted.fetch_add(bytes, Ordering::SeqCst) + bytes).saturating_sub(written.load(Ordering::SeqCst))
                    })
                })
                .collect();
            drop(output);
            (0..batches).for_each(|_| permit.send(()).unwrap());
            for waiting in sending {
                let waiting = runtime.block_on(waiting).unwrap();
                assert!(waiting <= queue.max(bytes), "{waiting} bytes are waiting");
            }
            writer.join().unwrap();
            assert_eq!(written.load(Ordering::SeqCst), batches * bytes);
        }
    }
}
