//! Logs: events of `tracing`, handed to whatever says them to people.

use std::fmt::{self, Write};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

/// Hands each event to a function, as a level and a sentence.
#[derive(Debug)]
pub(crate) struct Forward<F>(pub F);

impl<S: Subscriber, F: Fn(Level, String) + 'static> Layer<S> for Forward<F> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut sentence = Sentence::default();
        event.record(&mut sentence);
        (self.0)(*event.metadata().level(), sentence.0);
    }
}

/// The message and, behind it, the fields of an event.
#[derive(Default)]
struct Sentence(String);

impl Visit for Sentence {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing into a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}
