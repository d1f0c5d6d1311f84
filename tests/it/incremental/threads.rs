//! Threads that are longer than the expanded replies, and configured threads.

use std::time::Duration;

use graph_sim::{Class, Fault, MessageRef, Options, Post, RetryAfter, Rule};
use serde_json::json;

use super::{BOTH, DAY, HOUR, MESSAGES, REPLIES, Reader, reader, spec};

/// The number of expanded replies per thread.
const INLINE: usize = 150;

/// A reader of a channel whose top thread has this many replies beyond the expanded ones: few enough to follow the link, ten per page.
fn with_long_thread(more: usize) -> (Reader, MessageRef) {
    let reader = Reader::new(Options::new(spec(1, 30)).manual_clock()).with(json!({"use_delta_api": false, "top": 20}));
    reader.sim.switches(|switches| {
        switches.inline_replies = INLINE;
        switches.replies_page = 10;
    });
    let root = reader.post("a long thread");
    for number in 0..INLINE + more {
        reader.later(Duration::from_secs(1));
        reader.reply(&root, &format!("reply {number}"));
    }
    (reader, root)
}

#[test]
fn a_long_thread_hides_nothing_that_moves_while_it_is_read() {
    for protocol in BOTH {
        let (reader, root) = with_long_thread(40);
        let mut reader = reader.with_protocol(protocol);
        let mut unread = reader.roots();
        reader.sim.on_request(move |request, tenant| {
            if request.class == Class::Replies && unread.len() > 20 {
                tenant.clock().advance(Duration::from_secs(60));
                tenant.reply(&unread.pop().unwrap(), Post::text("meanwhile")).unwrap();
                tenant.reply(&root, Post::text("the long thread continues")).unwrap();
            }
            None
        });
        let run = reader.read();
        assert!(run.request_count(Class::Replies) >= 7);
        reader.later(HOUR);
        reader.sim.clear_hook();
        // Changes after the page of the last pass are emitted now.
        reader.read();
        reader.assert_complete();
        reader.later(HOUR);
        assert_eq!(reader.read().emitted_total(), 0);
    }
}

#[test]
fn changes_in_a_long_thread_while_it_is_read_are_emitted_by_the_next_run() {
    for protocol in BOTH {
        let (reader, root) = with_long_thread(30);
        let mut reader = reader.with_protocol(protocol).with(json!({"lookback_seconds": 0}));
        let hidden = reader.sim.read_tenant(|tenant| tenant.replies(&root));
        let (read_first, read_last) = (hidden[29].clone(), hidden[0].clone());
        reader.later(HOUR);
        reader.sim.on_request(move |request, tenant| {
            if request.class == Class::Replies && request.class_number == 3 {
                tenant.edit(&read_first, "after it was read").unwrap();
                tenant.clock().advance(HOUR / 3);
                tenant.edit(&read_last, "before it is read, and newer").unwrap();
                tenant.clock().advance(HOUR / 3);
            }
            None
        });
        let run = reader.read();
        // The last pass found nothing new and repeated nothing.
        assert_eq!((run.request_count(Class::Messages), run.request_count(Class::Replies)), (3, 3));
        reader.sim.clear_hook();
        reader.later(HOUR);
        let run = reader.read();
        assert!(run.emits(&hidden[29]));
        reader.assert_complete();
        // Everything on its page is known as of the last pass.
        assert_eq!(run.emitted(MESSAGES), 0);
    }
}

#[test]
fn a_thread_read_by_a_resumed_pass_is_not_repeated_by_the_next_run() {
    for protocol in BOTH {
        let (reader, _) = with_long_thread(30);
        let mut reader = reader.with_protocol(protocol);
        reader.sim.on_request(|request, _| match (request.class, request.class_number) {
            (Class::Messages, 1) => Some(Fault::EmptyPage),
            (Class::Messages, 2) => Some(Fault::throttled(RetryAfter::Seconds(7200))),
            _ => None,
        });
        assert_ne!(reader.run().output.status, Some(0));
        reader.sim.clear_hook();
        let walk = &reader.state(REPLIES, &reader.channel())["walk"];
        assert!(walk["link"].is_string() && walk["head"].is_null(), "{walk}");
        reader.later(DAY);
        reader.read();
        reader.assert_complete();
        reader.later(HOUR);
        assert_eq!(reader.read().emitted_total(), 0);
    }
}

#[test]
fn a_very_long_thread_is_read_by_its_list_and_emitted_once() {
    for protocol in BOTH {
        let (reader, _) = with_long_thread(140);
        let mut reader = reader.with_protocol(protocol);
        reader.later(HOUR);
        let run = reader.read();
        // Following the link would take 14.
        assert_eq!(run.request_count(Class::Replies) as usize, 2 + (INLINE + 140).div_ceil(50));
        reader.assert_complete();
    }
}

#[test]
fn a_thread_longer_than_estimated_is_continued_by_its_list() {
    let (mut reader, root) = with_long_thread(100);
    for _ in 0..INLINE {
        reader.later(HOUR);
        reader.reply(&root, "after a long time");
    }
    let run = reader.read();
    // Four with the link, then the list from its beginning.
    assert_eq!(run.request_count(Class::Replies) as usize, 4 + (INLINE + 100 + INLINE).div_ceil(50));
    reader.assert_complete();
}

