//! The content of messages: JSON that is generated on request from a small struct, always the same.

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
