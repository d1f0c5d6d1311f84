//! Command line and configuration: flags in any order, several files, environment variables, values as strings.

use serde_json::{Value, json};

use crate::support::{Tap, config, everything, tenant};

/// All permutations of a list.
fn permutations<'a>(parts: &[&[&'a str]]) -> Vec<Vec<&'a str>> {
    if parts.is_empty() {
        return vec![vec![]];
    }
    (0..parts.len())
        .flat_map(|at| {
            let rest: Vec<_> = parts.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, part)| *part).collect();
            permutations(&rest).into_iter().map(move |order| [parts[at], &order].concat()).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn flags_can_be_combined_in_any_order() {
    let tap = Tap::new(&json!({}));
    let reported = |requested: &[&str], with: &[&[&str]]| {
        let reported: Vec<_> = permutations(&[&[requested], with].concat())
            .iter()
            .map(|arguments| {
                let finished = tap.execute(arguments, &[]);
                assert_eq!((finished.status, finished.stderr.as_str()), (Some(0), ""), "{arguments:?}");
                finished.stdout
            })
            .collect();
        assert!(reported.iter().all(|text| *text == reported[0]), "{requested:?}");
        reported[0].clone()
    };
    let (config, state, catalog) = (&["--config", "config.json"][..], &["--state", "no state"][..], &["--catalog=no catalog"][..]);
    let discovered = reported(&["--discover"], &[config, state]);
    assert_eq!(discovered, reported(&["-d"], &[&["-c", "config.json"], &["-s", "no state"], &["-p", "no catalog"]]));
    let about = reported(&["--about"], &[&["--format=json"], config, catalog]);
    assert_eq!(about, reported(&["--about"], &[&["--format", "json"], &["--discover"], &["--test"]]));
    let version = reported(&["--version"], &[config, catalog, &["--discover"]]);
    assert_eq!(version, format!("tap-microsoft-teams v{}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(version, reported(&["-V"], &[&["--about"], &["--format=json"]]));
    for text in [discovered, about] {
        serde_json::from_str::<Value>(&text).unwrap();
    }
}

#[test]
fn a_sync_without_a_configuration_is_a_usage_error() {
    let output = Tap::new(&json!({})).sync_with(&["--catalog", "catalog.json"], &[]);
    assert_eq!((output.status, output.critical()), (Some(2), "--config is missing; see --help"));
}

#[test]
fn a_later_configuration_file_overrides_an_earlier_one() {
    let sim = tenant(1, 1, 2);
    let tap = Tap::new(&config(&sim, json!({"client_secret": "wrong", "fetch_all_teams": true})));
    let secret = sim.credentials().client_secret.clone();
    tap.file("secret.json", json!({"client_secret": secret}).to_string());
    let output = tap.sync(&["--config=secret.json"]);
    assert_eq!((output.status, output.streams()), (Some(0), vec!["teams", "channels", "members"]), "{}", output.stderr);
    let output = tap.sync_with(&["--config=secret.json", "-c", "config.json"], &[]);
    assert_eq!(output.status, Some(1));
}

#[test]
fn the_environment_is_read_only_on_request_and_overrides_files() {
    let sim = tenant(2, 1, 2);
    let team = sim.read_tenant(|tenant| tenant.team_ids().remove(0));
    let settings = config(&sim, json!({"fetch_all_channels": "1", "fetch_all_messages": true, "max_concurrent_threads": "2"}));
    let stream_options = json!({"members": {"team_id": team}}).to_string();
    let mut variables: Vec<(String, String)> = settings
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.to_uppercase(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    variables.extend([
        ("FETCH_ALL_TEAMS".to_owned(), "yes".to_owned()),
        ("STREAM_OPTIONS".to_owned(), stream_options),
        ("TOP".to_owned(), String::new()),
    ]);
    let variables: Vec<_> = variables.into_iter().map(|(name, value)| (format!("TAP_MICROSOFT_TEAMS_{name}"), value)).collect();
    let environment: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();

    let tap = Tap::new(&json!({"tenant_id": "another.example", "top": 1}));
    for arguments in [&["--config=ENV"][..], &["--config", "config.json", "--config", "ENV"], &["-c", "ENV", "-c", "config.json"]] {
        let output = tap.sync_with(arguments, &environment);
        assert_eq!((output.status, output.streams().len()), (Some(0), 5), "{arguments:?}: {}", output.stderr);
        assert!(output.records("members").all(|record| record["team_id"] == team.as_str()));
    }
    // Without ENV the environment is not read, because Meltano always sets the variables.
    let output = tap.sync_with(&["--config=config.json"], &environment);
    let message = "missing required options: `client_id`, `client_secret`; hint: add `--config ENV` to use TAP_MICROSOFT_TEAMS_CLIENT_ID and \
        TAP_MICROSOFT_TEAMS_CLIENT_SECRET from the environment";
    assert_eq!((output.status, output.critical()), (Some(1), message));
}

#[test]
fn values_may_be_strings_and_unknown_keys_are_accepted() {
    let sim = tenant(1, 2, 4);
    let (team, channels) = sim.read_tenant(|tenant| {
        let team = tenant.team_ids().remove(0);
        let channels = tenant.channel_ids(&team);
        (team, channels)
    });
    let both = channels.join(",");
    for (channel_id, start_date) in [
        (json!(channels), json!("2024-01-01")),
        (json!(json!(channels).to_string()), json!("2024-01-01T00:00:00.123456")),
        (json!(both), json!("2024-01-01T00:00:00+01:00")),
    ] {
        let settings = json!({"team_id": team, "channel_id": channel_id, "fetch_all_messages": "true", "top": "50", "start_date": start_date,
            "use_delta_api": "False", "stream_options": "{\"members\": {\"top\": \"5\"}}", "foo": {"bar": 1}, "_limit": 3, "__injected_x": null});
        let output = Tap::new(&config(&sim, settings.clone())).sync(&[]);
        assert_eq!((output.status, output.streams().len()), (Some(0), 5), "{settings}: {}", output.stderr);
        assert!(output.records("messages").all(|record| record["lastModifiedDateTime"].as_str().unwrap() >= "2023-12-31"));
    }
}

#[test]
fn a_configuration_of_strings_reads_the_same_as_native_values() {
    let sim = tenant(1, 1, 4);
    let texts = json!({"fetch_all_teams": "true", "fetch_all_channels": "TRUE", "fetch_all_messages": "on", "max_concurrent_threads": "1"});
    let [texts, native] = [texts, everything()].map(|settings| Tap::new(&config(&sim, settings)).sync(&[]));
    assert_eq!(texts.comparable(), native.comparable());
}
