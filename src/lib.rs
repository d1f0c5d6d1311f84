//! Extracts Microsoft Teams from Microsoft Graph v1.0 and tells it in the words of a protocol.
//!
//! As a library it streams records into a program: `examples/library.rs` reads the messages of a tenant. A [`config::Config`] says what to
//! read, [`sync::client`] and [`sync::states`] make of it what [`sync::run`] needs, and an [`emit::Emitter`] takes the records and the states.
//!
//! The layers, each of which knows only those to its right:
//!
//! `command` wires `cli`, `protocol`, `sync` and `watch`; `sync` (which parents, which jobs, walks, outcomes) uses `streams`, `graph`, `config` and
//! `emit`; `protocol` uses `emit` and `streams`; `streams` (declared facts) uses `record`, `schema` and requests of `graph`; `graph`
//! uses `secrets` and `shown`; `record`, `schema`, `state`, `config`, `secrets` and `shown` use none of ours.

#![warn(missing_docs)]

pub mod cli;
pub mod command;
pub mod config;
pub mod emit;
pub mod error;
mod files;
pub mod graph;
mod log;
pub mod panic;
pub mod protocol;
pub mod record;
pub mod schema;
pub mod secrets;
mod shown;
pub mod state;
pub mod stdio;
pub mod streams;
pub mod sync;
mod watch;
