//! The loop of the writer thread, which writes events in order and ends early if the run is stopped.

use std::{io, sync::Arc};

use chrono::{DateTime, Utc};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tracing::Level;

use super::{Batch, Emitter, Outcome, PositionUpdate, Progress, Records, StopSignal, checkpoints::Checkpoints};
use crate::{
    graph::Counts,
    state::StreamState,
    streams::{Stream, StreamSet},
};

/// An event in the writer's queue.
#[derive(Debug)]
pub(super) enum Event {
    Started(&'static Stream),
    Records(Records, OwnedSemaphorePermit),
    Position(Box<PositionUpdate>),
    Skipped(&'static Stream, Vec<String>),
    RateLimited(&'static Stream, DateTime<Utc>),
    Estimate(&'static Stream, u64),
    Ended(&'static Stream, Outcome),
    Stats(Counts),
    Log(Level, String),
}

/// The result of the writer thread.
#[derive(Clone, Copy, Debug)]
pub struct WriteSummary {
    /// The streams whose records were dropped, because the run was stopped and the reader was slow.
    pub truncated: StreamSet,
}

pub(super) struct WriteLoop {
    emitter: Box<dyn Emitter>,
    checkpoints: Checkpoints,
    stop: StopSignal,
    progress: Arc<Progress>,
    /// The streams whose records were dropped. Later events of these streams no longer match what was written.
    truncated: StreamSet,
}

impl WriteLoop {
    pub(super) fn new(
        emitter: Box<dyn Emitter>,
        states: Vec<(&'static Stream, StreamState)>,
        stop: StopSignal,
        progress: Arc<Progress>,
    ) -> Self {
        Self { emitter, checkpoints: Checkpoints::new(states), stop, progress, truncated: StreamSet::default() }
    }

    pub(super) fn run(mut self, mut events: mpsc::UnboundedReceiver<Event>) -> io::Result<WriteSummary> {
        loop {
            let event = match events.try_recv() {
                Ok(event) => event,
                // While the queue is empty, send everything so far to the reader.
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
        if self.stop.has_stopped_requests() {
            let states: Vec<_> = Stream::all().filter_map(|stream| Some((stream, self.checkpoints.for_stopped(stream)?))).collect();
            self.emitter.write_last_states(&states)?;
        }
        self.emitter.finish()?;
        self.emitter.flush()?;
        Ok(WriteSummary { truncated: self.truncated })
    }

    fn write(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Started(stream) => self.emitter.report_started(stream),
            Event::Records(records, _permit) => self.write_records(&records),
            // When writing has stopped, progress and debug messages would only delay the end of the run.
            Event::RateLimited(..) | Event::Estimate(..) | Event::Log(Level::DEBUG | Level::TRACE, _)
                if self.stop.has_stopped_writing() =>
            {
                Ok(())
            }
            Event::Position(update) if self.truncated.contains(update.stream) => Ok(()),
            Event::Position(update) => {
                // If the run is stopped, all states are written at the end.
                let is_stopped = self.stop.has_stopped_writing();
                self.write_state_if_due(update.stream, |checkpoints| checkpoints.update(*update).filter(|_| !is_stopped))
            }
            Event::Skipped(stream, _) if self.truncated.contains(stream) => Ok(()),
            Event::Skipped(stream, hashes) => {
                self.checkpoints.set_skipped(stream, hashes);
                Ok(())
            }
            Event::RateLimited(stream, until) => self.emitter.report_rate_limit(stream, until),
            Event::Estimate(stream, records) => self.emitter.report_estimate(stream, records),
            Event::Ended(stream, Outcome::Complete) if self.truncated.contains(stream) => Ok(()),
            Event::Ended(stream, outcome) => {
                self.write_state_if_due(stream, |checkpoints| match &outcome {
                    Outcome::Complete => checkpoints.for_complete(stream),
                    Outcome::Incomplete(error) => checkpoints.for_failed(stream, error.fault()),
                })?;
                self.emitter.report_ended(stream, &outcome)
            }
            Event::Stats(requests) => self.emitter.write_stats(&self.progress.stats(requests)),
            Event::Log(level, message) => self.emitter.log(level, &message),
        }
    }

    fn write_records(&mut self, records: &Records) -> io::Result<()> {
        let stream = records.stream();
        let mut batch = Batch::new(records, &self.stop);
        self.emitter.write_records(&mut batch)?;
        let dropped = batch.dropped();
        if dropped < Some(records.len()) {
            self.checkpoints.add_records(stream, records.bytes());
        }
        if let Some(dropped) = dropped {
            self.progress.subtract_dropped(records, dropped);
            self.truncated = self.truncated.with(stream);
        }
        Ok(())
    }

    /// Writes the state that `due` returns, if any.
    fn write_state_if_due(
        &mut self,
        stream: &'static Stream,
        due: impl FnOnce(&mut Checkpoints) -> Option<&StreamState>,
    ) -> io::Result<()> {
        if let Some(state) = due(&mut self.checkpoints) {
            let bytes = self.emitter.write_state(stream, state)?;
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

    /// Logs what is emitted, and stops the run after a number of records.
    struct StoppingEmitter {
        log: Arc<Mutex<Vec<String>>>,
        records: usize,
        stop: StopSignal,
    }

    impl StoppingEmitter {
        fn write(&self, line: String) -> io::Result<()> {
            self.log.lock().unwrap().push(line);
            Ok(())
        }
    }

    impl Emitter for StoppingEmitter {
        fn write_records(&mut self, batch: &mut Batch<'_>) -> io::Result<()> {
            let stream = batch.stream();
            for _ in batch {
                self.write(format!("record of {}", stream.name))?;
                self.records -= 1;
                if self.records == 0 {
                    self.stop.stop_writing();
                }
            }
            Ok(())
        }

        fn write_state(&mut self, stream: &'static Stream, state: &StreamState) -> io::Result<usize> {
            self.write(format!("state of {}: {}", stream.name, state.keys().collect::<Vec<_>>().join(" ")))?;
            Ok(0)
        }

        fn report_ended(&mut self, stream: &'static Stream, outcome: &Outcome) -> io::Result<()> {
            self.write(format!("end of {}: {outcome:?}", stream.name))
        }

        fn write_stats(&mut self, stats: &crate::emit::Stats) -> io::Result<()> {
            stats
                .streams
                .iter()
                .try_for_each(|stream| self.write(format!("{} {} {}", stream.records, stream.stream.name, stream.outcome())))
        }
    }

    #[test]
    fn a_stopped_run_emits_only_states_and_outcomes_of_written_records() {
        let (log, stop) = (Arc::<Mutex<Vec<String>>>::default(), StopSignal::default());
        let emitter = Box::new(StoppingEmitter { log: log.clone(), records: 4, stop: stop.clone() });
        let state = |stream: &'static Stream| {
            (stream, if stream.cursor.is_some() { StreamState::new_partitioned("t", &stream.trail()) } else { StreamState::new_snapshot() })
        };
        let streams = [&TEAMS, &MESSAGES, &MESSAGE_REPLIES];
        let (output, writer) = Output::start(emitter, streams.map(state).into(), stop).unwrap();
        streams.iter().for_each(|stream| output.report_started(stream).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let records = |stream, count| {
            let mut records = output.batch(stream);
            (0..count).for_each(|_| _ = records.push(|out| out.extend_from_slice(b"{}"), |_| true));
            runtime.block_on(output.write_records(records)).unwrap();
        };
        let update = |stream, key: &str| {
            let position = Some(Position::default());
            output.update_position(PositionUpdate { stream, key: key.to_owned(), position, pages: 1, offered: false }).unwrap();
        };
        records(&TEAMS, 1);
        records(&MESSAGES, 2);
        update(&MESSAGES, "t/1");
        records(&MESSAGES, 3);
        update(&MESSAGES, "t/2");
        records(&MESSAGE_REPLIES, 1);
        update(&MESSAGE_REPLIES, "t/2");
        for stream in streams {
            output.progress().end_stream(stream, &Outcome::Complete);
            output.report_ended(stream, Outcome::Complete).unwrap();
        }
        output.write_stats(Counts::default()).unwrap();
        drop(output);
        let written = writer.join().unwrap();
        assert!(written.truncated.iter().map(|stream| stream.name).eq([MESSAGES.name, MESSAGE_REPLIES.name]));
        insta::assert_snapshot!(log.lock().unwrap().join("\n"));
    }
}
