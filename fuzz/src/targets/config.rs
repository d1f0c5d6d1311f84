//! A configuration: what it means, or what is wrong with it, and never its secret.

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
    assert_means_something(&Config::new(&written));
    let Value::Object(settings) = written else { return };
    // What stands elsewhere is no secret.
    if !Value::Object(settings.clone()).to_string().contains(SECRET) {
        for secret in [json!(SECRET), json!([SECRET]), json!({"value": SECRET}), json!(format!(" {SECRET}\n"))] {
            assert_keeps_the_secret(settings.clone(), secret);
        }
    }
}

fn assert_means_something(config: &Result<Config, tap_microsoft_teams::config::Error>) {
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
        let is_here = matches!(url.host_str(), Some("localhost" | "[::1]")) || url.host_str().is_some_and(|host| host.starts_with("127."));
        assert!(url.scheme() == "https" || is_here, "{url}");
        assert!(Host::new(&url).is_some(), "{url}");
    }
    Stream::all().for_each(|of| assert_is_sound(config.stream(of)));
}

fn assert_is_sound(stream: &StreamConfig) {
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

/// With the secret in its place, and in places where people may put it.
fn assert_keeps_the_secret(mut settings: Map<String, Value>, secret: Value) {
    if let Some(Value::Object(options)) = settings.get_mut("stream_options") {
        for options in options.values_mut().filter_map(Value::as_object_mut) {
            options.entry(SECRET_KEY).and_modify(|value| *value = secret.clone());
        }
    }
    settings.insert(SECRET_KEY.to_owned(), secret.clone());
    assert_is_not_said(&Value::Object(settings.clone()));
    settings.insert("stream_options".to_owned(), json!({"messages": {SECRET_KEY: secret}, "teams": secret}));
    assert_is_not_said(&Value::Object(settings.clone()));
    settings.insert("stream_options".to_owned(), secret.clone());
    assert_is_not_said(&Value::Object(settings.clone()));
    settings.insert("use_delta_api".to_owned(), json!({SECRET_KEY: secret}));
    settings.insert("team_id".to_owned(), json!([{SECRET_KEY: secret}]));
    assert_is_not_said(&Value::Object(settings));
}

fn assert_is_not_said(written: &Value) {
    let said = match Config::new(written) {
        Ok(config) => format!("{config:?}"),
        Err(error) => format!("{error} {error:?}"),
    };
    assert!(!said.contains(SECRET), "{said}");
}
