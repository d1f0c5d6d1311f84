//! `sample-config`: what it prints is a configuration, whatever of it is switched on.

use serde_json::json;
use tap_microsoft_teams::config::{Audience, SETTINGS};

use crate::support::{Tap, tenant};

/// What the command prints.
fn sample(arguments: &[&str]) -> String {
    let finished = Tap::new(&json!({})).execute(&[&["sample-config"], arguments].concat(), &[]);
    assert_eq!((finished.status, finished.stderr.as_str()), (Some(0), ""));
    finished.stdout
}

#[test]
fn a_sample_has_every_setting_with_what_it_means() {
    let (json, env) = (sample(&[]), sample(&["--format", "env"]));
    for setting in SETTINGS.iter().filter(|setting| setting.audience != Audience::Simulator) {
        assert!(json.contains(&format!("\"{}\": ", setting.name)), "{}", setting.name);
        assert!(env.contains(&format!("export TAP_MICROSOFT_TEAMS_{}=", setting.name.to_uppercase())), "{}", setting.name);
    }
    insta::assert_snapshot!("sample_json", json);
    insta::assert_snapshot!("sample_env", env);
}

#[test]
fn a_sample_is_a_configuration_as_it_is_and_with_everything_switched_on() {
    let tap = Tap::new(&json!({}));
    let json = sample(&[]);
    let on = json.replace("  // \"", "  \"");
    // Either the secret or the file that holds it.
    let on: String = on.lines().filter(|line| !line.contains("\"client_secret_file\"")).map(|line| format!("{line}\n")).collect();
    for text in [json, on] {
        tap.file("config.json", &text);
        let output = tap.discover();
        assert_eq!(output.status, Some(0), "{text}\n{:?}", output.messages);
    }
}

#[test]
fn a_sample_of_variables_is_a_configuration_for_a_shell() {
    let sim = tenant(1, 1, 1);
    let tap = Tap::new(&json!({}));
    let config = sim.config();
    let url = |name: &str| config[name].as_str().unwrap().to_owned();
    let variables = sample(&["--format", "env"]);
    let script = format!(
        "{variables}\nexport TAP_MICROSOFT_TEAMS_CLIENT_ID={} TAP_MICROSOFT_TEAMS_CLIENT_SECRET='{}' TAP_MICROSOFT_TEAMS_TENANT_ID={}\n\
         export TAP_MICROSOFT_TEAMS_GRAPH_URL={} TAP_MICROSOFT_TEAMS_LOGIN_URL={} TAP_MICROSOFT_TEAMS_PACE=0\n\
         exec {} extract --stream teams\n",
        url("client_id"),
        url("client_secret"),
        url("tenant_id"),
        url("graph_url"),
        url("login_url"),
        env!("CARGO_BIN_EXE_tap-microsoft-teams"),
    );
    let path = tap.file("run.sh", script);
    let output = std::process::Command::new("sh").arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count(), 1);
}
