//! What Microsoft's support asks for: the ids of the request that failed.

use graph_sim::{Class, Fault, Rule};

use crate::support::{Tap, config, everything, tenant};

/// The part of a sentence behind a word, up to the end of the id.
fn id<'s>(sentence: &'s str, name: &str) -> &'s str {
    let (_, behind) = sentence.split_once(&format!("{name} ")).unwrap_or_else(|| panic!("no {name}: {sentence}"));
    &behind[..36]
}

#[test]
fn a_failure_has_the_client_request_id_of_its_last_attempt_once() {
    for (fault, has_answer) in [(Fault::status(503), true), (Fault::status(403), true), (Fault::Reset, false)] {
        let sim = tenant(1, 1, 2);
        sim.inject(Rule::new(fault).class(Class::Members));
        let output = Tap::new(&config(&sim, everything())).read(&["members"]);
        assert_eq!(output.status, Some(1));
        let (_, _, sentence) = output.errors()[0];
        let journal = sim.journal();
        let last = journal.entries_of(Class::Members).next_back().unwrap();
        assert_eq!(Some(id(sentence, "client-request-id")), last.client_request_id.as_deref(), "{sentence}");
        assert_eq!(sentence.matches("client-request-id").count(), 1, "{sentence}");
        // Graph's own id stands beside it, where there was an answer.
        assert_eq!(sentence.matches("request-id").count(), if has_answer { 2 } else { 1 }, "{sentence}");
        // And in the log, where the failure was met.
        let warnings = output.logs("WARN");
        assert_eq!(warnings.iter().filter(|line| line.contains("client-request-id")).count(), 1, "{warnings:?}");
    }
}

#[test]
fn what_is_tried_again_says_its_ids_at_the_level_of_details() {
    let sim = tenant(1, 1, 2);
    sim.inject(Rule::new(Fault::status(503)).class(Class::Channels).times(1));
    let output = Tap::new(&config(&sim, everything())).sync(&["--debug"]);
    let again: Vec<_> = output.logged("DEBUG").into_iter().filter(|line| line.contains("retrying in")).collect();
    let journal = sim.journal();
    let refused = journal.entries_of(Class::Channels).next().unwrap();
    assert_eq!(again.len(), 1, "{}", output.stderr);
    assert_eq!(Some(id(again[0], "client-request-id")), refused.client_request_id.as_deref());
    assert!(!output.logged("INFO").iter().any(|line| line.contains("request-id")));
}
