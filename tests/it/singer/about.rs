//! `--about` in its formats.

use serde_json::{Value, json};
use tap_microsoft_teams::config::{Audience, SETTINGS};

use crate::support::Tap;

fn about(arguments: &[&str]) -> String {
    let finished = Tap::new(&json!({})).execute(&[&["--about"], arguments].concat(), &[]);
    assert_eq!((finished.status, finished.stderr.as_str()), (Some(0), ""));
    finished.stdout
}

#[test]
fn about_has_three_formats() {
    insta::with_settings!({filters => vec![(concat!("Version:? ", env!("CARGO_PKG_VERSION")), "Version <version>")]}, {
        insta::assert_snapshot!("about", about(&[]));
        insta::assert_snapshot!("about_markdown", about(&["--format=markdown"]));
    });
    assert_eq!(about(&[]), about(&["--format", "text"]));
    insta::with_settings!({filters => vec![(env!("CARGO_PKG_VERSION"), "<version>")]}, {
        insta::assert_snapshot!("about_json", about(&["--format=json"]));
    });
}

#[test]
fn about_in_json_has_the_keys_that_tools_need() {
    let about: Value = serde_json::from_str(&about(&["--format=json"])).unwrap();
    let keys: Vec<_> = about.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["name", "description", "version", "sdk_version", "supported_python_versions", "capabilities", "settings"]);
    assert_eq!((&about["name"], &about["version"]), (&json!("tap-microsoft-teams"), &json!(env!("CARGO_PKG_VERSION"))));
    for capability in ["catalog", "discover", "state", "about", "structured-logging", "test"] {
        assert!(about["capabilities"].as_array().unwrap().contains(&json!(capability)), "{capability}");
    }
    let settings = about["settings"]["properties"].as_object().unwrap();
    let shown: Vec<_> = SETTINGS.iter().filter(|setting| setting.audience != Audience::Developer).map(|setting| setting.name).collect();
    assert_eq!(settings.keys().collect::<Vec<_>>(), shown);
    assert_eq!(about["settings"]["required"], json!(["tenant_id", "client_id", "client_secret"]));
    assert_eq!(settings["client_secret"]["secret"], true);
    assert_eq!(settings.values().filter(|setting| setting.get("secret").is_some()).count(), 1);
    for (name, setting) in settings {
        assert!(["type", "title", "description"].iter().all(|key| setting.get(key).is_some()), "{name}");
    }
}
