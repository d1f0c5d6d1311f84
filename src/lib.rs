//! Reads Microsoft Teams from Microsoft Graph v1.0 and writes it in the format of a data integration protocol.
//!
//! As a library it streams records into a program: `examples/library.rs` reads the messages of a tenant. A [`config::Config`] selects what to
//! read, [`read::client`] and [`read::states`] prepare the arguments of [`sync::run`], and an [`emit::Emitter`] receives records and states.
//!
//! `docs/architecture.md` describes the folders and their dependencies.

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
pub mod schema;
pub mod secrets;
pub mod state;
pub mod stdio;
pub mod streams;
pub mod sync;
