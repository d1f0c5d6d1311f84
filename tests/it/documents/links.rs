//! Links within the repository: their files and headings exist.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

use super::{Document, documents};
use crate::support::root;

/// The anchors of headings as on GitHub: lower case, no punctuation, hyphens for spaces, a number for duplicates.
fn anchors(document: &Document) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    for heading in &document.headings {
        let kept = heading.chars().filter(|char| char.is_alphanumeric() || " -_".contains(*char));
        let anchor = kept.collect::<String>().to_lowercase().replace(' ', "-");
        let numbered = (1..).map(|number| format!("{anchor}-{number}"));
        let free = std::iter::once(anchor.clone()).chain(numbered).find(|anchor| !anchors.contains(anchor));
        anchors.extend(free);
    }
    anchors
}

/// The path from the root, without `..`.
fn resolved(from: &Path, link: &str) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in from.parent().unwrap().join(link).components() {
        match component {
            Component::ParentDir => assert!(resolved.pop(), "{link} in {} leaves the repository", from.display()),
            component => resolved.push(component),
        }
    }
    resolved
}

/// The problem with a link of a document, if any.
fn fault(documents: &BTreeMap<PathBuf, Document>, document: &Document, link: &str) -> Option<String> {
    let is_elsewhere = link.contains("://") || link.starts_with("mailto:");
    let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    let target = if path.is_empty() { document.path.clone() } else { resolved(&document.path, path) };
    if is_elsewhere {
        None
    } else if !root().join(&target).exists() {
        Some(format!("missing file {}", target.display()))
    } else {
        let missing = anchor.filter(|anchor| !documents.get(&target).is_some_and(|target| anchors(target).contains(*anchor)));
        missing.map(|anchor| format!("{} has no heading for #{anchor}", target.display()))
    }
}

#[test]
fn every_link_within_the_repository_exists() {
    let documents = documents();
    let mut faults = Vec::new();
    for document in documents.values() {
        for link in &document.links {
            faults.extend(fault(&documents, document, &link.0).map(|fault| format!("{}: {}: {fault}", document.at(link.1), link.0)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_source_file_in_the_architecture_exists() {
    for file in ["docs/architecture.md", "docs/architecture.svg"] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let words = text.split(|char: char| !char.is_alphanumeric() && !"_-/.".contains(char));
        let named: BTreeSet<_> = words.filter(|word| word.contains('/') && word.ends_with(".rs")).collect();
        assert!(named.len() > 8, "{file} names files");
        let missing: Vec<_> =
            named.into_iter().filter(|name| !root().join(name).exists() && !root().join("src").join(name).exists()).collect();
        assert!(missing.is_empty(), "{file}: {missing:?}");
    }
}

#[test]
fn a_broken_link_is_reported() {
    let documents = documents();
    let readme = &documents[Path::new("README.md")];
    let fault = |link| fault(&documents, readme, link);
    assert_eq!((fault("docs/state.md#by-hand"), fault("#streams"), fault("https://example.com/#no")), (None, None, None));
    assert!(
        fault("docs/no.md").is_some() && fault("docs/state.md#no").is_some() && fault("#no").is_some() && fault("LICENSE#no").is_some()
    );
}
