//! The source as Airbyte's consumers use it. What every line must be is held for every run of every test (`support/validate`).

mod catalog;
mod read;
mod spec;
mod state;
