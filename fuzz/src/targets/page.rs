//! The body of a page (a list or an object), from its bytes to the records of every stream.

use std::sync::LazyLock;

use tap_microsoft_teams::{
    graph::{Item, Page, Replacements, fuzzing},
    record::{Columns, instant},
    streams::{PerStream, Read, Stream},
};

use crate::{
    json::{is_json, is_storable},
    place::{assert_link_to_graph, host, now},
    record::{DELETED_AT, DERIVED, assert_nothing_is_lost, assert_record},
};

/// Some columns of each stream and the deletion time, as a catalog may select them.
static PARTIAL_COLUMNS: LazyLock<PerStream<Columns>> = LazyLock::new(|| {
    let deselected = [["subject"].as_slice(), &["body", "content"], &["createdDateTime"], &["_additional_properties"]];
    PerStream::from_fn(|stream| stream.columns().clone().with_deletion_time(DELETED_AT).selecting(|path| !deselected.contains(&path)))
});

pub(crate) fn page(body: &[u8]) {
    assert_decodes(body);
    for is_list in [true, false] {
        if let Ok(page) = fuzzing::page(body, is_list, host(), now()) {
            assert_page(&page);
        }
    }
}

/// Checks that decoding is idempotent, and that it does not turn invalid JSON into JSON.
fn assert_decodes(body: &[u8]) {
    let Some((text, _)) = fuzzing::decode(body) else { return };
    assert_eq!(fuzzing::decode(text.as_bytes()), Some((text.clone(), Replacements::default())));
    if let Ok(before) = str::from_utf8(body) {
        assert_eq!(is_json(&text), is_json(before), "{before:?} became {text:?}");
    }
    assert!(!is_json(&text) || is_storable(&text), "{text}");
}

fn assert_page(page: &Page) {
    page.next().into_iter().chain(page.delta()).for_each(assert_link_to_graph);
    for item in page.items() {
        item.replies_next().into_iter().for_each(assert_link_to_graph);
        assert_item(item);
        item.replies().for_each(assert_item);
    }
}

fn assert_item(item: Item<'_>) {
    item.times().for_each(|time| _ = instant(&time));
    let Some(id) = item.id().filter(|_| !item.is_malformed()) else { return };
    let sent: Vec<_> = item.fields().collect();
    // Rows of a report come from a file and have no id.
    let has_pages = |(stream, _): &(&Stream, &Columns)| !matches!(stream.read, Read::Report(_));
    for (stream, some) in Stream::all().zip(PARTIAL_COLUMNS.values()).filter(has_pages) {
        let record = record(stream.columns(), &sent);
        let members = assert_record(stream, stream.columns(), &record);
        assert_eq!(members.value("id").map(|id| serde_json::from_str::<String>(id).expect("a string")).as_deref(), Some(&*id));
        assert_nothing_is_lost(stream.columns(), &sent, &members);
        assert_partial_record(stream, some, &self::record(some, &sent));
    }
}

fn record(columns: &Columns, sent: &[(&str, &str)]) -> Vec<u8> {
    let mut record = Vec::new();
    columns.write(sent.iter().copied(), &DERIVED, &mut record);
    record
}

fn assert_partial_record(stream: &Stream, columns: &Columns, record: &[u8]) {
    let members = assert_record(stream, columns, record);
    assert_eq!(members.value("subject"), None);
    let body = members.value("body").filter(|body| body.starts_with('{')).map(crate::json::Members::parse);
    assert!(body.is_none_or(|body| body.value("content").is_none()));
}
