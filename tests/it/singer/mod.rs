//! Requirements of Singer consumers. `support/validate` checks every line of every run.

mod about;
mod catalog;
mod config;
mod logs;
mod selection;
mod state;
mod sync;
