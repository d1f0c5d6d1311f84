//! The files that are generated from the Rust types must be up to date. `UPDATE_GENERATED=1 cargo test generated` updates them.

mod before;
mod streams;

use std::{env, fs};

use serde_json::Value;
use tap_microsoft_teams::{
    protocol::{airbyte, singer},
    streams::STREAMS,
};

use crate::support::root;

fn is_up_to_date(path: &str, value: &Value) {
    is_text_of(path, &(serde_json::to_string_pretty(value).unwrap() + "\n"));
}

fn is_text_of(path: &str, text: &str) {
    let file = root().join(path);
    if env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(file, text).unwrap();
    } else {
        let current = fs::read_to_string(file).unwrap_or_default();
        assert!(current == text, "{path} is stale: UPDATE_GENERATED=1 cargo test generated");
    }
}

#[test]
fn generated_schemas_are_up_to_date() {
    for stream in STREAMS {
        is_up_to_date(&format!("schemas/{}.json", stream.name), stream.schema());
    }
}

#[test]
fn generated_catalogs_are_up_to_date() {
    is_up_to_date("catalog/airbyte.json", &airbyte::catalog());
    is_up_to_date("catalog/singer.json", &singer::catalog());
}

#[test]
fn generated_spec_is_up_to_date() {
    is_up_to_date("spec.json", &airbyte::spec());
}

#[test]
fn generated_tables_of_the_documents_are_up_to_date() {
    let path = "docs/streams.md";
    is_text_of(path, &streams::with_tables(&fs::read_to_string(root().join(path)).unwrap()));
}
