//! `docs/conformance.md`: it has all points, and their tests exist.

use std::{collections::BTreeMap, fs};

use crate::support::{is_test, root};

/// The rows of the table: point and tests.
fn rows() -> BTreeMap<String, String> {
    let text = fs::read_to_string(root().join("docs/conformance.md")).unwrap();
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| A") || line.starts_with("| B")).map(cells).collect();
    assert!(rows.iter().all(|cells| cells.len() == 5 && !cells[2].is_empty()), "each row has three columns");
    rows.into_iter().map(|cells| (cells[1].clone(), cells[3].clone())).collect()
}

/// Whether it is the path of a consumer test.
fn is_consumer(name: &str) -> bool {
    name.starts_with("tests/consumers/") && root().join(name).is_file()
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
            assert!(is_test(test) || is_consumer(test), "{point}: unknown test {test}");
        }
    }
}
