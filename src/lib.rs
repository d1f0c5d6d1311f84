//! Extracts Microsoft Teams from Microsoft Graph v1.0 and tells it in the words of a protocol.
//!
//! As a library it streams records into a program: `examples/library.rs` reads the messages of a tenant. A [`config::Config`] says what to
//! read, [`read::client`] and [`read::states`] make of it what [`sync::run`] needs, and an [`emit::Emitter`] takes the records and the states.
//!
//! `docs/architecture.md` has the map of the folders, and which may use which.

pub mod check;
pub mod cli;
pub mod command;
pub mod config;
pub mod console;
pub mod emit;
pub mod error;
pub mod graph;
pub mod level;
pub mod plan;
mod printable;
pub mod protocol;
pub mod read;
pub mod record;
pub mod secrets;
pub mod state;
pub mod stdio;
pub mod streams;
pub mod sync;
