//! `docs/troubleshooting.md`: every message that it quotes exists in the program.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::support::root;

/// Messages of the operating system.
const NOT_OURS: &[&str] = &["No such file or directory"];

/// The text of all source files, without comments and unit tests, with string literals joined to one line.
fn sources() -> String {
    fn collect(folder: &Path, text: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, text);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(&path).unwrap();
                text.push_str(&joined(source.split("#[cfg(test)]").next().unwrap()));
            }
        }
    }
    let mut text = String::new();
    collect(&root().join("src"), &mut text);
    text
}

/// Source code in which a string literal that is continued on the next line is on one line.
fn joined(source: &str) -> String {
    let code = source.lines().map(str::trim).filter(|line| !line.starts_with("//"));
    code.map(|line| line.strip_suffix('\\').map_or_else(|| format!("{line}\n"), str::to_owned)).collect()
}

/// The messages quoted in headings and in the first column of tables, with their line numbers.
fn quotations(document: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut is_in_table = false;
    for (number, line) in document.lines().enumerate() {
        let is_header = ["| message |", "| reason |"].iter().any(|header| line.starts_with(header));
        is_in_table = is_header || is_in_table && line.starts_with('|');
        let quotations = if line.starts_with("### ") { usize::MAX } else { usize::from(is_in_table) };
        found.extend(line.split('`').skip(1).step_by(2).take(quotations).map(|quotation| (number + 1, quotation)));
    }
    found
}

/// Whether each part of a quotation, between its `…`, exists in the program.
fn exists(quotation: &str, sources: &str) -> bool {
    NOT_OURS.contains(&quotation) || quotation.split('…').map(str::trim).all(|part| sources.contains(part))
}

#[test]
fn every_message_that_troubleshooting_quotes_exists_in_the_program() {
    let path = PathBuf::from("docs/troubleshooting.md");
    let document = fs::read_to_string(root().join(&path)).unwrap();
    let (quotations, sources) = (quotations(&document), sources());
    assert!(quotations.len() > 40, "{} quotations", quotations.len());
    let missing = quotations.iter().filter(|(_, quotation)| !exists(quotation, &sources));
    let lines: Vec<_> = missing.map(|(number, quotation)| format!("{}:{number}: {quotation}", path.display())).collect();
    assert!(lines.is_empty(), "the program has no such message (any more):\n{}", lines.join("\n"));
}

#[test]
fn a_quotation_that_has_drifted_is_found() {
    let sources = joined("// not this\nf(\"cannot list the {} of team {team}: \\\n    check the id\");");
    assert!(exists("cannot list the … of team …: check the id", &sources));
    assert!(!exists("cannot list the … of team …: check the ids", &sources) && !exists("not this", &sources));
    assert_eq!(quotations("### `a`, `b`\n| reason | fix |\n|---|---|\n| `c` | `d` |\n\n| `e` |"), [(1, "a"), (1, "b"), (4, "c")]);
}
