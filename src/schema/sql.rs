//! SQL that the dialects share: column lists, and the rule that decides which row of a key is the newest.

use super::table::{Column, Kind, Table};
use crate::cli::Nested;

/// Quotes a name.
pub(super) type Quote = fn(&str) -> String;

pub(super) fn double_quotes(name: &str) -> String {
    format!("\"{name}\"")
}

pub(super) fn backticks(name: &str) -> String {
    format!("`{name}`")
}

/// One declaration per line.
pub(super) fn lines(declarations: impl IntoIterator<Item = String>, indent: &str) -> String {
    declarations.into_iter().collect::<Vec<_>>().join(&format!(",\n{indent}"))
}

/// The names of a table's columns, wrapped.
pub(super) fn names(table: &Table, quote: Quote, indent: &str) -> String {
    wrapped(table.columns.iter().map(|column| quote(&column.name)), indent)
}

/// The names of the key columns.
pub(super) fn key(table: &Table, quote: Quote) -> String {
    table.key.iter().map(|name| quote(name)).collect::<Vec<_>>().join(", ")
}

/// `target.key = source.key` for each column of the key.
pub(super) fn same_key(table: &Table, quote: Quote) -> String {
    let conditions = table.key.iter().map(|name| format!("target.{0} = source.{0}", quote(name)));
    conditions.collect::<Vec<_>>().join(" AND ")
}

/// The assignments of an update, `name = source.name`.
pub(super) fn assignments(table: &Table, quote: Quote, source: &str, indent: &str) -> String {
    let changed = table.columns.iter().filter(|column| !table.key.contains(&column.name.as_str()));
    wrapped(changed.map(|column| format!("{0} = {source}.{0}", quote(&column.name))), indent)
}

/// Sorts the rows of a key, newest first. If Graph reports a message as removed, its time is the time of the read.
pub(super) fn newest_first(table: &Table, quote: Quote) -> Option<String> {
    Some(format!("{} DESC NULLS LAST", quote(table.cursor?)))
}

/// Whether a source row is at least as new as the row in the table. A row without a time counts as newer.
pub(super) fn is_newer(table: &Table, quote: Quote, source: &str, target: &str) -> Option<String> {
    let cursor = quote(table.cursor?);
    Some(format!("coalesce({source}.{cursor} >= {target}.{cursor}, true)"))
}

/// The columns of a table as `name TYPE`, with NOT NULL if the value is never null.
pub(super) fn declarations(table: &Table, quote: Quote, kind: fn(&Kind, Nested) -> String, nested: Nested, indent: &str) -> String {
    let declaration = |column: &Column| {
        let required = if column.is_required { " NOT NULL" } else { "" };
        format!("{} {}{required}", quote(&column.name), kind(&column.kind, nested))
    };
    lines(table.columns.iter().map(declaration), indent)
}

/// Joins words into lines of about 110 characters.
fn wrapped(words: impl Iterator<Item = String>, indent: &str) -> String {
    let mut text = String::new();
    let mut width = 0;
    for word in words {
        if !text.is_empty() {
            text.push(',');
            if width + word.len() > 110 {
                text.push('\n');
                text.push_str(indent);
                width = 0;
            } else {
                text.push(' ');
            }
        }
        width += word.len() + 2;
        text.push_str(&word);
    }
    text
}
