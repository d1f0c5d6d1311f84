//! The output of `check` in `docs/setup.md`: it is in the snapshot of what a terminal shows.

use std::{fs, path::Path};

use super::documents;
use crate::support::root;

const SNAPSHOT: &str = "tests/it/doctor/snapshots/it__doctor__terminal.snap";

/// The text on one line.
fn joined(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The parts of an output, which is shortened at `…`, that the snapshot does not contain.
fn missing(output: &str) -> Vec<String> {
    let snapshot = joined(&fs::read_to_string(root().join(SNAPSHOT)).unwrap());
    output.split('…').map(joined).filter(|part| !snapshot.contains(part)).collect()
}

#[test]
fn the_output_of_check_in_setup_is_that_of_the_program() {
    let documents = documents();
    let blocks: Vec<_> = documents[Path::new("docs/setup.md")].blocks("").filter(|block| block.text.contains("✓ teams")).collect();
    assert_eq!(blocks.len(), 1, "one example");
    assert_eq!(missing(&blocks[0].text), [""; 0]);
}

#[test]
fn an_output_that_has_drifted_is_found() {
    assert_eq!(missing("✓ teams works …; not in the output"), ["; not in the output"]);
}
