//! Places for the secret: the configuration, the environment, a mounted file.

use serde_json::{Value, json};

use crate::support::{Tap, config, tenant};

/// A tap whose configuration has `client_secret_file` instead of the secret, and the secret.
fn tap_with_file(sim: &graph_sim::GraphSim) -> (Tap, String) {
    let mut config = config(sim, json!({"fetch_all_teams": true}));
    let Some(Value::String(secret)) = config.as_object_mut().unwrap().remove("client_secret") else { unreachable!() };
    config["client_secret_file"] = "mounted".into();
    let tap = Tap::new(&config);
    tap.file("mounted", format!("{secret}\n"));
    (tap, secret)
}

#[test]
fn a_secret_is_read_from_the_configured_file() {
    let sim = tenant(1, 1, 1);
    let (tap, secret) = tap_with_file(&sim);
    assert_eq!(tap.execute(&["extract", "-c", "config.json", "--stream", "teams"], &[]).status, Some(0));
    assert_eq!(tap.sync(&[]).status, Some(0));
    // The later one wins, in either form.
    tap.file("mounted", "wrong");
    let variable = [("TAP_MICROSOFT_TEAMS_CLIENT_SECRET", secret.as_str())];
    assert_eq!(tap.execute(&["extract", "-c", "config.json", "-c", "ENV", "--stream", "teams"], &variable).status, Some(0));
    assert_eq!(tap.execute(&["extract", "-c", "config.json", "--stream", "teams"], &variable).status, Some(1));
}

#[test]
fn a_source_does_not_read_a_secret_file_from_its_configuration() {
    let sim = tenant(1, 1, 1);
    let (tap, _) = tap_with_file(&sim);
    let status = &tap.check().only("CONNECTION_STATUS")["connectionStatus"].clone();
    assert_eq!(status["status"], "FAILED");
    insta::assert_snapshot!("secret_file_of_a_source", status["message"].as_str().unwrap());
    // The operator controls the environment.
    tap.file("config.json", config(&sim, json!({"client_secret": null})).to_string());
    let path = tap.folder().join("mounted").display().to_string();
    let secret = ("TAP_MICROSOFT_TEAMS_CLIENT_SECRET_FILE", path.as_str());
    let check = |environment: &[(&str, &str)]| tap.run_with(&["check", "--config", "config.json", "--config", "ENV"], environment);
    // The secret is not sent to a host from the configuration either.
    sim.clear_journal();
    let refused = check(&[secret]);
    assert_eq!((refused.verdict().0, sim.journal().total()), ("FAILED", 0));
    insta::assert_snapshot!("secret_to_a_host_of_others", refused.verdict().1);
    let hosts = ["login_url", "graph_url"].map(|name| sim.config()[name].as_str().unwrap().to_owned());
    let own = [secret, ("TAP_MICROSOFT_TEAMS_LOGIN_URL", &hosts[0]), ("TAP_MICROSOFT_TEAMS_GRAPH_URL", &hosts[1])];
    assert_eq!(check(&own).verdict().0, "SUCCEEDED");
}

#[test]
fn problems_with_the_secret_file_are_reported() {
    let sim = tenant(1, 1, 1);
    let (tap, secret) = tap_with_file(&sim);
    let reported = || tap.execute(&["extract", "-c", "config.json", "--stream", "teams"], &[]).stderr;
    tap.file("mounted", " \n");
    let mut all = reported();
    std::fs::remove_file(tap.folder().join("mounted")).unwrap();
    all += &reported();
    tap.file("config.json", config(&sim, json!({"client_secret": secret, "client_secret_file": "mounted"})).to_string());
    all += &reported();
    tap.file("config.json", config(&sim, json!({"client_secret": null, "client_secret_file": ["mounted"]})).to_string());
    all += &reported();
    insta::assert_snapshot!("secret_file", all);
}

#[test]
fn a_configuration_may_have_comments() {
    let sim = tenant(1, 1, 1);
    let tap = Tap::new(&json!({}));
    let config = config(&sim, json!({})).to_string();
    tap.file("config.json", format!("// Ours.\n{}, /* all */ \"fetch_all_teams\": true, }}", config.trim_end_matches('}')));
    assert_eq!(tap.check().only("CONNECTION_STATUS")["connectionStatus"]["status"], "SUCCEEDED");
    tap.file("config.json", "{ /* never closed");
    insta::assert_snapshot!("open_comment", tap.discover().errors()[0].2);
}
