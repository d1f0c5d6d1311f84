//! The body of a page: a list or one object, from its bytes to the records of every stream.

use std::sync::LazyLock;

use tap_microsoft_teams::{
    graph::{Item, Page, Replacements, fuzzing},
    record::{Columns, instant},
    streams::{PerStream, Read, Stream},
};

use crate::{
    json::{can_be_held, is_json},
    place::{assert_leads_to_graph, host, now},
    record::{DELETED_AT, DERIVED, assert_is_record, assert_nothing_is_lost},
};

/// Some of each stream's columns, and one more: as a catalog may ask for.
static SOME: LazyLock<PerStream<Columns>> = LazyLock::new(|| {
    let left_out = [["subject"].as_slice(), &["body", "content"], &["createdDateTime"], &["_additional_properties"]];
    PerStream::from_fn(|stream| stream.columns().clone().with_deletion_time(DELETED_AT).selecting(|path| !left_out.contains(&path)))
});

pub(crate) fn page(body: &[u8]) {
    assert_decodes(body);
    for is_list in [true, false] {
        if let Ok(page) = fuzzing::page(body, is_list, host(), now()) {
            assert_is_page(&page);
        }
    }
}

/// What is decoded needs no more of it, and what was no JSON has not become any.
fn assert_decodes(body: &[u8]) {
    let Some((text, _)) = fuzzing::decode(body) else { return };
    assert_eq!(fuzzing::decode(text.as_bytes()), Some((text.clone(), Replacements::default())));
    if let Ok(before) = str::from_utf8(body) {
        assert_eq!(is_json(&text), is_json(before), "{before:?} became {text:?}");
    }
    assert!(!is_json(&text) || can_be_held(&text), "{text}");
}

fn assert_is_page(page: &Page) {
    page.next().into_iter().chain(page.delta()).for_each(assert_leads_to_graph);
    for item in page.items() {
        item.replies_next().into_iter().for_each(assert_leads_to_graph);
        assert_is_item(item);
        item.replies().for_each(assert_is_item);
    }
}

fn assert_is_item(item: Item<'_>) {
    item.times().for_each(|time| _ = instant(&time));
    let Some(id) = item.id().filter(|_| !item.is_damaged()) else { return };
    let sent: Vec<_> = item.fields().collect();
    // Rows of a report come from a file, and have no id.
    let has_pages = |(stream, _): &(&Stream, &Columns)| !matches!(stream.read, Read::Report(_));
    for (stream, some) in Stream::all().zip(SOME.values()).filter(has_pages) {
        let record = record(stream.columns(), &sent);
        let members = assert_is_record(stream, stream.columns(), &record);
        assert_eq!(members.value("id").map(|id| serde_json::from_str::<String>(id).expect("a string")).as_deref(), Some(&*id));
        assert_nothing_is_lost(stream.columns(), &sent, &members);
        assert_is_part(stream, some, &self::record(some, &sent));
    }
}

fn record(columns: &Columns, sent: &[(&str, &str)]) -> Vec<u8> {
    let mut record = Vec::new();
    columns.write(sent.iter().copied(), &DERIVED, &mut record);
    record
}

fn assert_is_part(stream: &Stream, columns: &Columns, record: &[u8]) {
    let members = assert_is_record(stream, columns, record);
    assert_eq!(members.value("subject"), None);
    let body = members.value("body").filter(|body| body.starts_with('{')).map(crate::json::Members::of);
    assert!(body.is_none_or(|body| body.value("content").is_none()));
}
