//! The command line without a network: help, wrong usage, what a configuration lacks.

use serde_json::json;

use crate::support::Tap;

#[test]
fn a_configuration_that_lacks_something_says_all_that_it_lacks() {
    let tap = Tap::new(&json!({"client_id": "c"}));
    let check = tap.check();
    assert_eq!(check.status, Some(0));
    let status = &check.only("CONNECTION_STATUS")["connectionStatus"];
    assert_eq!((&status["status"], &status["message"]), (&json!("FAILED"), &json!("missing: `tenant_id`, `client_secret`")));
    for output in [tap.discover(), tap.read(&["teams"])] {
        assert_eq!(output.status, Some(1));
        assert_eq!(output.errors(), [("config_error", "", "missing: `tenant_id`, `client_secret`")]);
    }
}

#[test]
fn wrong_usage_is_two() {
    let tap = Tap::new(&json!({}));
    for arguments in [&[][..], &["read"], &["check", "--nothing"], &["frobnicate"]] {
        let output = tap.run(arguments);
        assert_eq!(output.status, Some(2), "{arguments:?}");
        assert!(output.messages.is_empty() && !output.stderr.is_empty());
    }
}

#[test]
fn help_reads_well() {
    let text = |arguments: &[&str]| String::from_utf8(Tap::new(&json!({})).command().args(arguments).output().unwrap().stdout).unwrap();
    insta::assert_snapshot!("help", text(&["--help"]));
    insta::assert_snapshot!("help_read", text(&["read", "--help"]));
}
