//! The configuration: parsing, validation and defaults.

mod contradictions;
mod environment;
mod ids;
mod problem;
mod reader;
mod sample;
mod settings;
mod stream;
mod unknown_keys;

use secrecy::SecretString;
use serde_json::{Map, Value};
use url::Url;

use contradictions::Contradictions;
pub use environment::{environment_variable, settings_from_environment};
pub use problem::{Error, InvalidOption, Missing};
use reader::Reader;
pub use reader::is_set;
pub use sample::sample_json;
pub use settings::{Audience, Kind, SETTINGS, Setting, setting};
pub use stream::{Parents, StreamConfig};
use unknown_keys::{Misspelt, misspelling_of, misspelt};

use crate::streams::{PerStream, Stream};

/// A valid configuration. Whether it selects the teams and channels that a stream requires is checked later, and only for selected streams.
#[derive(Clone, Debug)]
#[warn(missing_docs)]
pub struct Config {
    /// Id or domain of the tenant.
    pub tenant_id: String,
    /// Application id.
    pub client_id: String,
    /// Client secret.
    pub client_secret: SecretString,
    /// Microsoft cloud of the tenant.
    pub cloud: Cloud,
    /// Overrides the host of Graph.
    pub graph_url: Option<Url>,
    /// Overrides the sign-in host.
    pub login_url: Option<Url>,
    /// Maximum number of concurrent requests.
    pub max_concurrent_threads: usize,
    /// Maximum total rate.
    pub requests_per_second: Option<f64>,
    /// The request rate as a multiple of Graph's documented rate limits; 0 disables pacing.
    pub pace: f64,
    /// Maximum size of a decompressed response, in bytes.
    pub max_page: usize,
    /// Maximum size of a record, in bytes.
    pub max_record: usize,
    /// Warnings about misspelt options and options that contradict each other.
    pub warnings: Vec<String>,
    streams: PerStream<StreamConfig>,
}

/// A Microsoft cloud (graph.md 1.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cloud {
    /// The worldwide cloud, including US GCC.
    Global,
    /// US Government L4 (GCC High).
    UsGov,
    /// US Government L5 (DoD).
    UsGovDod,
    /// China, operated by 21Vianet.
    China,
}

/// Enough for the 20 requests per second that Graph allows, at a latency of 1.5 s.
const DEFAULT_CONCURRENCY: usize = 30;

impl Config {
    /// Parses a JSON object. Unknown keys are accepted, because platforms add their own.
    ///
    /// # Errors
    /// If the configuration is invalid. The error contains all problems.
    pub fn new(settings: &Value) -> Result<Self, Error> {
        let Some(settings) = settings.as_object() else {
            let problem = InvalidOption { option: "configuration".to_owned(), value: None, allowed: "must be a JSON object".to_owned() };
            return Err(Error::from_problem(problem));
        };
        let mut reader = Reader::new(settings);
        let config = Self::read(&mut reader);
        let streams = StreamOptions::read(&mut reader);
        let misspelt = misspelt(settings);
        let missing = missing(settings, &reader.problems, &misspelt);
        let problems = reader.problems.into_iter().chain(streams.problems).collect();
        let warnings = misspelt.iter().map(ToString::to_string).chain(streams.contradictions.into_warnings()).collect();
        let GlobalLimits { max_concurrent_threads, requests_per_second } = streams.global_limits;
        let max_concurrent_threads = max_concurrent_threads.unwrap_or(DEFAULT_CONCURRENCY);
        let config = Self { max_concurrent_threads, requests_per_second, warnings, streams: streams.streams, ..config };
        let error = Error { missing, problems, hint: None };
        if error.is_empty() { Ok(config) } else { Err(error) }
    }

