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
    let section = match reader {
        Reader::Duckdb => duckdb::section,
        Reader::Polars => frames::polars,
        Reader::Pyarrow => frames::pyarrow,
        Reader::Pandas => frames::pandas,
        Reader::Spark => spark::section,
        Reader::Clickhouse => clickhouse::section,
        Reader::Postgres => postgres::section,
        Reader::Dlt => dlt::section,
        Reader::Sling => sling::section,
        Reader::Bigquery => bigquery::section,
        Reader::Snowflake => snowflake::section,
    };
    let head = match reader {
        Reader::Duckdb => duckdb::HEAD.to_owned(),
        Reader::Polars => frames::polars_head(),
        Reader::Pyarrow => frames::pyarrow_head(),
        Reader::Pandas => frames::pandas_head(),
        Reader::Spark => spark::HEAD.to_owned(),
        Reader::Dlt => dlt::HEAD.to_owned(),
        Reader::Sling => sling::HEAD.to_owned(),
        Reader::Clickhouse | Reader::Postgres | Reader::Bigquery | Reader::Snowflake => String::new(),
    };
    let sections: Vec<_> = streams.iter().map(|stream| section(&Table::new(stream), nested)).collect();
    format!("{head}{}", sections.join("\n"))
}
