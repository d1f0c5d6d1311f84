//! `sample-config`: its output is a valid configuration.

use serde_json::json;
use tap_microsoft_teams::config::{Audience, SETTINGS};

use crate::support::Tap;

/// The output of the command.
fn sample() -> String {
    let finished = Tap::new(&json!({})).execute(&["sample-config"], &[]);
    assert_eq!((finished.status, finished.stderr.as_str()), (Some(0), ""));
    finished.stdout
}

#[test]
fn a_sample_has_every_option_with_its_description() {
    let json = sample();
    for setting in SETTINGS.iter().filter(|setting| setting.audience != Audience::Developer) {
        assert!(json.contains(&format!("\"{}\": ", setting.name)), "{}", setting.name);
    }
    insta::assert_snapshot!("sample_json", json);
}

#[test]
fn a_sample_is_valid_with_and_without_its_comments() {
    let tap = Tap::new(&json!({}));
    let json = sample();
    let on = json.replace("  // \"", "  \"");
    // Either the secret or the file that contains it.
    let on: String = on.lines().filter(|line| !line.contains("\"client_secret_file\"")).map(|line| format!("{line}\n")).collect();
    for text in [json, on] {
        tap.file("config.json", &text);
        let output = tap.discover();
        assert_eq!(output.status, Some(0), "{text}\n{:?}", output.messages);
    }
}
