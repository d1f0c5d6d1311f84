//! The thread that writes: what it is handed, in order; and how it ends when the run is stopped.

use std::{io, sync::Arc};

use chrono::{DateTime, Utc};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tracing::Level;

use super::{Batch, Emitter, Outcome, Progress, Records, Report, StopSignal, checkpoints::Checkpoints};
use crate::{
    graph::Counts,
    state::StreamState,
    streams::{Stream, StreamSet},
};

/// What is handed to the writer.
#[derive(Debug)]
pub(super) enum Event {
    Started(&'static Stream),
    Records(Records, OwnedSemaphorePermit),
    Report(Box<Report>),
    Damage(&'static Stream, Vec<String>),
    Waits(&'static Stream, DateTime<Utc>),
    Estimated(&'static Stream, u64),
    Ended(&'static Stream, Outcome),
    Figures(Counts),
    Log(Level, String),
}

/// What the writer came to.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// The streams of which records were dropped, since the run was stopped and its reader was slow.
    pub cut: StreamSet,
}

/// What the thread that writes works with.
pub(super) struct Writing {
    emitter: Box<dyn Emitter>,
    checkpoints: Checkpoints,
    stop: StopSignal,
    progress: Arc<Progress>,
    /// The streams of which records were dropped: what comes after that tells nothing of what was written.
    cut: StreamSet,
}

impl Writing {
    pub(super) fn new(
        emitter: Box<dyn Emitter>,
        states: Vec<(&'static Stream, StreamState)>,
        stop: StopSignal,
        progress: Arc<Progress>,
    ) -> Self {
        Self { emitter, checkpoints: Checkpoints::new(states), stop, progress, cut: StreamSet::default() }
    }

    pub(super) fn run(mut self, mut events: mpsc::UnboundedReceiver<Event>) -> io::Result<Written> {
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
        if self.stop.has_ended_asking() {
            let states: Vec<_> = Stream::all().filter_map(|stream| Some((stream, self.checkpoints.of_stopped(stream)?))).collect();
            self.emitter.last_states(&states)?;
        }
        self.emitter.finished()?;
        self.emitter.flush()?;
        Ok(Written { cut: self.cut })
    }

    fn write(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Started(stream) => self.emitter.started(stream),
            Event::Records(records, _permit) => self.records(&records),
            // What is said of the course of the run would only keep it.
            Event::Waits(..) | Event::Estimated(..) | Event::Log(Level::DEBUG | Level::TRACE, _) if self.stop.has_ended_writing() => Ok(()),
            Event::Report(report) if self.cut.contains(report.stream) => Ok(()),
            Event::Report(report) => {
                // All states come at the end of a run that is stopped.
                let is_stopped = self.stop.has_ended_writing();
                self.state(report.stream, |checkpoints| checkpoints.report(*report).filter(|_| !is_stopped))
            }
            Event::Damage(stream, _) if self.cut.contains(stream) => Ok(()),
            Event::Damage(stream, marks) => {
                self.checkpoints.damage(stream, marks);
                Ok(())
            }
            Event::Waits(stream, until) => self.emitter.waits(stream, until),
            Event::Estimated(stream, records) => self.emitter.estimated(stream, records),
            Event::Ended(stream, Outcome::Complete) if self.cut.contains(stream) => Ok(()),
            Event::Ended(stream, outcome) => {
                self.state(stream, |checkpoints| match &outcome {
                    Outcome::Complete => checkpoints.last(stream),
                    Outcome::Incomplete(error) => checkpoints.of_failed(stream, error.fault()),
                })?;
                self.emitter.ended(stream, &outcome)
            }
            Event::Figures(requests) => self.emitter.figures(&self.progress.figures(requests)),
            Event::Log(level, message) => self.emitter.log(level, &message),
        }
    }

    /// Writes records until the writing ends.
    fn records(&mut self, records: &Records) -> io::Result<()> {
        let stream = records.stream();
        let mut batch = Batch::new(records, &self.stop);
        self.emitter.records(&mut batch)?;
        let left = batch.cut();
        if left < Some(records.len()) {
            self.checkpoints.records(stream, records.bytes());
        }
        if let Some(left) = left {
            self.progress.cut(records, left);
            self.cut = self.cut.with(stream);
        }
        Ok(())
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
    use std::sync::Mutex;

    use super::*;
    use crate::{
        emit::Output,
        state::Position,
        streams::{MESSAGE_REPLIES, MESSAGES, TEAMS},
    };

    /// Keeps what it is told, as words, and stops the run after so many records.
    struct Stopping {
        told: Arc<Mutex<Vec<String>>>,
        records: usize,
        stop: StopSignal,
    }

    impl Stopping {
        fn tell(&self, word: String) -> io::Result<()> {
            self.told.lock().unwrap().push(word);
            Ok(())
        }
    }

    impl Emitter for Stopping {
        fn records(&mut self, batch: &mut Batch<'_>) -> io::Result<()> {
            let stream = batch.stream();
            for _ in batch {
                self.tell(format!("record of {}", stream.name))?;
                self.records -= 1;
                if self.records == 0 {
                    self.stop.end_writing();
                }
            }
            Ok(())
        }

        fn state(&mut self, stream: &'static Stream, state: &StreamState) -> io::Result<usize> {
            self.tell(format!("state of {}: {}", stream.name, state.keys().collect::<Vec<_>>().join(" ")))?;
            Ok(0)
        }

        fn ended(&mut self, stream: &'static Stream, outcome: &Outcome) -> io::Result<()> {
            self.tell(format!("end of {}: {outcome:?}", stream.name))
        }

        fn figures(&mut self, figures: &crate::emit::Figures) -> io::Result<()> {
            figures.streams.iter().try_for_each(|of| self.tell(format!("{} {} {}", of.records, of.stream.name, of.state())))
        }
    }

    #[test]
    fn of_a_stream_that_was_read_whole_nothing_is_said_that_was_not_written_when_the_run_is_stopped() {
        let (told, stop) = (Arc::<Mutex<Vec<String>>>::default(), StopSignal::default());
        let emitter = Box::new(Stopping { told: told.clone(), records: 4, stop: stop.clone() });
        let state = |stream: &'static Stream| {
            (stream, if stream.cursor.is_some() { StreamState::new_partitioned("t", &stream.trail()) } else { StreamState::new_snapshot() })
        };
        let streams = [&TEAMS, &MESSAGES, &MESSAGE_REPLIES];
        let (output, writer) = Output::start(emitter, streams.map(state).into(), stop).unwrap();
        streams.iter().for_each(|stream| output.started(stream).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let records = |stream, count| {
            let mut records = output.batch(stream);
            (0..count).for_each(|_| _ = records.push(|out| out.extend_from_slice(b"{}"), |_| true));
            runtime.block_on(output.records(records)).unwrap();
        };
        let report = |stream, key: &str| {
            let channel = Some(Position::default());
            output.report(Report { stream, key: key.to_owned(), position: channel, pages: 1, offered: false }).unwrap();
        };
        records(&TEAMS, 1);
        records(&MESSAGES, 2);
        report(&MESSAGES, "t/1");
        records(&MESSAGES, 3);
        report(&MESSAGES, "t/2");
        records(&MESSAGE_REPLIES, 1);
        report(&MESSAGE_REPLIES, "t/2");
        for stream in streams {
            output.progress().end(stream, &Outcome::Complete);
            output.ended(stream, Outcome::Complete).unwrap();
        }
        output.figures(Counts::default()).unwrap();
        drop(output);
        let written = writer.join().unwrap();
        assert!(written.cut.iter().map(|stream| stream.name).eq([MESSAGES.name, MESSAGE_REPLIES.name]));
        insta::assert_snapshot!(told.lock().unwrap().join("\n"));
    }
}