#[test]
fn an_expired_link_of_a_thread_restarts_the_thread() {
    for at in [1, 3] {
        let (mut reader, _) = with_long_thread(30);
        reader.sim.on_request(move |request, tenant| {
            if request.class == Class::Replies && request.class_number == at {
                tenant.expire_links();
            }
            None
        });
        let run = reader.read();
        assert_eq!(run.journal.count_status(Class::Replies, 400), 1);
        reader.assert_complete();
    }
}

#[test]
fn a_thread_removed_while_it_is_read_ends_nothing() {
    for protocol in BOTH {
        for at in [1, 3] {
            let (reader, root) = with_long_thread(30);
            let mut reader = reader.with_protocol(protocol);
            let removed = root.clone();
            reader.sim.on_request(move |request, tenant| {
                if request.class == Class::Replies && request.class_number == at {
                    tenant.remove(&removed).unwrap();
                }
                None
            });
            reader.read();
            // Its records stay: hard removals are not reported.
            reader.rows.get_mut(MESSAGES).unwrap().retain(|key, _| key[1] != root.id_text());
            let parent = json!(root.id_text()).to_string();
            reader.rows.get_mut(REPLIES).unwrap().retain(|_, row| row["parent_message_id"] != parent);
            reader.assert_complete();
        }
    }
}

#[test]
fn a_thread_that_graph_does_not_return_stops_nothing_else() {
    let (mut reader, root) = with_long_thread(30);
    // Neither with its link nor from its beginning.
    reader.sim.inject(Rule::new(Fault::status(400)).class(Class::Replies).message(&root.id_text()));
    reader.later(HOUR);
    let run = reader.run();
    reader.sim.clear_faults();
    assert_eq!(run.output.status, Some(1), "something is missing");
    assert!(run.warnings(&root.id_text()).len() == 1, "{:?}", run.warnings(""));
    let channel = reader.channel();
    assert!(reader.state(REPLIES, &channel)["readAt"].is_number(), "the channel was read");
    // The thread is emitted when it changes.
    reader.reply(&root, "once more");
    reader.later(HOUR);
    reader.set(json!({"lookback_seconds": 8000}));
    reader.read();
    reader.assert_complete();
}

#[test]
fn a_long_thread_is_emitted_once_and_then_only_its_changes() {
    let (mut reader, root) = with_long_thread(30);
    reader.later(HOUR);
    reader.read();
    reader.later(HOUR);
    let oldest = reader.sim.read_tenant(|tenant| tenant.replies(&root)).swap_remove(0);
    reader.edit(&oldest, "the oldest one is edited");
    reader.reply(&root, "new");
    let run = reader.read();
    assert_eq!((run.emitted(MESSAGES), run.emitted(REPLIES)), (0, 2));
    reader.assert_complete();
}

#[test]
fn configured_threads_can_be_extended_to_all_threads() {
    for protocol in BOTH {
        let mut reader = reader(24).with_protocol(protocol).streams(&[REPLIES]);
        let threads: Vec<_> = reader.sim.read_tenant(|tenant| {
            let roots = tenant.roots(&tenant.all_channel_ids()[0]);
            roots.into_iter().filter(|root| !tenant.replies(root).is_empty()).collect()
        });
        let (one, other) = (&threads[3], &threads[7]);
        let count = |reader: &Reader, root: &MessageRef| reader.sim.read_tenant(|tenant| tenant.replies(root).len());
        let (of_one, of_other) = (count(&reader, one), count(&reader, other));

        reader.set(json!({"fetch_all_messages": false, "message_id": one.id_text()}));
        let run = reader.read();
        assert_eq!((run.emitted(REPLIES), run.request_count(Class::Messages)), (of_one, 0));
        reader.later(HOUR);
        assert_eq!(reader.read().emitted(REPLIES), 0);

        reader.set(json!({"message_id": format!("{},{}", one.id_text(), other.id_text())}));
        let new = reader.reply(one, "new in the one that is known");
        reader.later(HOUR);
        let run = reader.read();
        assert_eq!((run.emitted(REPLIES), run.emits(&new)), (of_other + 1, true));
        reader.later(HOUR);
        assert_eq!(reader.read().emitted(REPLIES), 0);

        // All of them, because the channel itself was never read.
        reader.set(json!({"fetch_all_messages": true}));
        reader.later(DAY);
        reader.read();
        reader.assert_complete();
        reader.later(HOUR);
        assert_eq!(reader.read().emitted(REPLIES), 0);

        // With one thread again, it continues where that thread stopped.
        reader.set(json!({"fetch_all_messages": false, "message_id": one.id_text()}));
        let newer = reader.reply(one, "newer");
        reader.later(HOUR);
        let run = reader.read();
        assert_eq!((run.emitted(REPLIES), run.emits(&newer)), (1, true));
        reader.assert_complete();
    }
}

#[test]
fn a_configured_thread_resumes_from_its_link_or_restarts_when_it_expired() {
    for expires in [false, true] {
        let (reader, root) = with_long_thread(30);
        let mut reader = reader.streams(&[REPLIES]).with(json!({"fetch_all_messages": false, "message_id": root.id_text(), "top": 5}));
        let first = reader.run_until(|request| request.class == Class::Replies && request.class_number == 4, "TERM");
        assert_eq!(first.emitted(REPLIES), 15);
        if expires {
            reader.sim.with_tenant(|tenant| tenant.expire_links());
        }
        let new = reader.reply(&root, "meanwhile");
        reader.later(HOUR);
        reader.read();
        reader.later(HOUR);
        reader.read();
        assert_eq!(reader.rows[REPLIES].len(), INLINE + 31);
        assert!(reader.rows[REPLIES].contains_key(&vec![new.channel.clone(), new.id_text()]));
    }
}
