//! `docs/reliability.md`: each row of its tables has tests, which exist.

use std::fs;

use crate::support::{is_test, root};

/// The cells of each row.
fn rows() -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join("docs/reliability.md")).unwrap();
    let tables = text.split("\n## ").filter(|section| section.contains("| test |\n"));
    let lines = tables.flat_map(str::lines).filter(|line| line.starts_with("| ") && !line.ends_with("| test |"));
    lines.map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()).collect()
}

#[test]
fn every_row_names_tests_that_exist() {
    let rows = rows();
    assert!(rows.len() > 60, "{}", rows.len());
    for row in rows {
        let tests: Vec<_> = row.last().unwrap().split('`').skip(1).step_by(2).filter(|name| !name.starts_with("cargo ")).collect();
        assert!(!tests.is_empty(), "{row:?} has no test");
        for test in tests {
            assert!(is_test(test), "{}: unknown test {test}", row[0]);
        }
    }
}

#[test]
fn an_unknown_test_is_noticed() {
    assert!(
        is_test("reliability::every_row_names_tests_that_exist") && is_test("graph::response::tests::retry_after_is_seconds_or_a_date")
    );
    for none in ["reliability::rows", "reliability::no_such_test", "nowhere::no_such_test", "graph::response::tests::wait"] {
        assert!(!is_test(none), "{none}");
    }
}
