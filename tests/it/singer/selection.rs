//! Selection of streams and columns, in all places where Meltano and older tools write it.

use serde_json::{Value, json};

use crate::support::{
    ALL, Tap, config, everything,
    singer::{entry, metadata, select},
    tenant, truth,
};

#[test]
fn a_stream_can_be_selected_in_three_places() {
    let sim = tenant(1, 1, 2);
    let tap = Tap::new(&config(&sim, everything()));
    // Root metadata, the entry itself, the schema. Strings count as their value; the first one that is set counts.
    let cases: [(&str, Value, Value, Value, bool); 9] = [
        ("not set", json!(null), json!(null), json!(null), true),
        ("the root selects", json!(true), json!(null), json!(null), true),
        ("the root deselects", json!(false), json!(null), json!(null), false),
        ("the root deselects as text", json!("false"), json!(true), json!(true), false),
        ("the root selects as text", json!("true"), json!(false), json!(null), true),
        ("the entry deselects", json!(null), json!(false), json!(null), false),
        ("the entry selects as text", json!(null), json!("True"), json!(false), true),
        ("the schema deselects", json!(null), json!(null), json!(false), false),
        ("the schema selects", json!(null), json!(null), json!("true"), true),
    ];
    for (what, in_root, in_entry, in_schema, is_selected) in cases {
        let mut catalog = tap.catalog();
        let set = |place: &mut Value, value: &Value| {
            if !value.is_null() {
                place["selected"] = value.clone();
            }
        };
        set(metadata(&mut catalog, "teams", &[]), &in_root);
        set(entry(&mut catalog, "teams"), &in_entry);
        set(&mut entry(&mut catalog, "teams")["schema"], &in_schema);
        let output = tap.sync_catalog(&catalog, &[]);
        let expected = if is_selected { ALL.to_vec() } else { ALL[1..].to_vec() };
        assert_eq!((output.status, output.streams()), (Some(0), expected), "{what}");
        assert_eq!(output.records("teams").count(), usize::from(is_selected), "{what}");
    }
}

#[test]
fn catalogs_without_metadata_select_in_the_entry_or_the_schema() {
    let sim = tenant(1, 1, 2);
    let tap = Tap::new(&config(&sim, everything()));
    let catalog = json!({"streams": [
        {"stream": "teams", "schema": {"selected": true, "properties": {}}},
        {"stream": "channels", "tap_stream_id": "channels", "schema": {}, "selected": true},
        {"stream": "members", "schema": {}},
    ]});
    assert_eq!(tap.sync_catalog(&catalog, &[]).streams(), ["teams", "channels"]);
}

#[test]
fn a_stream_without_metadata_is_read_like_in_the_singer_sdk() {
    let sim = tenant(1, 1, 2);
    let tap = Tap::new(&config(&sim, everything()));
    let of_column = json!([{"breadcrumb": ["properties", "displayName"], "metadata": {"inclusion": "available"}}]);
    for metadata in [None, Some(json!(null)), Some(json!([])), Some(of_column)] {
        let mut catalog = select(tap.catalog(), &["channels"]);
        for stream in ["teams", "messages"] {
            let entry = entry(&mut catalog, stream).as_object_mut().unwrap();
            entry.remove("selected");
            entry.remove("metadata");
            entry.extend(metadata.clone().map(|metadata| ("metadata".to_owned(), metadata)));
        }
        let output = tap.sync_catalog(&catalog, &[]);
        assert_eq!((output.status, output.streams()), (Some(0), vec!["teams", "channels", "messages"]), "{metadata:?}");
        assert_eq!((output.records("teams").count(), output.columns("teams")), (1, tap.sync(&[]).columns("teams")), "{metadata:?}");
    }
    // All without metadata, as in a catalog that was written by hand.
    let by_hand = ["messages", "members"].map(|name| json!({"tap_stream_id": name, "stream": name, "schema": {}}));
    assert_eq!(tap.sync_catalog(&json!({"streams": by_hand}), &[]).streams(), ["members", "messages"]);
    // Metadata without a selection deselects, in the SDK too.
    let mut silent = select(tap.catalog(), &["channels"]);
    entry(&mut silent, "teams").as_object_mut().unwrap().remove("selected");
    *metadata(&mut silent, "teams", &[]) = json!({"inclusion": "available"});
    assert_eq!(tap.sync_catalog(&silent, &[]).streams(), ["channels"]);
}

