//! Misspelt options, in both protocols and for users: not an error, but every run warns about them.

use serde_json::{Value, json};

use crate::support::{ALL, Tap, config, everything, tenant};

const MISSPELT_DATE: &str = "unknown option `start_dat` is ignored; did you mean `start_date`?";
const MISSPELT_PACE: &str = "unknown option `Pace` is ignored; did you mean `pace`?";

/// A value that has no effect and must not be shown.
const VALUE: &str = "hidden-va1ue-of-a-test";

/// Reads everything, with two misspelt options, and keys that platforms add.
fn settings() -> Value {
    let mut settings = everything();
    let more = json!({"start_dat": VALUE, "Pace": [VALUE], "__injected_declarative_manifest": VALUE, "name": VALUE, "sourceDefinitionId": VALUE,
        "workspaceId": VALUE, "table_name": VALUE, "stream_maps": {"messages": VALUE}, "flattening_enabled": true, "batch_config": {}, "faker_config": {}});
    settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    settings
}

#[test]
fn every_run_warns_about_misspelt_options_only() {
    let sim = tenant(1, 1, 2);
    let tap = Tap::new(&config(&sim, settings()));
    let read = tap.read(&ALL);
    assert_eq!((read.status, read.logs("WARN")), (Some(0), vec![MISSPELT_DATE, MISSPELT_PACE]));
    let sync = tap.sync(&[]);
    assert_eq!((sync.status, sync.logged("WARNING")), (Some(0), vec![MISSPELT_DATE, MISSPELT_PACE]));
    let extract = tap.execute(&["extract", "--config", "config.json", "--stream", "teams"], &[]);
    assert_eq!((extract.status, warnings(&extract.stderr)), (Some(0), vec![MISSPELT_DATE, MISSPELT_PACE]));
    let plan = tap.execute(&["plan", "--config", "config.json"], &[]);
    assert_eq!((plan.status, warnings(&plan.stderr)), (Some(0), vec![MISSPELT_DATE, MISSPELT_PACE]));
    for reported in [json!(read.messages).to_string(), read.stderr, sync.stderr, extract.stderr, extract.stdout, plan.stderr, plan.stdout] {
        assert!(!reported.contains(VALUE), "{reported}");
    }
}

fn warnings(stderr: &str) -> Vec<&str> {
    stderr.lines().filter_map(|line| line.strip_prefix("WARNING ")).collect()
}

#[test]
fn a_check_warns_in_the_log_and_in_its_message() {
    let sim = tenant(1, 1, 2);
    let tap = Tap::new(&config(&sim, settings()));
    let check = tap.check();
    let (verdict, sentence) = check.verdict();
    assert_eq!((verdict, check.logs("WARN")), ("SUCCEEDED", vec![MISSPELT_DATE, MISSPELT_PACE]));
    assert_eq!(sentence, format!("can read {}; {MISSPELT_DATE}; {MISSPELT_PACE}", ALL.join(", ")));
    assert!(!json!(check.messages).to_string().contains(VALUE));
    let mut many = settings();
    for suffix in 0..9 {
        many[format!("start_date{suffix}")] = VALUE.into();
    }
    let check = Tap::new(&config(&sim, many)).check();
    let (_, sentence) = check.verdict();
    assert_eq!(check.logs("WARN").len(), 11);
    assert!((400..=500).contains(&sentence.len()) && sentence.ends_with("did you mean `start_date`?"), "{sentence}");
}

#[test]
fn a_failed_sign_in_mentions_a_misspelt_option() {
    let sim = tenant(1, 1, 1);
    let remark = "unknown option `Cloud` is ignored; did you mean `cloud`?";
    let tap = Tap::new(&config(&sim, json!({"client_secret": "wrong", "Cloud": "us_gov"})));
    let check = tap.check();
    assert_eq!((check.verdict().0, check.logs("WARN")), ("FAILED", vec![remark]));
    assert!(check.verdict().1.ends_with(remark), "{}", check.verdict().1);
    assert_eq!(tap.read(&["teams"]).logs("WARN"), [remark]);
    assert_eq!(tap.sync(&[]).logged("WARNING"), [remark]);
}

#[test]
fn discovery_does_not_warn_about_misspelt_options() {
    let sim = tenant(1, 1, 1);
    let tap = Tap::new(&config(&sim, settings()));
    let output = tap.discover();
    assert_eq!((output.status, output.messages.len(), output.stderr.as_str()), (Some(0), 1, ""));
    assert!(tap.execute(&["--discover", "--config", "config.json"], &[]).stderr.is_empty());
}

#[test]
fn a_missing_option_is_reported_with_the_misspelt_key() {
    let tap = Tap::new(&json!({"tenantId": VALUE, "client_id": "c", "clientSecret": VALUE}));
    let sentence = "missing required options: `tenant_id` (found `tenantId` instead), `client_secret` (found `clientSecret` instead)";
    assert_eq!(tap.check().verdict(), ("FAILED", sentence));
    assert_eq!(tap.read(&["teams"]).errors(), [("config_error", "", sentence)]);
    assert_eq!(tap.sync(&[]).critical(), sentence);
}
