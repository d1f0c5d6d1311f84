//! Requirements of Airbyte consumers. `support/validate` checks every line of every run.

mod catalog;
mod read;
mod spec;
mod state;
