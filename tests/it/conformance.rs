//! `docs/conformance.md`: all points are there, and the tests that it names exist.

use std::{collections::BTreeMap, fs};

use crate::support::root;

/// The rows of the table: point, and what holds it.
fn rows() -> BTreeMap<String, String> {
    let text = fs::read_to_string(root().join("docs/conformance.md")).unwrap();
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| A") || line.starts_with("| B")).map(cells).collect();
    assert!(rows.iter().all(|cells| cells.len() == 5 && !cells[2].is_empty()), "each row has three columns");
    rows.into_iter().map(|cells| (cells[1].clone(), cells[3].clone())).collect()
}

/// Whether there is a test of that name, such as `singer::sync::all_streams_equal_the_truth`.
fn exists(test: &str) -> bool {
    let (module, name) = test.rsplit_once("::").unwrap();
    let file = root().join("tests/it").join(module.replace("::", "/") + ".rs");
    let source = fs::read_to_string(file).unwrap_or_default();
    source.contains(&format!("#[test]\nfn {name}() {{"))
}

#[test]
fn every_point_has_tests_that_exist() {
    let rows = rows();
    let points: Vec<_> = (1..=40).map(|number| format!("A{number}")).chain((1..=35).map(|number| format!("B{number}"))).collect();
    assert_eq!(rows.len(), points.len());
    for point in points {
        let held = rows.get(&point).unwrap_or_else(|| panic!("{point} is missing"));
        let tests: Vec<_> = held.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty() || held.starts_with("later, with "), "{point} has no test");
        for test in tests {
            assert!(exists(test), "{point}: there is no test {test}");
        }
    }
}

#[test]
fn a_test_that_there_is_not_is_noticed() {
    assert!(exists("conformance::every_point_has_tests_that_exist"));
    assert!(!exists("conformance::rows") && !exists("conformance::no_such_test") && !exists("nowhere::no_such_test"));
}
