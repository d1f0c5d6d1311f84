//! The one road to stdout: a thread that writes, and a queue to it that is bounded by bytes.

use std::{io, panic::resume_unwind, sync::Arc, thread::JoinHandle};

use chrono::{DateTime, Utc};
use tokio::sync::{Semaphore, mpsc};

use super::{
    emitter::{Emitter, Outcome, Report},
    progress::Progress,
    records::{Records, Spare},
    stop::StopSignal,
    writing::{Event, Writing, Written},
};
use crate::{graph::Counts, state::StreamState, streams::Stream};

/// Bytes of records that wait to be written, at most. A larger batch is let through alone.
const QUEUE_BYTES: u32 = 6 * 1024 * 1024;

/// The way to the writer. Everything keeps its order: no state overtakes the records that it covers.
#[derive(Clone, Debug)]
pub struct Output {
    events: mpsc::UnboundedSender<Event>,
    room: Arc<Semaphore>,
    spare: Spare,
    progress: Arc<Progress>,
    stop: StopSignal,
}

/// The thread that writes; ends when the last [`Output`] is dropped.
#[derive(Debug)]
pub struct Writer(JoinHandle<io::Result<Written>>);

/// The writer has ended: nobody reads what is said.
#[derive(Clone, Copy, Debug)]
pub struct Closed;

impl Output {
    /// Starts the thread that writes with `emitter`; the streams begin with these states. `stop` ends the run early: then the states that
    /// cover what was written come last.
    ///
    /// # Errors
    /// If no thread can be had.
    pub fn start(emitter: Box<dyn Emitter>, states: Vec<(&'static Stream, StreamState)>, stop: StopSignal) -> io::Result<(Self, Writer)> {
        let (events, receiver) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(QUEUE_BYTES as usize));
        let progress = Arc::<Progress>::default();
        let writing = Writing::new(emitter, states, stop.clone(), progress.clone());
        let writer = std::thread::Builder::new().name("writer".to_owned()).spawn({
            let room = room.clone();
            move || {
                let result = writing.run(receiver);
                // Whoever waits for room will never get it.
                room.close();
                result
            }
        })?;
        Ok((Self { events, room, spare: Spare::default(), progress, stop }, Writer(writer)))
    }

    /// A batch of records to be filled.
    pub fn batch(&self, stream: &'static Stream) -> Records {
        Records::new(stream, &self.spare)
    }

    /// Hands records over; waits while too many are not written yet.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub async fn records(&self, records: Records) -> Result<(), Closed> {
        if records.is_empty() {
            return Ok(());
        }
        let records = records.compact();
        let size = u32::try_from(records.room()).unwrap_or(u32::MAX).min(QUEUE_BYTES);
        let permit = self.room.clone().acquire_many_owned(size).await.map_err(|_| Closed)?;
        self.progress.records(&records);
        self.send(Event::Records(records, permit))
    }

    /// What ends the run early.
    pub fn stop(&self) -> &StopSignal {
        &self.stop
    }

    /// How far the run is.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// A stream begins.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub fn started(&self, stream: &'static Stream) -> Result<(), Closed> {
        self.progress.begin(stream);
        self.send(Event::Started(stream))
    }

    /// Takes note of where a channel stands; a state is written when it is due.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub fn report(&self, report: Report) -> Result<(), Closed> {
        self.send(Event::Report(Box::new(report)))
    }

    /// Takes note of the marks of the items of lists that were left out of a stream: its next state has them.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub fn damage(&self, stream: &'static Stream, marks: Vec<String>) -> Result<(), Closed> {
        self.send(Event::Damage(stream, marks))
    }

    /// A stream waits: Graph limits its requests until that time.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub fn waits(&self, stream: &'static Stream, until: DateTime<Utc>) -> Result<(), Closed> {
        self.progress.waits(stream, until);
        self.send(Event::Waits(stream, until))
    }

    /// A stream will have about so many records, those that came before included.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub fn estimated(&self, stream: &'static Stream, records: u64) -> Result<(), Closed> {
        self.send(Event::Estimated(stream, records))
    }

    /// A stream is done; its last state comes before.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub fn ended(&self, stream: &'static Stream, outcome: Outcome) -> Result<(), Closed> {
        self.send(Event::Ended(stream, outcome))
    }

    /// The run has come to its end, with these requests: its figures are written.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub fn figures(&self, requests: Counts) -> Result<(), Closed> {
        self.send(Event::Figures(requests))
    }

    /// Something to be said to people; lost if nobody reads any more.
    pub fn log(&self, level: tracing::Level, message: String) {
        let _ = self.send(Event::Log(level, message));
    }

    fn send(&self, event: Event) -> Result<(), Closed> {
        self.events.send(event).map_err(|_| Closed)
    }
}

impl Writer {
    /// Waits until everything is written. All [`Output`]s must have been dropped.
    ///
    /// # Errors
    /// With the first write that failed.
    ///
    /// # Panics
    /// If the writer panicked.
    pub fn join(self) -> io::Result<Written> {
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

    /// Writes a batch whenever it is let.
    struct Slow {
        let_go: Receiver<()>,
        written: Arc<AtomicUsize>,
    }

    impl Emitter for Slow {
        fn records(&mut self, batch: &mut Batch<'_>) -> io::Result<()> {
            self.let_go.recv().map_err(io::Error::other)?;
            batch.for_each(|record| _ = self.written.fetch_add(record.len(), Ordering::SeqCst));
            Ok(())
        }

        fn state(&mut self, _: &'static Stream, _: &StreamState) -> io::Result<usize> {
            Ok(0)
        }
    }

    #[test]
    fn what_waits_to_be_written_stays_within_the_bound_and_a_larger_batch_comes_alone() {
        let (queue, runtime) = (QUEUE_BYTES as usize, tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap());
        for (batches, bytes) in [(100, 300 * 1024), (2000, 10 * 1024), (4, 2 * queue)] {
            let (go, let_go) = channel();
            let (written, accepted) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
            let (output, writer) =
                Output::start(Box::new(Slow { let_go, written: written.clone() }), Vec::new(), StopSignal::default()).unwrap();
            let sending: Vec<_> = (0..batches)
                .map(|_| {
                    let (output, written, accepted) = (output.clone(), written.clone(), accepted.clone());
                    runtime.spawn(async move {
                        let mut records = output.batch(&MESSAGES);
                        records.push(|out| out.resize(bytes, b'x'), |_| true);
                        output.records(records.take()).await.unwrap();
                        (accepted.fetch_add(bytes, Ordering::SeqCst) + bytes).saturating_sub(written.load(Ordering::SeqCst))
                    })
                })
                .collect();
            drop(output);
            (0..batches).for_each(|_| go.send(()).unwrap());
            for waiting in sending {
                let waiting = runtime.block_on(waiting).unwrap();
                assert!(waiting <= queue.max(bytes), "{waiting} bytes wait");
            }
            writer.join().unwrap();
            assert_eq!(written.load(Ordering::SeqCst), batches * bytes);
        }
    }
}