#[test]
fn an_unknown_stream_in_the_catalog_is_a_warning() {
    let sim = tenant(1, 1, 2);
    let tap = Tap::new(&config(&sim, everything()));
    let mut catalog = select(tap.catalog(), &["teams"]);
    catalog["streams"].as_array_mut().unwrap().push(json!({"tap_stream_id": "chats", "stream": "chats", "schema": {}, "selected": true}));
    let output = tap.sync_catalog(&catalog, &[]);
    assert_eq!((output.status, output.streams()), (Some(0), vec!["teams"]));
    assert_eq!(
        output.logged("WARNING"),
        [
            "unknown stream chats in the catalog is ignored; known streams: teams, channels, members, messages, message_replies, channel_members, team_device_usage_report"
        ]
    );
}

#[test]
fn a_catalog_that_selects_nothing_is_reported() {
    let sim = tenant(1, 1, 2);
    let tap = Tap::new(&config(&sim, everything()));
    for catalog in [select(tap.catalog(), &[]), json!({"streams": []})] {
        let output = tap.sync_catalog(&catalog, &[]);
        assert_eq!((output.status, output.messages.len()), (Some(0), 1), "one state");
        let warned = output.logged("WARNING");
        assert_eq!(warned.len(), 1, "{warned:?}");
        assert!(
            warned[0].starts_with("the catalog does not select any streams, so nothing is read; hint: set `selected` to true"),
            "{warned:?}"
        );
        let plan = tap.execute(&["plan", "--config", "config.json", "--catalog", "catalog.json"], &[]);
        assert!(plan.status == Some(0) && plan.stderr.contains(warned[0]), "{}", plan.stderr);
    }
    let read = tap.read(&[]);
    assert_eq!((read.status, read.logs("WARN").len()), (Some(0), 1), "{:?}", read.messages);
    assert!(read.logs("WARN")[0].starts_with("the catalog contains no streams, so nothing is read; hint: add "), "{:?}", read.logs("WARN"));
}

#[test]
fn an_object_selected_without_properties_is_a_warning() {
    let sim = tenant(1, 1, 4);
    let tap = Tap::new(&config(&sim, everything()));
    let mut catalog = select(tap.catalog(), &["messages"]);
    for property in ["content", "contentType"] {
        metadata(&mut catalog, "messages", &["body", property])["selected"] = false.into();
    }
    let output = tap.sync_catalog(&catalog, &[]);
    assert_eq!(
        (output.status, output.logged("WARNING")),
        (
            Some(0),
            vec![
                "messages: the catalog selects body but none of its properties, so the column is always empty; hint: also select \
             `messages.body.*`"
            ]
        )
    );
    assert!(output.records("messages").all(|record| record["body"] == json!({})));
    *metadata(&mut catalog, "messages", &["body", "content"]) = json!({"selected": true});
    assert!(tap.sync_catalog(&catalog, &[]).logged("WARNING").is_empty());
}

#[test]
fn an_unselected_column_is_omitted_and_keys_never_are() {
    let sim = tenant(1, 1, 4);
    let tap = Tap::new(&config(&sim, everything()));
    let mut catalog = tap.catalog();
    metadata(&mut catalog, "messages", &["subject"])["selected"] = false.into();
    metadata(&mut catalog, "messages", &["_additional_properties"])["selected"] = "false".into();
    metadata(&mut catalog, "messages", &["webUrl"])["selected-by-default"] = false.into();
    metadata(&mut catalog, "messages", &["etag"])["inclusion"] = "unsupported".into();
    for automatic in ["id", "channel_id", "lastModifiedDateTime"] {
        metadata(&mut catalog, "messages", &[automatic])["selected"] = false.into();
    }
    let output = tap.sync_catalog(&catalog, &[]);
    let (columns, all) = (output.columns("messages"), tap.sync(&[]));
    let mut expected = all.columns("messages");
    expected.retain(|name| !["subject", "_additional_properties", "webUrl", "etag"].contains(name));
    assert_eq!(columns, expected);
    assert_eq!(output.records("messages").count(), 4);
    // Selected columns are unchanged; the validation checks that records have exactly the columns of the schema.
    for (part, whole) in output.records("messages").zip(all.records("messages")) {
        assert!(part.as_object().unwrap().iter().all(|(name, value)| whole[name] == *value));
    }
    assert_eq!(output.columns("message_replies"), all.columns("message_replies"));
}