    /// Reads the options that apply to the whole run.
    fn read(reader: &mut Reader<'_>) -> Self {
        let clouds = [("global", Cloud::Global), ("us_gov", Cloud::UsGov), ("us_gov_dod", Cloud::UsGovDod), ("china", Cloud::China)];
        Self {
            tenant_id: reader.tenant("tenant_id").unwrap_or_default(),
            client_id: reader.string("client_id").unwrap_or_default(),
            client_secret: reader.string("client_secret").unwrap_or_default().into(),
            cloud: reader.choice("cloud", &clouds).unwrap_or(Cloud::Global),
            graph_url: reader.url("graph_url"),
            login_url: reader.url("login_url"),
            max_concurrent_threads: DEFAULT_CONCURRENCY,
            requests_per_second: None,
            pace: reader.number("pace").unwrap_or(1.0),
            max_page: mebibytes(reader.integer("max_page_mb")),
            max_record: mebibytes(reader.integer("max_record_mb")),
            warnings: Vec::new(),
            streams: PerStream::default(),
        }
    }

    /// The configuration of a stream.
    pub fn stream(&self, stream: &Stream) -> &StreamConfig {
        &self.streams[stream]
    }

    /// Scheme and host of Graph.
    pub fn graph_host(&self) -> String {
        self.graph_url.as_ref().map_or_else(|| self.cloud.graph_host().to_owned(), Url::to_string)
    }

    /// Scheme and host of the sign-in service.
    pub fn login_host(&self) -> String {
        self.login_url.as_ref().map_or_else(|| self.cloud.login_host().to_owned(), Url::to_string)
    }
}

