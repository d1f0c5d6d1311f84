//! A configuration: its values or its errors, which never show the secret.

use serde_json::{Map, Value, json};
use tap_microsoft_teams::{
    config::{Config, Parents, StreamConfig},
    graph::Host,
    level::LEVELS,
    streams::Stream,
};
use url::Url;

const SECRET: &str = "7~hidden.5ecret";
const SECRET_KEY: &str = "client_secret";

pub(crate) fn config(file: &[u8]) {
    let Ok(written) = serde_json::from_slice::<Value>(file) else { return };
    assert_result_is_sound(&Config::new(&written));
    let Value::Object(settings) = written else { return };
    // Skipped if the input contains this secret elsewhere.
    if !Value::Object(settings.clone()).to_string().contains(SECRET) {
        for secret in [json!(SECRET), json!([SECRET]), json!({"value": SECRET}), json!(format!(" {SECRET}\n"))] {
            assert_hides_secret_in_place(settings.clone(), secret);
        }
    }
}

fn assert_result_is_sound(config: &Result<Config, tap_microsoft_teams::config::Error>) {
    let config = match config {
        Ok(config) => config,
        Err(error) => {
            assert!(
                !(error.missing.is_empty() && error.problems.is_empty()) && error.problems.iter().all(|problem| !problem.option.is_empty())
            );
            return;
        }
    };
    assert!(!config.tenant_id.is_empty() && !config.client_id.is_empty());
    assert!((1..=64).contains(&config.max_concurrent_threads));
    assert!((1 << 20..1 << 32).contains(&config.max_page) && (1 << 20..=1 << 30).contains(&config.max_record));
    assert!(config.pace.is_finite() && config.pace >= 0.0);
    assert!(config.requests_per_second.is_none_or(|rate| rate.is_finite() && rate > 0.0));
    for host in [config.graph_host(), config.login_host()] {
        let url = Url::parse(&host).expect("a host is a URL");
        let is_local = matches!(url.host_str(), Some("localhost" | "[::1]")) || url.host_str().is_some_and(|host| host.starts_with("127."));
        assert!(url.scheme() == "https" || is_local, "{url}");
        assert!(Host::new(&url).is_some(), "{url}");
    }
    Stream::all().for_each(|stream| assert_sound(config.stream(stream)));
}

fn assert_sound(stream: &StreamConfig) {
    assert!(stream.lookback.as_secs() <= 31_536_000);
    assert!(stream.top.is_none_or(|top| (1..=999).contains(&top)));
    assert!((1..=100_000).contains(&stream.max_pages_per_batch));
    let is_id = |id: &String| {
        let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | ':' | '@' | '.');
        !id.is_empty() && !id.contains("..") && id.chars().all(is_plain)
    };
    assert!(stream.exclude.iter().all(is_id), "{:?}", stream.exclude);
    for parents in LEVELS.iter().map(|level| stream.parents(level)) {
        if let Parents::Ids(ids) = parents {
            assert!(ids.iter().all(is_id) && !ids.iter().any(|id| stream.excludes(id)), "{ids:?}");
        }
    }
}

/// Puts the secret into its option, and into options where users may put it by mistake.
fn assert_hides_secret_in_place(mut settings: Map<String, Value>, secret: Value) {
    if let Some(Value::Object(options)) = settings.get_mut("stream_options") {
        for options in options.values_mut().filter_map(Value::as_object_mut) {
            options.entry(SECRET_KEY).and_modify(|value| *value = secret.clone());
        }
    }
    settings.insert(SECRET_KEY.to_owned(), secret.clone());
    assert_hides_secret(&Value::Object(settings.clone()));
    settings.insert("stream_options".to_owned(), json!({"messages": {SECRET_KEY: secret}, "teams": secret}));
    assert_hides_secret(&Value::Object(settings.clone()));
    settings.insert("stream_options".to_owned(), secret.clone());
    assert_hides_secret(&Value::Object(settings.clone()));
    settings.insert("use_delta_api".to_owned(), json!({SECRET_KEY: secret}));
    settings.insert("team_id".to_owned(), json!([{SECRET_KEY: secret}]));
    assert_hides_secret(&Value::Object(settings));
}

fn assert_hides_secret(written: &Value) {
    let message = match Config::new(written) {
        Ok(config) => format!("{config:?}"),
        Err(error) => format!("{error} {error:?}"),
    };
    assert!(!message.contains(SECRET), "{message}");
}
