//! What is in a message: its JSON, made on demand from a small struct, the same each time.

mod body;
mod events;
mod flavour;
mod message;
pub(crate) mod people;
mod view;
mod words;

pub use events::SYSTEM_EVENTS;
pub use flavour::Flavour;
pub(crate) use message::write_message;
pub(crate) use view::ChannelView;
