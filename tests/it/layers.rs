//! The import rule: no layer of `src/` reaches upwards, and a protocol's words stay in its own module.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::support::root;

/// Each module with those of ours that it may use. Only `command` may use everything.
const MAY_USE: &[(&str, &[&str])] = &[
    ("cli", &[]),
    ("config", &[]),
    ("graph", &["secrets", "shown"]),
    ("log", &[]),
    ("panic", &[]),
    ("record", &[]),
    ("schema", &[]),
    ("secrets", &[]),
    ("shown", &[]),
    ("state", &[]),
    ("stdio", &[]),
    ("stdio", &[]),
    ("error", &["config", "graph", "panic"]),
    ("files", &["error"]),
    ("streams", &["graph", "record", "schema"]),
    ("emit", &["error", "graph", "state", "streams"]),
    ("watch", &["emit", "graph", "stdio", "streams"]),
    ("sync", &["config", "emit", "error", "graph", "record", "secrets", "state", "streams"]),
    ("protocol", &["config", "emit", "error", "secrets", "shown", "state", "streams"]),
    (
        "command",
        &[
            "cli", "config", "emit", "error", "files", "graph", "log", "protocol", "record", "schema", "secrets", "shown", "state",
            "stdio", "streams", "sync", "watch",
        ],
    ),
];

/// The modules that may say Airbyte or Singer.
const OF_PROTOCOLS: &[&str] = &["cli", "command", "protocol"];

fn sources() -> Vec<(String, PathBuf, String)> {
    fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let src = root().join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    let module = |file: &Path| {
        let first = file.strip_prefix(&src).unwrap().components().next().unwrap().as_os_str().to_str().unwrap();
        first.trim_end_matches(".rs").to_owned()
    };
    let without_tests = |text: String| text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
    files.into_iter().map(|file| (module(&file), file.clone(), without_tests(fs::read_to_string(&file).unwrap()))).collect()
}

/// The modules of ours that a text names: `crate::emit::Output`, `use crate::{emit::Output, error::Error}`.
fn used(text: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let Some(inside) = rest.strip_prefix('{') else {
            used.insert(rest.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect());
            continue;
        };
        let (mut depth, mut word, mut at_start) = (1, String::new(), true);
        for char in inside.chars() {
            match char {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 || depth == 1 && char == ',' || at_start && !(char.is_alphanumeric() || char == '_' || char.is_whitespace()) {
                if !word.is_empty() {
                    used.insert(std::mem::take(&mut word));
                }
                at_start = depth == 1 && char == ',';
            } else if at_start && !char.is_whitespace() {
                word.push(char);
            }
            if depth == 0 {
                break;
            }
        }
    }
    used
}

#[test]
fn the_reader_of_imports_reads_imports() {
    let text = "use crate::{\n    emit::{Output, Records},\n    error::Error,\n    graph::Page,\n};\nuse crate::state::X; crate::record::Y";
    assert_eq!(used(text).into_iter().collect::<Vec<_>>(), ["emit", "error", "graph", "record", "state"]);
}

#[test]
fn no_layer_reaches_upwards() {
    for (module, file, text) in sources() {
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let (_, may_use) =
            MAY_USE.iter().find(|(name, _)| *name == module).unwrap_or_else(|| panic!("{module} has no place in the layers"));
        for used in used(&text) {
            assert!(used == module || may_use.contains(&used.as_str()), "{} uses {used}: {module} may not", file.display());
        }
    }
}

#[test]
fn no_file_climbs_out_of_its_module_by_super() {
    for (_, file, text) in sources() {
        let depth = file.strip_prefix(root().join("src")).unwrap().components().count();
        let out = "super::".repeat(if file.ends_with("mod.rs") { depth - 1 } else { depth });
        assert!(!text.contains(&out), "{} uses {out}", file.display());
    }
}

#[test]
fn a_protocol_is_a_matter_of_its_own_module() {
    for (module, file, text) in sources() {
        if OF_PROTOCOLS.contains(&module.as_str()) || ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        for word in ["airbyte", "singer", "meltano"] {
            assert!(!text.to_lowercase().contains(word), "{} says {word}", file.display());
        }
    }
}

#[test]
fn every_file_says_in_its_first_line_what_it_is_for() {
    for (_, file, text) in sources() {
        assert!(text.starts_with("//! "), "{}", file.display());
    }
}