/// The required options that are not set. An option with an invalid value is not missing.
fn missing(settings: &Map<String, Value>, problems: &[InvalidOption], misspelt: &[Misspelt<'_>]) -> Vec<Missing> {
    let is_missing = |name: &&str| !settings.get(*name).is_some_and(is_set) && problems.iter().all(|problem| problem.option != **name);
    let required = SETTINGS.iter().filter(|setting| setting.required).map(|setting| setting.name);
    required.filter(is_missing).map(|option| Missing { option, misspelt: misspelling_of(option, misspelt) }).collect()
}

/// The options of all streams. `stream_options` overrides the general options.
struct StreamOptions {
    streams: PerStream<StreamConfig>,
    global_limits: GlobalLimits,
    contradictions: Contradictions,
    problems: Vec<InvalidOption>,
}

impl StreamOptions {
    /// Reads the options of all streams. Problems with general options are added to `reader` only, so that each is reported once.
    fn read(reader: &mut Reader<'_>) -> Self {
        let stream_options = reader.object("stream_options");
        reader.problems.extend(stream_options.iter().filter_map(|(name, options)| check_stream_options(name, options)));
        StreamConfig::read(reader);
        let global_limits = GlobalLimits::read(reader);
        let mut all =
            Self { streams: PerStream::default(), global_limits, contradictions: Contradictions::default(), problems: Vec::new() };
        for stream in Stream::all() {
            let options = stream_options.get(stream.name).and_then(reader::object).unwrap_or_default();
            all.read_stream(reader.with_layer(&options, format!("stream_options.{}.", stream.name)), stream, &options);
        }
        all
    }

    fn read_stream(&mut self, mut reader: Reader<'_>, stream: &'static Stream, own_options: &Map<String, Value>) {
        reader.check_stream_option_names();
        let config = StreamConfig::read(&mut reader);
        // It is not known yet whether an opt-in stream is selected, so do not warn about it unless it has options.
        if stream.is_default || !own_options.is_empty() {
            self.contradictions.check(&mut reader, stream, &config);
        }
        self.global_limits = self.global_limits.min(GlobalLimits::read(&mut reader));
        if let Some(top) = config.top.filter(|&top| top > stream.max_page_size && own_options.contains_key("top")) {
            reader.add_problem(
                format!("stream_options.{}.top", stream.name),
                &top.into(),
                &format!("a whole number from 1 to {}", stream.max_page_size),
            );
        }
        self.problems.extend(reader.problems.into_iter().filter(|problem| problem.option.starts_with("stream_options.")));
        self.streams[stream] = config;
    }
}

/// Checks the stream name and the type of an entry of `stream_options`.
fn check_stream_options(name: &str, options: &Value) -> Option<InvalidOption> {
    let option = format!("stream_options.{name}");
    if Stream::by_name(name).is_none() {
        return Some(InvalidOption {
            option,
            value: None,
            allowed: format!("unknown stream; known streams: {}", Stream::names().join(", ")),
        });
    }
    let is_valid = options.is_null() || reader::object(options).is_some();
    (!is_valid).then(|| InvalidOption { option, value: Some(reader::NOT_SHOWN.to_owned()), allowed: "a JSON object of options".to_owned() })
}

/// Overrides the options of one stream.
pub fn set_stream_options(settings: &mut Map<String, Value>, stream: &str, options: Map<String, Value>) {
    let object = |value: Option<&Value>| value.and_then(reader::object).unwrap_or_default();
    let mut all = object(settings.get("stream_options"));
    let mut own = object(all.get(stream));
    own.extend(options);
    all.insert(stream.to_owned(), own.into());
    settings.insert("stream_options".to_owned(), all.into());
}

fn mebibytes(count: Option<u64>) -> usize {
    count.and_then(|count| usize::try_from(count << 20).ok()).unwrap_or(usize::MAX)
}

/// Limits that can be set per stream but apply to the whole run. The lowest value is used.
#[derive(Clone, Copy, Debug)]
struct GlobalLimits {
    max_concurrent_threads: Option<usize>,
    requests_per_second: Option<f64>,
}

impl GlobalLimits {
    fn read(reader: &mut Reader<'_>) -> Self {
        let requests_per_second = reader.number("requests_per_second");
        Self {
            max_concurrent_threads: reader.integer("max_concurrent_threads").and_then(|count| usize::try_from(count).ok()),
            // Some forms send 0 for an empty field, and a rate of 0 would never end.
            requests_per_second: requests_per_second.filter(|rate| *rate > 0.0),
        }
    }

    fn min(self, other: Self) -> Self {
        Self {
            max_concurrent_threads: self.max_concurrent_threads.into_iter().chain(other.max_concurrent_threads).min(),
            requests_per_second: self.requests_per_second.into_iter().chain(other.requests_per_second).reduce(f64::min),
        }
    }
}

impl Cloud {
    /// Scheme and host of Graph.
    pub fn graph_host(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGov => "https://graph.microsoft.us",
            Self::UsGovDod => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }

    /// Scheme and host of the sign-in service.
    pub fn login_host(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsGov | Self::UsGovDod => "https://login.microsoftonline.us",
            Self::China => "https://login.partner.microsoftonline.cn",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        level::{CHANNEL, TEAM},
        streams::{CHANNELS, MEMBERS, MESSAGES, TEAMS},
    };

    const A: &str = "02bd9fd6-8f93-4758-87c3-1fb73740a315";
    const B: &str = "15d7a78e-fd77-4599-97a5-dbb6372846c5";

    fn config(more: Value) -> Result<Config, Error> {
        let mut settings = json!({"tenant_id": "contoso.com", "client_id": "c", "client_secret": "hidden-5ecret"});
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Config::new(&settings)
    }

    #[test]
    fn strings_and_native_values_are_equivalent() {
        let native = json!({"team_id": [A, B], "fetch_all_channels": true, "top": 20, "start_date": "2026-01-01T00:00:00Z", "requests_per_second": 2.5,
            "max_concurrent_threads": 4, "stream_options": {"messages": {"lookback_seconds": 9}}, "use_delta_api": false});
        let strings = json!({"team_id": format!(" {A}, {{{B}}},,{A} "), "fetch_all_channels": "True", "top": "20", "start_date": "2026-01-01", "requests_per_second": "2.5",
            "max_concurrent_threads": "4", "stream_options": "{\"messages\": \"{\\\"lookback_seconds\\\": \\\"9\\\"}\"}", "use_delta_api": "0"});
        let (native, strings) = (config(native).unwrap(), config(strings).unwrap());
        assert_eq!(format!("{native:?}"), format!("{strings:?}"));
        let messages = native.stream(&MESSAGES);
        assert_eq!((messages.parents(&TEAM), messages.parents(&CHANNEL)), (&Parents::Ids(vec![A.into(), B.into()]), &Parents::All));
        let own = config(json!({"fetch_all_teams": true, "stream_options": {"members": {"team_id": A}}})).unwrap();
        assert_eq!(
            (own.stream(&MEMBERS).parents(&TEAM), own.stream(&CHANNELS).parents(&TEAM)),
            (&Parents::Ids(vec![A.into()]), &Parents::All)
        );
        assert_eq!((messages.lookback.as_secs(), native.stream(&MEMBERS).lookback.as_secs()), (9, 300));
    }

    #[test]
    fn all_bad_values_are_reported_at_once_without_secrets() {
        let error = config(json!({"tenant_id": "", "client_secret": ["hidden-5ecret"], "top": 0, "lookback_seconds": "-1", "start_date": "soon", "cloud": "mars", "fetch_all_teams": "perhaps",
            "team_id": "..,Sales", "requests_per_second": -1, "graph_url": "http://graph.microsoft.com", "login_url": "https://me:hidden-5ecret@host",
            "stream_options": {"chats": {"client_secret": "hidden-5ecret"}, "messages": {"top": 51, "cloud": "global", "client_secret": "hidden-5ecret"}, "teams": "hidden-5ecret"},
            "channel_id": [{"client_secret": "hidden-5ecret"}], "use_delta_api": {"client_secret": "hidden-5ecret"}})).unwrap_err();
        let text = error.to_string();
        assert!(!text.contains("hidden-5ecret"));
        insta::assert_snapshot!(text.replace("; option", ";\noption"));
    }

    #[test]
    fn unknown_keys_and_empty_values_are_ignored() {
        let config =
            config(json!({"__injected": 1, "_limit": 5, "team_id": "", "top": null, "start_date": " ", "requests_per_second": 0})).unwrap();
        assert_eq!(*config.stream(&TEAMS).parents(&TEAM), Parents::Unknown);
        assert_eq!((config.requests_per_second, config.max_concurrent_threads), (None, 30));
    }

    #[test]
    fn missing_options_are_reported_together() {
        let error = Config::new(&json!({})).unwrap_err();
        assert_eq!(error.to_string(), "missing required options: `tenant_id`, `client_id`, `client_secret`");
        assert!(Config::new(&json!([])).is_err());
    }

    #[test]
    fn every_default_is_valid() {
        for setting in SETTINGS.iter() {
            if let Some(default) = setting.default {
                let value: Value = serde_json::from_str(default).unwrap();
                assert!(config(json!({setting.name: value})).is_ok(), "{}", setting.name);
            }
        }
    }

    #[test]
    fn every_stream_accepts_a_page_size() {
        for stream in Stream::all() {
            assert!(config(json!({"stream_options": {stream.name: {"top": 1}}})).is_ok(), "{}", stream.name);
        }
    }

    #[test]
    fn each_cloud_has_its_hosts() {
        let hosts = |cloud| {
            let config = config(json!({"cloud": cloud})).unwrap();
            (config.graph_host(), config.login_host())
        };
        assert_eq!(hosts("us_gov_dod"), ("https://dod-graph.microsoft.us".into(), "https://login.microsoftonline.us".into()));
        assert_eq!(hosts("CHINA"), ("https://microsoftgraph.chinacloudapi.cn".into(), "https://login.partner.microsoftonline.cn".into()));
    }
}
