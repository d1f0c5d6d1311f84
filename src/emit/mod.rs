//! What a sync tells, whatever the protocol, and the one road to stdout: a thread that writes, behind a queue bounded by bytes.

mod checkpoints;
mod figures;
mod progress;
mod records;
mod silent;

use std::{io, panic::resume_unwind, sync::Arc, thread::JoinHandle};

use chrono::{DateTime, Utc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{
    error::{Error, Fault},
    state::{ChannelState, StreamState},
    streams::{STREAMS, Stream},
};
use checkpoints::Checkpoints;
pub use figures::{Ahead, Figures, Phase, StreamFigures};
pub use progress::{Progress, Size};
use records::Spare;
pub use records::{Change, Records};
pub use silent::Silent;

/// Bytes of records that wait to be written, at most. A larger batch is let through alone.
const QUEUE_BYTES: u32 = 6 * 1024 * 1024;

/// Takes what a sync tells: writes it in the words of one protocol, or hands it to a program. Where nothing is done, nothing is said.
pub trait Emitter: Send {
    /// A stream begins.
    ///
    /// # Errors
    /// As all of these: if the output cannot be written.
    fn started(&mut self, _: &'static Stream) -> io::Result<()> {
        Ok(())
    }

    /// Records of a stream.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn records(&mut self, records: &Records) -> io::Result<()>;

    /// The state that covers all records of the stream so far. Gives how many bytes it took.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn state(&mut self, stream: &'static Stream, state: &StreamState) -> io::Result<usize>;

    /// A stream waits: Graph limits its requests until that time.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn waits(&mut self, _: &'static Stream, _: DateTime<Utc>) -> io::Result<()> {
        Ok(())
    }

    /// A stream will have about so many records, those that came before included.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn estimated(&mut self, _: &'static Stream, _: u64) -> io::Result<()> {
        Ok(())
    }

    /// A stream is done; nothing more comes of it.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn ended(&mut self, _: &'static Stream, _: &Outcome) -> io::Result<()> {
        Ok(())
    }

    /// What the run came to, in figures.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn figures(&mut self, _: &Figures) -> io::Result<()> {
        Ok(())
    }

    /// Something to be said to people.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn log(&mut self, _: tracing::Level, _: &str) -> io::Result<()> {
        Ok(())
    }

    /// Nothing more will be said.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn finished(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Everything said so far must reach the reader.
    ///
    /// # Errors
    /// If the output cannot be written.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How a stream ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// All that there is was told.
    Complete,
    /// Something is missing.
    Incomplete(Arc<Error>),
}

impl Outcome {
    /// Whose fault it is that something is missing.
    pub fn fault(&self) -> Option<Fault> {
        match self {
            Self::Complete => None,
            Self::Incomplete(error) => Some(error.fault()),
        }
    }
}

