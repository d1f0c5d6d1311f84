//! `--discover`: the contents of the catalog, without configuration or network.

use serde_json::{Value, json};
use tap_microsoft_teams::streams::STREAMS;

use crate::support::{Tap, root, singer::entry};

#[test]
fn discovery_needs_no_configuration_and_no_network() {
    let tap = Tap::new(&json!({}));
    let expected = std::fs::read_to_string(root().join("catalog/singer.json")).unwrap();
    for arguments in
        [&["--config", "config.json", "--discover"][..], &["--discover"], &["-d", "-c", "absent.json"], &["--discover", "--config=ENV"]]
    {
        let finished = tap.execute(arguments, &[("HTTPS_PROXY", "http://127.0.0.1:1")]);
        assert_eq!((finished.status, finished.stderr.as_str()), (Some(0), ""), "{arguments:?}");
        assert_eq!(finished.stdout, expected, "{arguments:?}");
    }
}

#[test]
fn discovery_is_written_in_short_lines() {
    let stdout = Tap::new(&json!({})).execute(&["--discover"], &[]).stdout;
    assert!(stdout.starts_with("{\n") && stdout.ends_with("}\n"));
    assert!(stdout.lines().all(|line| line.len() < 65_535));
    assert!(stdout.lines().count() > 500);
}

#[test]
fn schema_precedes_metadata_and_every_property_has_one_entry() {
    for entry in Tap::new(&json!({})).catalog()["streams"].as_array().unwrap() {
        let keys: Vec<_> = entry.as_object().unwrap().keys().map(String::as_str).collect();
        assert!(keys.iter().position(|key| *key == "schema") < keys.iter().position(|key| *key == "metadata"), "{keys:?}");
        let mut paths = vec![json!([])];
        collect(&entry["schema"], &mut Vec::new(), &mut paths);
        let described: Vec<_> = entry["metadata"].as_array().unwrap().iter().map(|metadata| metadata["breadcrumb"].clone()).collect();
        assert_eq!(described, paths);
    }
}

fn collect(schema: &Value, breadcrumb: &mut Vec<String>, paths: &mut Vec<Value>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        breadcrumb.extend(["properties".to_owned(), name.clone()]);
        paths.push(json!(breadcrumb));
        collect(property, breadcrumb, paths);
        breadcrumb.truncate(breadcrumb.len() - 2);
    }
}

#[test]
fn keys_are_automatic_and_the_root_metadata_is_complete() {
    let mut catalog = Tap::new(&json!({})).catalog();
    assert_eq!(catalog["streams"].as_array().unwrap().len(), STREAMS.len());
    for stream in STREAMS {
        let entry = entry(&mut catalog, stream.name).clone();
        assert_eq!((&entry["stream"], &entry["key_properties"]), (&json!(stream.name), &json!(stream.primary_key)));
        let metadata = entry["metadata"].as_array().unwrap();
        let root = &metadata[0]["metadata"];
        assert_eq!(root["table-key-properties"], entry["key_properties"]);
        assert_eq!(root["forced-replication-method"], entry["replication_method"]);
        assert!(["FULL_TABLE", "INCREMENTAL"].iter().any(|method| entry["replication_method"] == *method));
        assert_eq!((&root["inclusion"], &root["selected-by-default"]), (&json!("available"), &json!(stream.is_default)));
        for described in &metadata[1..] {
            let path = described["breadcrumb"].as_array().unwrap();
            let name = path[1].as_str().unwrap();
            let must = path.len() == 2 && (stream.primary_key.contains(&name) || stream.cursor == Some(name));
            let expected = if must { "automatic" } else { "available" };
            assert_eq!(described["metadata"]["inclusion"], expected, "{}.{path:?}", stream.name);
            assert_eq!(described["metadata"]["selected-by-default"], true);
        }
    }
}
