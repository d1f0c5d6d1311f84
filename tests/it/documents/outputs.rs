//! Outputs in `docs/setup.md`: what it says that a check says is in the snapshots of checks.

use std::{fs, path::Path};

use super::documents;
use crate::support::root;

const SNAPSHOT: &str = "tests/it/doctor/snapshots/it__doctor__refusals_are_explained_with_the_roles_of_the_token.snap";

/// On one line, whatever its width.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The parts of an output that was shortened at `…`, each line without its level.
fn parts(output: &str) -> Vec<String> {
    let levels = ["INFO   ", "WARN   ", "SUCCEEDED   "];
    let marked = levels.iter().fold(output.to_owned(), |text, level| text.replace(level, "…"));
    marked.split('…').map(joined).filter(|part| !part.is_empty()).collect()
}

fn unsaid(output: &str) -> Vec<String> {
    let said = joined(&fs::read_to_string(root().join(SNAPSHOT)).unwrap());
    parts(output).into_iter().filter(|part| !said.contains(part)).collect()
}

#[test]
fn what_setup_shows_of_a_check_is_what_a_check_says() {
    let documents = documents();
    let blocks: Vec<_> = documents[Path::new("docs/setup.md")].blocks("").filter(|block| block.text.contains("teams: works")).collect();
    assert_eq!(blocks.len(), 1, "one example");
    assert_eq!(unsaid(&blocks[0].text), [""; 0]);
}

#[test]
fn an_output_that_has_drifted_is_told() {
    assert_eq!(unsaid("INFO   teams: works\nWARN   messages: …; nobody says this"), ["; nobody says this"]);
}
