//! The configuration: from what was written (strings or native values) to what it means.

mod contradictions;
mod environment;
mod ids;
mod misspelt;
mod problem;
mod reader;
mod sample;
mod settings;
mod stream;

use secrecy::SecretString;
use serde_json::{Map, Value};
use url::Url;

use contradictions::Contradictions;
pub use environment::settings_of_environment;
use misspelt::{Misspelt, absent, misspelt};
pub use problem::{Error, Problem};
use reader::Reader;
pub use reader::is_given;
pub use sample::sample_json;
pub use settings::{Audience, Kind, SETTINGS, Setting, setting};
pub use stream::{Parents, StreamConfig};

use crate::streams::{PerStream, Stream};

/// A configuration that is valid in itself. Whether the parents that a stream needs are named is judged for the selected streams only.
#[derive(Clone, Debug)]
#[warn(missing_docs)]
pub struct Config {
    /// Id or domain of the tenant.
    pub tenant_id: String,
    /// Id of the application.
    pub client_id: String,
    /// Secret of the application.
    pub client_secret: SecretString,
    /// The cloud of the tenant.
    pub cloud: Cloud,
    /// Graph's host, if it is not the cloud's.
    pub graph_url: Option<Url>,
    /// The sign-in host, if it is not the cloud's.
    pub login_url: Option<Url>,
    /// Requests in flight at most.
    pub max_concurrent_threads: usize,
    /// Total rate at most.
    pub requests_per_second: Option<f64>,
    /// Multiple of Graph's documented rates; 0 is unpaced.
    pub pace: f64,
    /// Bytes of an answer at most, decompressed.
    pub max_page: usize,
    /// Bytes of a record at most.
    pub max_record: usize,
    /// What people should know: keys that look like options and are none, options that contradict each other.
    pub remarks: Vec<String>,
    streams: PerStream<StreamConfig>,
}

/// A Microsoft cloud (graph.md 1.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Cloud {
    /// The world's, US GCC included.
    Global,
    /// US Government L4 (GCC High).
    UsGov,
    /// US Government L5 (DoD).
    UsGovDod,
    /// China, operated by 21Vianet.
    China,
}

/// Requests in flight, if nothing else is said: Graph's 20 a second at a latency of 1.5 s.
const DEFAULT_CONCURRENCY: usize = 30;

impl Config {
    /// Takes what was written. Unknown keys are no error: platforms add their own.
    ///
    /// # Errors
    /// With everything that is wrong, so that it can be mended at once.
    pub fn new(written: &Value) -> Result<Self, Error> {
        let Some(settings) = written.as_object() else {
            let problem = Problem { option: "configuration".to_owned(), given: None, allowed: "a JSON object".to_owned() };
            return Err(Error { problems: vec![problem] });
        };
        let mut reader = Reader::new(settings);
        let config = Self::read(&mut reader);
        let streams = StreamOptions::read(&mut reader);
        let misspelt = misspelt(settings);
        let problems: Vec<_> =
            missing(settings, &reader.problems, &misspelt).into_iter().chain(reader.problems).chain(streams.problems).collect();
        let remarks = misspelt.iter().map(ToString::to_string).chain(streams.contradictions.into_remarks()).collect();
        let RunWide { max_concurrent_threads, requests_per_second } = streams.run_wide;
        let max_concurrent_threads = max_concurrent_threads.unwrap_or(DEFAULT_CONCURRENCY);
        let config = Self { max_concurrent_threads, requests_per_second, remarks, streams: streams.streams, ..config };
        if problems.is_empty() { Ok(config) } else { Err(Error { problems }) }
    }

    /// What is written once for the whole run.
    fn read(reader: &mut Reader<'_>) -> Self {
        let clouds = [("global", Cloud::Global), ("us_gov", Cloud::UsGov), ("us_gov_dod", Cloud::UsGovDod), ("china", Cloud::China)];
        Self {
            tenant_id: reader.tenant("tenant_id").unwrap_or_default(),
            client_id: reader.text("client_id").unwrap_or_default(),
            client_secret: reader.text("client_secret").unwrap_or_default().into(),
            cloud: reader.choice("cloud", &clouds).unwrap_or(Cloud::Global),
            graph_url: reader.url("graph_url"),
            login_url: reader.url("login_url"),
            max_concurrent_threads: DEFAULT_CONCURRENCY,
            requests_per_second: None,
            pace: reader.number("pace").unwrap_or(1.0),
            max_page: mebibytes(reader.count("max_page_mb")),
            max_record: mebibytes(reader.count("max_record_mb")),
            remarks: Vec::new(),
            streams: PerStream::default(),
        }
    }