#[test]
fn an_unselected_nested_property_is_omitted_without_its_column() {
    let sim = tenant(1, 1, 4);
    let tap = Tap::new(&config(&sim, everything()));
    let mut catalog = select(tap.catalog(), &["messages"]);
    metadata(&mut catalog, "messages", &["body", "content"])["selected"] = false.into();
    let output = tap.sync_catalog(&catalog, &[]);
    assert_eq!(
        output.schema("messages")["properties"]["body"]["properties"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["contentType"]
    );
    assert!(output.records("messages").all(|record| record["body"].is_object() && record["body"].get("content").is_none()));
    assert!(output.records("messages").all(|record| record["body"]["contentType"].is_string()));

    // Conversely, as Meltano writes `select: [messages.body.content]`: the column and one of its properties.
    let mut catalog = select(tap.catalog(), &["messages"]);
    for metadata in entry(&mut catalog, "messages")["metadata"].as_array_mut().unwrap() {
        let path = metadata["breadcrumb"].as_array().unwrap();
        let wanted = path.is_empty() || path[1] == "body" && path.last().unwrap() != "contentType";
        metadata["metadata"]["selected"] = wanted.into();
    }
    let output = tap.sync_catalog(&catalog, &[]);
    assert_eq!(output.columns("messages"), ["id", "channel_id", "lastModifiedDateTime", "body"]);
    assert!(output.records("messages").all(|record| record["body"].as_object().unwrap().keys().eq(["content"])));
}

#[test]
fn replies_alone_are_complete_without_their_parent_streams() {
    let sim = tenant(2, 2, 10);
    let tap = Tap::new(&config(&sim, everything()));
    let catalog = select(tap.catalog(), &["message_replies"]);
    let truth = truth::table(&sim.truth(), "message_replies");
    assert!(truth.len() > 10);
    for flag in ["--catalog", "--properties", "-p"] {
        tap.file("selected.json", catalog.to_string());
        let output = tap.sync(&[flag, "selected.json"]);
        assert_eq!((output.status, output.streams()), (Some(0), vec!["message_replies"]), "{}", output.stderr);
        truth::assert_equal("message_replies", &output.table("message_replies"), &truth);
    }
}

#[test]
fn the_replication_method_can_be_overridden_where_possible() {
    let sim = tenant(1, 1, 4);
    let tap = Tap::new(&config(&sim, everything()));
    let sync = |stream: &str, method: &str| {
        let mut catalog = select(tap.catalog(), &[stream]);
        metadata(&mut catalog, stream, &[])["replication-method"] = method.into();
        entry(&mut catalog, stream)["replication_method"] = method.into();
        tap.sync_catalog(&catalog, &[])
    };
    for stream in ["messages", "teams"] {
        let output = sync(stream, "FULL_TABLE");
        assert_eq!((output.status, output.logged("WARNING").len()), (Some(0), 0), "{}", output.stderr);
    }
    for (stream, method) in [("teams", "INCREMENTAL"), ("messages", "LOG_BASED")] {
        let output = sync(stream, method);
        assert_eq!(output.status, Some(0));
        assert!(
            output.logged("WARNING")[0].starts_with(&format!("{stream}: the catalog requests {method}, but the stream is read as ")),
            "{}",
            output.stderr
        );
    }
}

#[test]
fn full_table_ignores_the_state() {
    let sim = tenant(1, 1, 6);
    let tap = Tap::new(&config(&sim, everything()));
    let first = tap.sync(&[]);
    tap.file("state.json", first.last_state().to_string());
    let mut catalog = select(tap.catalog(), &["messages", "message_replies"]);
    for stream in ["messages", "message_replies"] {
        metadata(&mut catalog, stream, &[])["replication-method"] = "FULL_TABLE".into();
    }
    let second = tap.sync_catalog(&catalog, &["--state", "state.json"]);
    for stream in ["messages", "message_replies"] {
        assert_eq!(first.table(stream), second.table(stream), "{stream}");
    }
}
