//! A complete read: the ids and contents of all five streams equal the simulated tenant.

use std::collections::BTreeMap;

use graph_sim::{Class, GraphSim, Options, Post, TenantSpec};

use crate::support::{ALL, Tap, config, everything, truth};

#[test]
fn all_streams_equal_the_truth_with_few_requests() {
    let sim = GraphSim::start(Options::new(TenantSpec::uniform(4, 4, 100))).unwrap();
    let output = Tap::new(&config(&sim, everything())).read(&ALL);
    assert_eq!(output.status, Some(0), "{:?}", output.errors());
    let truth = sim.truth();
    for stream in ALL {
        truth::assert_equal(stream, &output.table(stream), &truth::table(&truth, stream));
        assert_eq!(output.statuses(stream), ["STARTED", "RUNNING", "COMPLETE"]);
        assert_eq!(output.records(stream).count(), output.table(stream).len(), "{stream}: each key once");
    }
    assert_eq!(truth.messages.len(), 1600);
    let journal = sim.journal();
    let of_long_threads = journal.count(Class::Replies);
    assert!(journal.total() - of_long_threads <= 90, "{} requests", journal.total());
}

#[test]
fn nothing_is_missing_while_the_tenant_changes() {
    let sim = GraphSim::start(Options::new(TenantSpec::uniform(2, 2, 160)).manual_clock()).unwrap();
    let before = sim.truth();
    // Before each page of messages, old chains get replies and edits, and new ones start, so that chains move to the top during paging.
    let mut turn = 0_usize;
    sim.on_request(move |request, tenant| {
        if request.class == Class::Messages && turn < 60 {
            turn += 1;
            tenant.clock().advance(std::time::Duration::from_secs(1));
            let channel = request.channel().unwrap().to_owned();
            let roots = tenant.roots(&channel);
            let moved = &roots[(turn * 37) % roots.len()];
            tenant.reply(moved, Post::text("a late reply")).unwrap();
            tenant.edit(&roots[(turn * 53) % roots.len()], "edited meanwhile").unwrap();
            if let Some(reply) = tenant.replies(&roots[(turn * 71) % roots.len()]).first() {
                tenant.edit(reply, "edited reply").unwrap();
            }
            tenant.post(&channel, Post::text("a new root")).unwrap();
        }
        None
    });
    let output = Tap::new(&config(&sim, everything())).read(&ALL);
    assert_eq!(output.status, Some(0), "{:?}", output.errors());
    let (messages, replies) = (output.table("messages"), output.table("message_replies"));
    for (channel, id) in before.messages.keys() {
        assert!(messages.contains_key(&vec![channel.clone(), id.to_string()]), "root {id} of {channel} is missing");
    }
    for (channel, id) in before.replies.keys() {
        assert!(replies.contains_key(&vec![channel.clone(), id.to_string()]), "reply {id} in {channel} is missing");
    }
    // A message that was edited after it was emitted keeps its first version, because a run emits each key once.
    let after = sim.truth();
    for stream in ["messages", "message_replies"] {
        let (rows, truth) = (output.table(stream), truth::table(&after, stream));
        assert_eq!(output.records(stream).count(), rows.len(), "{stream}: each key once");
        assert!(rows.keys().eq(truth.keys()), "{stream}: all that there is");
        let modified = "lastModifiedDateTime";
        for (key, row) in rows.iter().filter(|(key, row)| row[modified] == truth[*key][modified]) {
            assert_eq!(row, &truth[key], "{stream} {key:?}");
        }
    }
}

#[test]
fn messages_and_replies_can_be_read_without_each_other() {
    let sim = GraphSim::start(Options::new(TenantSpec::uniform(2, 2, 60))).unwrap();
    let truth = sim.truth();
    let mut requests = BTreeMap::new();
    for stream in ["messages", "message_replies"] {
        sim.clear_journal();
        let output = Tap::new(&config(&sim, everything())).read(&[stream]);
        truth::assert_equal(stream, &output.table(stream), &truth::table(&truth, stream));
        assert!(output.messages.iter().all(|message| message["type"] != "RECORD" || message["record"]["stream"] == stream));
        requests.insert(stream, sim.journal().count(Class::Messages));
    }
    assert_eq!(requests["messages"], requests["message_replies"]);
    // Long threads are only completed for the stream of replies.
    sim.clear_journal();
    Tap::new(&config(&sim, everything())).read(&["messages"]);
    assert_eq!(sim.count(Class::Replies), 0);
}

#[test]
fn nothing_is_requested_that_no_selected_stream_needs() {
    let sim = GraphSim::start(Options::new(TenantSpec::uniform(2, 2, 10))).unwrap();
    Tap::new(&config(&sim, everything())).read(&["teams"]);
    let requested = |class| sim.count(class);
    assert_eq!((requested(Class::Channels), requested(Class::Members), requested(Class::Messages)), (0, 0, 0));
    sim.clear_journal();
    Tap::new(&config(&sim, everything())).read(&["channels"]);
    assert_eq!((requested(Class::Team), requested(Class::Members), requested(Class::Messages)), (0, 0, 0));
    sim.clear_journal();
    Tap::new(&config(&sim, everything())).read(&ALL);
    assert_eq!((requested(Class::Token), requested(Class::Groups), requested(Class::Channels)), (1, 1, 3), "no request is sent twice");
}
