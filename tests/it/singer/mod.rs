//! The tap as Singer's consumers use it. What every line must be is held for every run of every test (`support/validate`).

mod about;
mod catalog;
mod config;
mod logs;
mod selection;
mod state;
mod sync;