#[derive(Debug)]
enum Event {
    Started(&'static Stream),
    Records(Records, OwnedSemaphorePermit),
    Report(Box<Report>),
    Waits(&'static Stream, DateTime<Utc>),
    Estimated(&'static Stream, u64),
    Stopped,
    Ended(&'static Stream, Outcome),
    Figures(Box<Figures>),
    Log(tracing::Level, String),
}

/// Where a channel of a stream stands, all records included that were handed over before.
#[derive(Debug)]
pub struct Report {
    /// The stream.
    pub stream: &'static Stream,
    /// The channel's key in the state.
    pub key: String,
    /// Where it stands; [`None`]: it is gone.
    pub channel: Option<ChannelState>,
    /// So many pages were read since the report before.
    pub pages: u64,
    /// Whether this is a good moment to write a state.
    pub offered: bool,
}

/// The way to the writer. Everything keeps its order: no state overtakes the records that it covers.
#[derive(Clone, Debug)]
pub struct Output {
    events: mpsc::UnboundedSender<Event>,
    room: Arc<Semaphore>,
    spare: Spare,
    progress: Arc<Progress>,
}

/// The thread that writes; ends when the last [`Output`] is dropped.
#[derive(Debug)]
pub struct Writer(JoinHandle<io::Result<()>>);

/// The writer has ended: nobody reads what is said.
#[derive(Clone, Copy, Debug)]
pub struct Closed;

impl Output {
    /// Starts the thread that writes with `emitter`; the streams begin with these states.
    ///
    /// # Errors
    /// If no thread can be had.
    pub fn start(emitter: Box<dyn Emitter>, states: Vec<(&'static Stream, StreamState)>) -> io::Result<(Self, Writer)> {
        let (events, receiver) = mpsc::unbounded_channel();
        let room = Arc::new(Semaphore::new(QUEUE_BYTES as usize));
        let writer = std::thread::Builder::new().name("writer".to_owned()).spawn({
            let room = room.clone();
            move || {
                let result = Writing { emitter, checkpoints: Checkpoints::new(states) }.run(receiver);
                // Whoever waits for room will never get it.
                room.close();
                result
            }
        })?;
        Ok((Self { events, room, spare: Spare::default(), progress: Arc::default() }, Writer(writer)))
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
        let size = u32::try_from(records.room()).unwrap_or(u32::MAX).min(QUEUE_BYTES);
        let permit = self.room.clone().acquire_many_owned(size).await.map_err(|_| Closed)?;
        self.progress.records(&records);
        self.send(Event::Records(records, permit))
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

    /// The run ends before its end: what was reported is written.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub fn stopped(&self) -> Result<(), Closed> {
        self.send(Event::Stopped)
    }

    /// A stream is done; its last state comes before.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub fn ended(&self, stream: &'static Stream, outcome: Outcome) -> Result<(), Closed> {
        self.send(Event::Ended(stream, outcome))
    }

    /// What the run came to, in figures.
    ///
    /// # Errors
    /// If nobody reads any more.
    pub fn figures(&self, figures: Figures) -> Result<(), Closed> {
        self.send(Event::Figures(Box::new(figures)))
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
    pub fn join(self) -> io::Result<()> {
        self.0.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}

/// What the thread that writes works with.
struct Writing {
    emitter: Box<dyn Emitter>,
    checkpoints: Checkpoints,
}

impl Writing {
    fn run(mut self, mut events: mpsc::UnboundedReceiver<Event>) -> io::Result<()> {
        loop {
            let event = match events.try_recv() {
                Ok(event) => event,
                // Nothing more to say for now: let the reader have what there is.
                Err(_) => {
                    self.emitter.flush()?;
                    match events.blocking_recv() {
                        Some(event) => event,
                        None => break,
                    }
                }
            };
            self.write(event)?;
        }
        self.emitter.finished()?;
        self.emitter.flush()
    }

    fn write(&mut self, event: Event) -> io::Result<()> {
        let Self { emitter, checkpoints } = self;
        match event {
            Event::Started(stream) => emitter.started(stream),
            Event::Records(records, _permit) => {
                checkpoints.records(records.stream(), records.bytes());
                emitter.records(&records)
            }
            Event::Report(report) => self.state(report.stream, |checkpoints| checkpoints.report(*report)),
            Event::Waits(stream, until) => emitter.waits(stream, until),
            Event::Estimated(stream, records) => emitter.estimated(stream, records),
            Event::Stopped => STREAMS.into_iter().try_for_each(|stream| self.state(stream, |checkpoints| checkpoints.unwritten(stream))),
            Event::Ended(stream, outcome) => {
                self.state(stream, |checkpoints| match &outcome {
                    Outcome::Complete => checkpoints.last(stream),
                    Outcome::Incomplete(error) => checkpoints.of_failed(stream, error.fault()),
                })?;
                self.emitter.ended(stream, &outcome)
            }
            Event::Figures(figures) => emitter.figures(&figures),
            Event::Log(level, message) => emitter.log(level, &message),
        }
    }

    /// Writes the state of a stream, if there is one to be written.
    fn state(&mut self, stream: &'static Stream, due: impl FnOnce(&mut Checkpoints) -> Option<&StreamState>) -> io::Result<()> {
        if let Some(state) = due(&mut self.checkpoints) {
            let bytes = self.emitter.state(stream, state)?;
            self.checkpoints.written(stream, bytes);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, channel},
    };

    use super::*;
    use crate::streams::MESSAGES;

    /// Writes a batch whenever it is let.
    struct Slow {
        let_go: Receiver<()>,
        written: Arc<AtomicUsize>,
    }

    impl Emitter for Slow {
        fn records(&mut self, records: &Records) -> io::Result<()> {
            self.let_go.recv().map_err(io::Error::other)?;
            self.written.fetch_add(records.bytes(), Ordering::SeqCst);
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
            let (output, writer) = Output::start(Box::new(Slow { let_go, written: written.clone() }), Vec::new()).unwrap();
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