    /// What the configuration says about a stream.
    pub fn stream(&self, stream: &Stream) -> &StreamConfig {
        &self.streams[stream]
    }

    /// The scheme and host of Graph for requests.
    pub fn graph_host(&self) -> String {
        self.graph_url.as_ref().map_or_else(|| self.cloud.graph_host().to_owned(), Url::to_string)
    }

    /// The scheme and host of the sign-in service.
    pub fn login_host(&self) -> String {
        self.login_url.as_ref().map_or_else(|| self.cloud.login_host().to_owned(), Url::to_string)
    }
}

/// The required options that are not given, as one problem; an option that is given and wrong is not missing.
fn missing(settings: &Map<String, Value>, problems: &[Problem], misspelt: &[Misspelt<'_>]) -> Option<Problem> {
    let is_missing = |name: &&str| !settings.get(*name).is_some_and(is_given) && problems.iter().all(|problem| problem.option != **name);
    let required = SETTINGS.iter().filter(|setting| setting.required).map(|setting| setting.name);
    let missing: Vec<_> = required.filter(is_missing).map(|name| absent(name, misspelt)).collect();
    (!missing.is_empty()).then(|| Problem { option: missing.join(", "), given: None, allowed: "required".to_owned() })
}

/// The options of the streams: those that are written for all of them, and for some what is written for it in front of those.
struct StreamOptions {
    streams: PerStream<StreamConfig>,
    run_wide: RunWide,
    contradictions: Contradictions,
    problems: Vec<Problem>,
}

impl StreamOptions {
    /// Reads them. `reader` gets the problems of what is written for all streams, so that each of them is reported once.
    fn read(reader: &mut Reader<'_>) -> Self {
        let written = reader.object("stream_options");
        reader.problems.extend(written.iter().filter_map(|(name, options)| unusable(name, options)));
        StreamConfig::read(reader);
        let run_wide = RunWide::read(reader);
        let mut all = Self { streams: PerStream::default(), run_wide, contradictions: Contradictions::default(), problems: Vec::new() };
        for stream in Stream::all() {
            let options = written.get(stream.name).and_then(reader::object).unwrap_or_default();
            all.read_stream(reader.over(&options, format!("stream_options.{}.", stream.name)), stream, &options);
        }
        all
    }

    fn read_stream(&mut self, mut own: Reader<'_>, stream: &'static Stream, written: &Map<String, Value>) {
        own.check_names_of_stream();
        let config = StreamConfig::read(&mut own);
        // Of a stream that is opt-in it is not known yet whether anybody reads it.
        if stream.is_default || !written.is_empty() {
            self.contradictions.note(&mut own, stream, &config);
        }
        self.run_wide = self.run_wide.least(RunWide::read(&mut own));
        if let Some(top) = config.top.filter(|&top| top > stream.page && written.contains_key("top")) {
            own.problem(format!("stream_options.{}.top", stream.name), &top.into(), &format!("a whole number from 1 to {}", stream.page));
        }
        self.problems.extend(own.problems.into_iter().filter(|problem| problem.option.starts_with("stream_options.")));
        self.streams[stream] = config;
    }
}

/// What is wrong with an entry of `stream_options` as a whole.
fn unusable(name: &str, options: &Value) -> Option<Problem> {
    let option = format!("stream_options.{name}");
    if Stream::named(name).is_none() {
        return Some(Problem { option, given: None, allowed: format!("no such stream; there are {}", Stream::names().join(", ")) });
    }
    let is_usable = options.is_null() || reader::object(options).is_some();
    (!is_usable).then(|| Problem { option, given: Some(reader::NOT_SHOWN.to_owned()), allowed: "an object of options".to_owned() })
}

/// Puts options of one stream in front of those that are written for it.
pub fn set_options(written: &mut Map<String, Value>, stream: &str, options: Map<String, Value>) {
    let object = |value: Option<&Value>| value.and_then(reader::object).unwrap_or_default();
    let mut of_streams = object(written.get("stream_options"));
    let mut of_stream = object(of_streams.get(stream));
    of_stream.extend(options);
    of_streams.insert(stream.to_owned(), of_stream.into());
    written.insert("stream_options".to_owned(), of_streams.into());
}

fn mebibytes(count: Option<u64>) -> usize {
    count.and_then(|count| usize::try_from(count << 20).ok()).unwrap_or(usize::MAX)
}

/// Options that a stream may have but that hold for the whole run: the least that is given counts.
#[derive(Clone, Copy, Debug)]
struct RunWide {
    max_concurrent_threads: Option<usize>,
    requests_per_second: Option<f64>,
}

impl RunWide {
    fn read(reader: &mut Reader<'_>) -> Self {
        let requests_per_second = reader.number("requests_per_second");
        Self {
            max_concurrent_threads: reader.count("max_concurrent_threads").and_then(|count| usize::try_from(count).ok()),
            // None at all would never end; some forms send 0 for an empty field.
            requests_per_second: requests_per_second.filter(|rate| *rate > 0.0),
        }
    }

    fn least(self, other: Self) -> Self {
        Self {
            max_concurrent_threads: self.max_concurrent_threads.into_iter().chain(other.max_concurrent_threads).min(),
            requests_per_second: self.requests_per_second.into_iter().chain(other.requests_per_second).reduce(f64::min),
        }
    }
}

impl Cloud {
    /// Graph's host.
    pub fn graph_host(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGov => "https://graph.microsoft.us",
            Self::UsGovDod => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }

    /// The sign-in host.
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
        let mut written = json!({"tenant_id": "contoso.com", "client_id": "c", "client_secret": "hidden-5ecret"});
        written.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Config::new(&written)
    }

    #[test]
    fn strings_mean_what_native_values_mean() {
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
    fn every_bad_value_is_named_at_once_and_no_secret_is_shown() {
        let error = config(json!({"tenant_id": "", "client_secret": ["hidden-5ecret"], "top": 0, "lookback_seconds": "-1", "start_date": "soon", "cloud": "mars", "fetch_all_teams": "perhaps",
            "team_id": "..,Sales", "requests_per_second": -1, "graph_url": "http://graph.microsoft.com", "login_url": "https://me:hidden-5ecret@host",
            "stream_options": {"chats": {"client_secret": "hidden-5ecret"}, "messages": {"top": 51, "cloud": "global", "client_secret": "hidden-5ecret"}, "teams": "hidden-5ecret"},
            "channel_id": [{"client_secret": "hidden-5ecret"}], "use_delta_api": {"client_secret": "hidden-5ecret"}})).unwrap_err();
        let text = error.to_string();
        assert!(!text.contains("hidden-5ecret"));
        insta::assert_snapshot!(text.replace("; option", ";\noption"));
    }

    #[test]
    fn unknown_keys_and_empty_values_are_no_problem() {
        let config =
            config(json!({"__injected": 1, "_limit": 5, "team_id": "", "top": null, "start_date": " ", "requests_per_second": 0})).unwrap();
        assert_eq!(*config.stream(&TEAMS).parents(&TEAM), Parents::Unknown);
        assert_eq!((config.requests_per_second, config.max_concurrent_threads), (None, 30));
    }

    #[test]
    fn all_missing_settings_are_said_in_one_sentence() {
        assert_eq!(Config::new(&json!({})).unwrap_err().to_string(), "missing: `tenant_id`, `client_id`, `client_secret`");
        assert!(Config::new(&json!([])).is_err());
    }

    #[test]
    fn every_default_is_readable() {
        for setting in SETTINGS.iter() {
            if let Some(default) = setting.default {
                let value: Value = serde_json::from_str(default).unwrap();
                assert!(config(json!({setting.name: value})).is_ok(), "{}", setting.name);
            }
        }
    }

    #[test]
    fn every_stream_takes_a_page_size_of_its_own() {
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
