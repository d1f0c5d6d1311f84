//! Each key is emitted at most once per run, because consumers differ in which of two versions they keep, and some keep both.

use std::time::Duration;

use graph_sim::{Class, DeltaDeletes, PageKind};
use serde_json::json;

use super::{BOTH, HOUR, MESSAGES, REPLIES, Reader, reader};

/// Edits the newest root once, during the request for the n-th page of messages.
fn edit_during(reader: &Reader, page: u64) {
    let mut newest = reader.roots().into_iter().next();
    reader.sim.on_request(move |request, tenant| {
        if request.class == Class::Messages
            && request.class_number == page
            && let Some(root) = newest.take()
        {
            tenant.clock().advance(Duration::from_secs(1));
            tenant.edit(&root, "edited after it was emitted").unwrap();
        }
        None
    });
}

#[test]
fn a_root_edited_after_it_was_emitted_is_emitted_by_the_next_run() {
    for protocol in BOTH {
        for streams in [&[MESSAGES, REPLIES][..], &[MESSAGES]] {
            for full_refresh in [false, true] {
                let mut reader = reader(36).with_protocol(protocol).streams(streams).with(json!({"top": 6}));
                let newest = reader.roots().swap_remove(0);
                reader.full_refresh = full_refresh;
                edit_during(&reader, 2);
                assert!(reader.read().emits(&newest));
                reader.sim.clear_hook();
                reader.full_refresh = false;
                reader.later(HOUR);
                let second = reader.read();
                assert!(second.emits(&newest));
                assert_eq!(second.message_requests(), 1, "the top of the channel is enough");
                reader.assert_complete();
                reader.later(HOUR);
                reader.read();
                reader.later(HOUR);
                assert_eq!(reader.read().emitted_total(), 0);
            }
        }
    }
}

#[test]
fn a_stopped_run_leaves_held_back_versions_to_the_next_run() {
    // The closing pass finds the edits; the run ends before its first page, or at one of its pages.
    for page in [7, 8, 9] {
        let mut reader = reader(36).with(json!({"top": 6, "max_pages_per_batch": 1}));
        let mut edits: Vec<_> = reader.roots().into_iter().take(12).collect();
        reader.sim.on_request(move |request, tenant| {
            if request.class == Class::Messages && request.page == PageKind::Next {
                for root in edits.drain(..) {
                    tenant.clock().advance(Duration::from_secs(1));
                    tenant.edit(&root, "edited after it was emitted").unwrap();
                }
            }
            None
        });
        assert_eq!(reader.fail_at(page).emitted(MESSAGES), 36);
        reader.sim.clear_hook();
        for _ in 0..2 {
            reader.later(HOUR);
            reader.read();
        }
        reader.assert_complete();
    }
}

#[test]
fn a_root_that_differs_between_delta_and_walk_is_emitted_by_the_next_run() {
    for protocol in BOTH {
        let mut reader = reader(24).with_protocol(protocol);
        reader.start_delta();
        let root = reader.roots().swap_remove(3);
        reader.edit(&root, "before the run");
        reader.later(HOUR);
        let mut unread = Some(root.clone());
        reader.sim.on_request(move |request, tenant| {
            if request.class == Class::Delta
                && let Some(root) = unread.take()
            {
                tenant.edit(&root, "between the walk and delta").unwrap();
            }
            None
        });
        assert!(reader.read().emits(&root));
        reader.sim.clear_hook();
        reader.later(HOUR);
        assert!(reader.read().emits(&root));
        reader.assert_complete();
        reader.later(HOUR);
        assert_eq!(reader.read().emitted_total(), 0);
    }
}

#[test]
fn a_deletion_that_delta_reports_as_restorable_holds_nothing_back() {
    for protocol in BOTH {
        let mut reader = reader(24).with_protocol(protocol);
        reader.start_delta();
        reader.sim.switches(|switches| switches.delta.reports_deletes = DeltaDeletes::Removed);
        let deleted = reader.roots().swap_remove(3);
        reader.sim.with_tenant(|tenant| tenant.delete(&deleted)).unwrap();
        reader.later(Duration::from_secs(60));
        // The second run repeats it because it is within the lookback of the first.
        for emits in [true, true, false] {
            assert_eq!(reader.read().emits(&deleted), emits);
            reader.later(HOUR);
        }
        let row = &reader.rows[MESSAGES][&vec![deleted.channel.clone(), deleted.id_text()]];
        assert!(row["deletedDateTime"] != "null" && row["is_removed"] == "null", "{row:?}");
    }
}
