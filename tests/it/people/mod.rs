//! Commands for users, and conveniences of the configuration.

mod extract;
mod sample;
mod schema;
mod secret;
