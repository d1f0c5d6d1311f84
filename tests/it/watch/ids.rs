//! The ids of failed requests, which Microsoft's support asks for.

use graph_sim::{Class, Fault, Rule};

use crate::support::{Tap, config, everything, tenant};

/// The id after this name in a message.
fn id<'m>(message: &'m str, name: &str) -> &'m str {
    let (_, rest) = message.split_once(&format!("{name} ")).unwrap_or_else(|| panic!("no {name}: {message}"));
    &rest[..36]
}

#[test]
fn a_failure_has_the_client_request_id_of_its_last_attempt_once() {
    for (fault, has_response) in [(Fault::status(503), true), (Fault::status(403), true), (Fault::Reset, false)] {
        let sim = tenant(1, 1, 2);
        sim.inject(Rule::new(fault).class(Class::Members));
        let output = Tap::new(&config(&sim, everything())).read(&["members"]);
        assert_eq!(output.status, Some(1));
        let (_, _, message) = output.errors()[0];
        let journal = sim.journal();
        let last = journal.entries_of(Class::Members).next_back().unwrap();
        assert_eq!(Some(id(message, "client-request-id")), last.client_request_id.as_deref(), "{message}");
        assert_eq!(message.matches("client-request-id").count(), 1, "{message}");
        // Graph's own id is next to it if there was a response.
        assert_eq!(message.matches("request-id").count(), if has_response { 2 } else { 1 }, "{message}");
        // It is also in the log, where the failure occurred.
        let warnings = output.logs("WARN");
        assert_eq!(warnings.iter().filter(|line| line.contains("client-request-id")).count(), 1, "{warnings:?}");
    }
}

#[test]
fn a_retry_is_logged_with_its_ids_at_the_level_debug() {
    let sim = tenant(1, 1, 2);
    sim.inject(Rule::new(Fault::status(503)).class(Class::Channels).times(1));
    let output = Tap::new(&config(&sim, everything())).sync(&["--debug"]);
    let retries: Vec<_> = output.logged("DEBUG").into_iter().filter(|line| line.contains("retrying in")).collect();
    let journal = sim.journal();
    let refused = journal.entries_of(Class::Channels).next().unwrap();
    assert_eq!(retries.len(), 1, "{}", output.stderr);
    assert_eq!(Some(id(retries[0], "client-request-id")), refused.client_request_id.as_deref());
    assert!(!output.logged("INFO").iter().any(|line| line.contains("request-id")));
}
