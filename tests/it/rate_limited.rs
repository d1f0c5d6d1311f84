//! While Graph throttles a stream, each protocol reports it once per wait.

use graph_sim::{Class, Fault, GraphSim, RetryAfter, Rule};
use serde_json::{Value, json};

use crate::support::{Tap, config, everything, tenant};

/// Two channels whose first requests are all throttled for a little more than a second.
fn limited() -> GraphSim {
    let sim = tenant(1, 2, 10);
    let refused = Fault::status(429).retry_after(RetryAfter::Seconds(2));
    sim.inject(Rule::new(refused).class(Class::Messages).times(2));
    sim
}

#[test]
fn airbyte_gets_one_status_per_wait() {
    let sim = limited();
    let output = Tap::new(&config(&sim, everything())).read(&["messages", "message_replies", "members"]);
    assert_eq!(output.status, Some(0), "{}", output.stderr);
    for stream in ["messages", "message_replies"] {
        assert_eq!(output.statuses(stream), ["STARTED", "RUNNING", "COMPLETE"]);
        let statuses = output.messages.iter().map(|message| &message["trace"]);
        let reasons: Vec<&Value> = statuses
            .filter(|trace| trace["stream_status"]["stream_descriptor"]["name"] == stream)
            .filter(|trace| trace["stream_status"]["reasons"].is_array())
            .collect();
        assert_eq!(reasons.len(), 1);
        let (reported, reset) = (&reasons[0]["emitted_at"], &reasons[0]["stream_status"]["reasons"][0]["rate_limited"]["quota_reset"]);
        assert_eq!(reasons[0]["stream_status"]["reasons"], json!([{"type": "RATE_LIMITED", "rate_limited": {"quota_reset": reset}}]));
        let wait = reset.as_i64().unwrap() - reported.as_i64().unwrap();
        assert!((1000..=2000).contains(&wait), "{wait} ms");
    }
    assert_eq!(output.statuses("members"), ["STARTED", "RUNNING", "COMPLETE"]);
}

#[test]
fn singer_gets_one_log_line_per_wait() {
    let sim = limited();
    let output = Tap::new(&config(&sim, everything())).sync(&[]);
    assert_eq!(output.status, Some(0), "{}", output.stderr);
    let waits: Vec<_> = output.logged("INFO").into_iter().filter(|line| line.contains("throttled by Graph, waiting until 20")).collect();
    assert_eq!(waits.iter().map(|line| line.split(':').next().unwrap()).collect::<Vec<_>>(), ["messages", "message_replies"], "{waits:?}");
}
