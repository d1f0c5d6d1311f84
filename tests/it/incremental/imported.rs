//! Channels into which an older history is imported (migration mode) after they were read.

use std::time::Duration;

use graph_sim::Post;
use serde_json::{Value, json};

use super::{BOTH, DAY, HOUR, MESSAGES, REPLIES, Reader, reader};

/// An import: messages appear with old times, below all existing ones.
fn import(reader: &Reader, text: &str) {
    let channel = reader.channel();
    reader.sim.with_tenant(|tenant| {
        for days in [900, 800, 700] {
            let root = tenant.ago(DAY * days, |tenant| tenant.post(&channel, Post::text(text))).unwrap();
            tenant.ago(DAY * days - HOUR, |tenant| tenant.reply(&root, Post::text(text))).unwrap();
        }
    });
}

fn set(reader: &Reader, mode: &str, created: Value) {
    let channel = reader.channel();
    reader.sim.with_tenant(|tenant| {
        tenant.set_channel_property(&channel, "migrationMode", json!(mode)).unwrap();
        tenant.set_channel_property(&channel, "originalCreatedDateTime", created).unwrap();
    });
}

#[test]
fn an_imported_history_is_read_once() {
    for protocol in BOTH {
        for streams in [&[MESSAGES, REPLIES][..], &[MESSAGES]] {
            let mut reader = reader(30).with_protocol(protocol).streams(streams);
            reader.start_delta();
            import(&reader, "imported");
            set(&reader, "completed", json!("2019-05-01T00:00:00Z"));
            let run = reader.read();
            assert_eq!(run.emitted(MESSAGES), 33);
            let sentence = "; reading the whole channel again";
            let logged = run.output.all("LOG").any(|log| log["log"]["message"].to_string().contains(sentence));
            assert!(logged || run.output.stderr.contains(sentence));
            reader.assert_complete();
            for _ in 0..2 {
                reader.later(HOUR);
                reader.read();
            }
            reader.later(HOUR);
            assert_eq!(reader.read().emitted_total(), 0, "once");
            import(&reader, "imported again");
            set(&reader, "inProgress", json!("2019-05-01T00:00:00Z"));
            reader.later(Duration::from_secs(60));
            reader.read();
            reader.assert_complete();
        }
    }
}

#[test]
fn a_channel_that_was_imported_before_its_first_run_is_read_once() {
    let mut reader = reader(30);
    import(&reader, "imported");
    set(&reader, "completed", json!("2019-05-01T00:00:00Z"));
    reader.read();
    reader.assert_complete();
    reader.later(HOUR);
    reader.read();
    reader.later(HOUR);
    assert_eq!(reader.read().emitted_total(), 0);
}
