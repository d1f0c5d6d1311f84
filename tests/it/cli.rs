//! The command line without a network: spec, discover, help, wrong usage.

use serde_json::json;

use crate::support::Tap;

#[test]
fn spec_needs_no_file_and_no_network() {
    let output = Tap::new(&json!({})).spec();
    assert_eq!(output.status, Some(0));
    assert_eq!(output.messages.len(), 1);
    let spec = &output.only("SPEC")["spec"]["connectionSpecification"];
    assert_eq!(spec["required"], json!(["tenant_id", "client_id", "client_secret"]));
    assert_eq!(spec["properties"]["client_secret"]["airbyte_secret"], true);
}

#[test]
fn discover_tells_five_streams() {
    let output = Tap::new(&json!({"tenant_id": "t", "client_id": "c", "client_secret": "s"})).discover();
    assert_eq!(output.status, Some(0));
    let names: Vec<_> =
        output.only("CATALOG")["catalog"]["streams"].as_array().unwrap().iter().map(|stream| stream["name"].clone()).collect();
    assert_eq!(names, ["teams", "channels", "members", "messages", "message_replies"]);
}

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
