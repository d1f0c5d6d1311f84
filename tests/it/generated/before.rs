//! Everything that forms, catalogs or connections of the release with five streams rely on still exists unchanged.

use std::collections::BTreeSet;

use serde_json::Value;
use tap_microsoft_teams::protocol::{airbyte, singer};

const SPEC: &str = include_str!("before/spec.json");
const AIRBYTE: &str = include_str!("before/airbyte.json");
const SINGER: &str = include_str!("before/singer.json");

/// Where the new value has something that the old one had not; fails where it has lost or changed something. Titles and descriptions may change.
fn additions(old: &Value, new: &Value, path: &str, added: &mut BTreeSet<String>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (name, value) in new {
                let path = format!("{path}/{name}");
                match old.get(name) {
                    Some(_) if name == "title" => {}
                    Some(old) => additions(old, value, &path, added),
                    None if name == "description" => {}
                    None => _ = added.insert(path),
                }
            }
            let lost: Vec<_> = old.keys().filter(|name| !new.contains_key(*name)).collect();
            assert!(lost.is_empty(), "{path} has lost {lost:?}");
        }
        (Value::Array(old), Value::Array(new)) if name_of(new.first()).is_some() => {
            for value in new {
                let name = name_of(Some(value)).unwrap();
                match old.iter().find(|old| name_of(Some(old)).as_ref() == Some(&name)) {
                    Some(old) => additions(old, value, &format!("{path}/{name}"), added),
                    None => _ = added.insert(format!("{path}/{name}")),
                }
            }
            assert!(old.iter().all(|old| new.iter().any(|new| name_of(Some(new)) == name_of(Some(old)))), "{path} has lost an entry");
        }
        _ => assert_eq!(old, new, "{path}"),
    }
}

/// The identity of a list entry: the name of a stream, or the breadcrumb of its metadata.
fn name_of(entry: Option<&Value>) -> Option<String> {
    let entry = entry?;
    entry["name"].as_str().or(entry["stream"].as_str()).map(str::to_owned).or_else(|| Some(entry.get("breadcrumb")?.to_string()))
}

#[test]
fn forms_and_catalogs_of_the_five_streams_only_gained_additions() {
    let mut added = BTreeSet::new();
    for (what, old, new) in
        [("spec", SPEC, airbyte::spec()), ("airbyte", AIRBYTE, airbyte::catalog()), ("singer", SINGER, singer::catalog())]
    {
        additions(&serde_json::from_str(old).unwrap(), &new, what, &mut added);
    }
    insta::assert_snapshot!(added.into_iter().collect::<Vec<_>>().join("\n"));
}
