//! Column types for databases, data frames and loaders, as code that is ready to paste.
//!
//! Readers that infer types from a sample lose values: a column that is null in the sample is null everywhere, and strings of digits become
//! numbers. `docs/consumers.md` has the details.

mod bigquery;
mod clickhouse;
mod dlt;
mod duckdb;
mod frames;
mod postgres;
mod sling;
mod snowflake;
mod spark;
mod sql;
mod table;

use crate::{
    cli::{Nested, Reader},
    streams::Stream,
};
use table::Table;

/// The code for one reader, with a section for each stream.
pub fn text(reader: Reader, streams: &[&Stream], nested: Nested) -> String {
    let (head, section): (String, fn(&Table, Nested) -> String) = match reader {
        Reader::Duckdb => (duckdb::HEAD.to_owned(), duckdb::section),
        Reader::Polars => (frames::polars_head(), frames::polars),
        Reader::Pyarrow => (frames::pyarrow_head(), frames::pyarrow),
        Reader::Pandas => (frames::pandas_head(), frames::pandas),
        Reader::Spark => (spark::HEAD.to_owned(), spark::section),
        Reader::Clickhouse => (String::new(), clickhouse::section),
        Reader::Postgres => (String::new(), postgres::section),
        Reader::Dlt => (dlt::HEAD.to_owned(), dlt::section),
        Reader::Sling => (sling::HEAD.to_owned(), sling::section),
        Reader::Bigquery => (String::new(), bigquery::section),
        Reader::Snowflake => (String::new(), snowflake::section),
    };
    let sections: Vec<_> = streams.iter().map(|stream| section(&Table::new(stream), nested)).collect();
    format!("{head}{}", sections.join("\n"))
}
