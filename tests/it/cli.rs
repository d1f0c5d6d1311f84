//! The command line without a network: help, usage errors, missing options.

use serde_json::json;

use crate::support::Tap;

#[test]
fn all_missing_options_are_reported_together() {
    let tap = Tap::new(&json!({"client_id": "c"}));
    let check = tap.check();
    assert_eq!(check.status, Some(0));
    let status = &check.only("CONNECTION_STATUS")["connectionStatus"];
    assert_eq!(
        (&status["status"], &status["message"]),
        (&json!("FAILED"), &json!("missing required options: `tenant_id`, `client_secret`"))
    );
    for output in [tap.discover(), tap.read(&["teams"])] {
        assert_eq!(output.status, Some(1));
        assert_eq!(output.errors(), [("config_error", "", "missing required options: `tenant_id`, `client_secret`")]);
    }
}

#[test]
fn a_missing_option_that_is_set_in_the_environment_has_a_hint() {
    let tap = Tap::new(&json!({"tenant_id": "contoso.com", "client_id": "c"}));
    let reported = |environment: &[(&str, &str)]| tap.execute(&["plan", "--config", "config.json"], environment).stderr;
    assert_eq!(
        reported(&[("TAP_MICROSOFT_TEAMS_CLIENT_SECRET", "hidden-5ecret")]),
        "CRITICAL missing required option: `client_secret`; \
         hint: add `--config ENV` to use TAP_MICROSOFT_TEAMS_CLIENT_SECRET from the environment\n"
    );
    assert!(reported(&[("TAP_MICROSOFT_TEAMS_CLIENT_SECRET_FILE", "/run/secret")]).contains("TAP_MICROSOFT_TEAMS_CLIENT_SECRET_FILE"));
    assert_eq!(reported(&[("TAP_MICROSOFT_TEAMS_TEAM_ID", "1")]), "CRITICAL missing required option: `client_secret`\n");
    let extract = ["extract", "--config", "config.json", "--stream", "teams"];
    assert!(tap.execute(&extract, &[("TAP_MICROSOFT_TEAMS_CLIENT_SECRET", "hidden-5ecret")]).stderr.contains("--config ENV"));
}

#[test]
fn wrong_usage_exits_with_two() {
    let tap = Tap::new(&json!({}));
    for arguments in [&[][..], &["read"], &["check", "--nothing"], &["frobnicate"]] {
        let output = tap.run(arguments);
        assert_eq!(output.status, Some(2), "{arguments:?}");
        assert!(output.messages.is_empty() && !output.stderr.is_empty());
    }
}

#[test]
fn help_is_as_expected() {
    let text = |arguments: &[&str]| String::from_utf8(Tap::new(&json!({})).command().args(arguments).output().unwrap().stdout).unwrap();
    insta::assert_snapshot!("help", text(&["--help"]));
    insta::assert_snapshot!("help_read", text(&["read", "--help"]));
}
