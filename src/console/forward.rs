//! Forwards `tracing` events to the log of a protocol.

use std::fmt::{self, Write};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

/// Passes each event to a function, as a level and a message.
#[derive(Debug)]
pub(crate) struct Forward<F>(pub F);

impl<S: Subscriber, F: Fn(Level, String) + 'static> Layer<S> for Forward<F> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut message = EventText::default();
        event.record(&mut message);
        (self.0)(*event.metadata().level(), message.0);
    }
}

/// The message of an event, followed by its fields.
#[derive(Default)]
struct EventText(String);

impl Visit for EventText {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing into a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.0, "{value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}
