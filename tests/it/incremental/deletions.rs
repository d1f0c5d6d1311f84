//! Deletions: the walk finds them if they move their thread, otherwise delta does.

use graph_sim::{DeltaDeletes, DeltaSupport, MessageRef};
use serde_json::{Value, json};

use super::{BOTH, DAY, HOUR, MESSAGES, REPLIES, Reader, reader};
use crate::support::Protocol;

/// The selections that use delta, with one protocol each.
const SELECTIONS: [(&[&str], Protocol); 2] = [(&[MESSAGES, REPLIES], Protocol::Airbyte), (&[MESSAGES], Protocol::Singer)];

/// A reader with delta, of a tenant whose deletions move nothing; and messages that are not older than the filter of delta.
fn quiet(streams: &[&'static str], protocol: Protocol) -> (Reader, [MessageRef; 2]) {
    let mut reader = reader(40).streams(streams).with_protocol(protocol);
    reader.sim.switches(|switches| {
        switches.delete_moves_chain = false;
        switches.delete_modifies = false;
    });
    for _ in 0..2 {
        reader.read();
        reader.later(HOUR);
    }
    let recent = ["one", "another"].map(|text| reader.post(text));
    reader.later(HOUR / 60);
    for root in reader.roots().iter().skip(2).take(30) {
        reader.edit(root, "stands above them");
    }
    reader.later(HOUR);
    reader.read();
    reader.later(HOUR);
    (reader, recent)
}

fn delete(reader: &Reader, message: &MessageRef) {
    reader.sim.with_tenant(|tenant| tenant.delete(message)).unwrap();
}

#[test]
fn a_deletion_that_moves_its_chain_is_emitted_whatever_is_selected() {
    let cases = [
        (Protocol::Airbyte, &[MESSAGES, REPLIES][..], true),
        (Protocol::Singer, &[MESSAGES, REPLIES], false),
        (Protocol::Singer, &[MESSAGES], true),
        (Protocol::Airbyte, &[REPLIES], true),
    ];
    for (protocol, streams, use_delta_api) in cases {
        let mut reader = reader(45).with_protocol(protocol).streams(streams).with(json!({"use_delta_api": use_delta_api}));
        for _ in 0..2 {
            reader.read();
            reader.later(HOUR);
        }
        let roots = reader.roots();
        let replied = roots.iter().rev().find(|root| !reader.sim.read_tenant(|tenant| tenant.replies(root).is_empty())).unwrap();
        let reply = reader.sim.read_tenant(|tenant| tenant.replies(replied)).swap_remove(0);
        delete(&reader, &roots[40]);
        delete(&reader, &reply);
        let run = reader.read();
        // Delta returns the root of a reply too.
        assert!((streams.len()..=streams.len() + 1).contains(&run.emitted_total()), "{streams:?}: {:?}", run.output.counts());
        reader.assert_complete();
    }
}

#[test]
fn a_deletion_that_moves_nothing_is_found_by_delta() {
    for (streams, protocol) in SELECTIONS {
        let (mut reader, [deleted, _]) = quiet(streams, protocol);
        delete(&reader, &deleted);
        let run = reader.read();
        assert_eq!((run.emitted_total(), run.emits(&deleted)), (1, true));
        reader.assert_complete();
        reader.later(HOUR);
        assert_eq!(reader.read().emitted_total(), 0);
    }
}

#[test]
fn a_deletion_that_only_delta_reports_waits_while_delta_is_refused() {
    for protocol in BOTH {
        let (mut reader, [deleted, _]) = quiet(&[MESSAGES, REPLIES], protocol);
        let channel = reader.channel();
        reader.sim.with_tenant(|tenant| tenant.set_delta_support(&channel, DeltaSupport::NotSupported)).unwrap();
        delete(&reader, &deleted);
        assert!(!reader.read().emits(&deleted));
        reader.later(DAY);
        reader.sim.with_tenant(|tenant| tenant.set_delta_support(&channel, DeltaSupport::Supported)).unwrap();
        assert!(reader.read().emits(&deleted));
        reader.assert_complete();
    }
}

/// The row of a message in the destination.
fn row(reader: &Reader, message: &MessageRef) -> Vec<(String, String)> {
    let row = &reader.rows[MESSAGES][&vec![message.channel.clone(), message.id_text()]];
    row.iter().filter(|(_, value)| *value != "null").map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[test]
fn a_message_removed_in_delta_is_marked_as_deleted_and_otherwise_empty() {
    for (streams, protocol) in SELECTIONS {
        let (mut reader, [removed, deleted]) = quiet(streams, protocol);
        reader.sim.switches(|switches| {
            switches.delta.reports_deletes = DeltaDeletes::Removed;
            switches.delta.reports_removals = true;
        });
        reader.sim.with_tenant(|tenant| tenant.remove(&removed)).unwrap();
        delete(&reader, &deleted);
        let now = reader.sim.clock().now();
        let run = reader.read();
        assert_eq!(run.emitted_total(), 2);
        for message in [&removed, &deleted] {
            let text = |value: &str| Value::from(value).to_string();
            let expected = [
                ("channel_id", text(&message.channel)),
                ("id", text(&message.id_text())),
                ("is_removed", "true".to_owned()),
                ("lastModifiedDateTime", text(&format!("{}.000000Z", &now.to_string()[..19]))),
                ("team_id", text(&message.team)),
            ];
            assert_eq!(row(&reader, message), expected.map(|(name, value)| (name.to_owned(), value)));
        }
        reader.later(HOUR);
        assert_eq!(reader.read().emitted_total(), 0);
        // The one that was only deleted may be restored.
        reader.sim.with_tenant(|tenant| tenant.undelete(&deleted)).unwrap();
        reader.read();
        assert!(row(&reader, &deleted).iter().all(|(name, _)| name != "is_removed"));
    }
}
