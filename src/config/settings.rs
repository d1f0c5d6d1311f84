//! The list of settings. Validation, `spec`, `--about` and the documentation are all generated from it.

use std::{borrow::Cow, sync::LazyLock};

use serde_json::Value;

use crate::{
    level::{LEVELS, Level},
    streams::Stream,
};

/// A setting in the configuration.
#[derive(Clone, Debug)]
pub struct Setting {
    pub name: &'static str,
    /// Label in configuration forms.
    pub title: &'static str,
    pub description: Cow<'static, str>,
    pub kind: Kind,
    /// The default value, as JSON.
    pub default: Option<&'static str>,
    pub required: bool,
    /// Whether `stream_options` can override it for individual streams.
    pub per_stream: bool,
    pub audience: Audience,
    pub examples: &'static [&'static str],
}

/// Who uses a setting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Audience {
    Everyone,
    /// Whoever operates the machine. These settings are not part of the form that users of a platform fill in.
    Operator,
    /// Developers who use simulators, proxies or benchmarks.
    Developer,
}

/// The type of a setting's value. Every kind also accepts a string that contains the value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Text,
    /// A string that must not be shown.
    Secret,
    Flag,
    /// An integer in a range.
    Integer {
        min: u64,
        max: u64,
    },
    /// A non-negative number.
    Number,
    /// ISO 8601: a date, or a date and time; UTC if it has no time zone.
    DateTime,
    /// One id, several ids separated by commas, or a list.
    Ids,
    Choice(&'static [&'static str]),
    /// An https URL; http is allowed for the local machine only.
    Url,
    /// An object that maps each stream name to an object of settings.
    PerStream,
}

const DEFAULTS: Setting = Setting {
    name: "",
    title: "",
    description: Cow::Borrowed(""),
    kind: Kind::Text,
    default: None,
    required: false,
    per_stream: false,
    audience: Audience::Everyone,
    examples: &[],
};

/// All settings, in the order in which forms show them.
pub static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let parents = LEVELS.iter().flat_map(|level| level_settings(level));
    BEFORE_PARENTS.iter().cloned().chain(parents).chain(AFTER_PARENTS.iter().cloned()).collect()
});

/// The settings before the ones that select teams, channels and messages.
const BEFORE_PARENTS: &[Setting] = &[
    Setting {
        name: "tenant_id",
        title: "Tenant ID",
        description: Cow::Borrowed("Directory (tenant) ID of the Microsoft Entra tenant, or one of its verified domains."),
        required: true,
        examples: &["00000000-0000-0000-0000-000000000000", "contoso.onmicrosoft.com"],
        ..DEFAULTS
    },
    Setting {
        name: "client_id",
        title: "Client ID",
        description: Cow::Borrowed("Application (client) ID of the app registration."),
        required: true,
        examples: &["11111111-1111-1111-1111-111111111111"],
        ..DEFAULTS
    },
    Setting {
        name: "client_secret",
        title: "Client secret",
        description: Cow::Borrowed("Value (not the ID) of a client secret of the app registration."),
        kind: Kind::Secret,
        required: true,
        ..DEFAULTS
    },
    Setting {
        name: "client_secret_file",
        title: "Client secret file",
        description: Cow::Borrowed(
            "Path of a file that contains the client secret, for orchestrators that mount secrets as files. Set it instead of client_secret. The commands check, discover and read do not accept it in a configuration file, because other people may be able to edit that file: set the environment variable TAP_MICROSOFT_TEAMS_CLIENT_SECRET_FILE and add --config ENV.",
        ),
        audience: Audience::Operator,
        examples: &["/run/secrets/client_secret"],
        ..DEFAULTS
    },
];

/// The settings after the ones that select teams, channels and messages.
const AFTER_PARENTS: &[Setting] = &[
    Setting {
        name: "exclude",
        title: "Exclude",
        description: Cow::Borrowed(
            "Teams and channels to skip: ids or links copied from Teams, separated by commas. If Graph keeps failing for one channel, exclude it and the sync succeeds without it. Values set for one stream are added to those set for all streams.",
        ),
        kind: Kind::Ids,
        per_stream: true,
        examples: &["19:4a95f7d8db4c4e7fae857bcebe0623e6@thread.tacv2"],
        ..DEFAULTS
    },
    Setting {
        name: "start_date",
        title: "Start date",
        description: Cow::Borrowed(
            "The first sync reads messages and replies modified at or after this time. If empty, it reads everything.",
        ),
        kind: Kind::DateTime,
        per_stream: true,
        examples: &["2026-01-01T00:00:00Z", "2026-01-01"],
        ..DEFAULTS
    },
    Setting {
        name: "lookback_seconds",
        title: "Lookback, in seconds",
        description: Cow::Borrowed(
            "Each incremental sync overlaps the previous one by this many seconds, to catch changes that show up late in Graph. It does not have to match the schedule.",
        ),
        kind: Kind::Integer { min: 0, max: 31_536_000 },
        default: Some("300"),
        per_stream: true,
        ..DEFAULTS
    },
    Setting {
        name: "top",
        title: "Page size",
        description: Cow::Borrowed(
            "Items per page. If empty, the maximum that Graph allows: 50 for messages and replies, 999 elsewhere. Values above 50 do not apply to messages and replies.",
        ),
        kind: Kind::Integer { min: 1, max: 999 },
        per_stream: true,
        ..DEFAULTS
    },
    Setting {
        name: "max_pages_per_batch",
        title: "Pages between checkpoints",
        description: Cow::Borrowed(
            "Number of pages read from a channel between checkpoints. This limits the size of a batch, not how much a sync reads.",
        ),
        kind: Kind::Integer { min: 1, max: 100_000 },
        default: Some("100"),
        per_stream: true,
        ..DEFAULTS
    },
    Setting {
        name: "use_delta_api",
        title: "Use the delta API",
        description: Cow::Borrowed(
            "Use Graph's delta query to find changed messages. If false, changes are found by paging through the messages.",
        ),
        kind: Kind::Flag,
        default: Some("true"),
        per_stream: true,
        ..DEFAULTS
    },
    Setting {
        name: "max_concurrent_threads",
        title: "Concurrent requests",
        description: Cow::Borrowed("Maximum number of concurrent requests. Defaults to 30, which is enough to reach Graph's rate limits."),
        kind: Kind::Integer { min: 1, max: 64 },
        per_stream: true,
        examples: &["30"],
        ..DEFAULTS
    },
    Setting {
        name: "requests_per_second",
        title: "Requests per second",
        description: Cow::Borrowed(
            "Maximum total request rate. Set it if this connection should stay below Graph's limits. If empty, Graph's documented limits apply.",
        ),
        kind: Kind::Number,
        per_stream: true,
        ..DEFAULTS
    },
    Setting {
        name: "max_page_mb",
        title: "Maximum page size, in MiB",
        description: Cow::Borrowed(
            "Maximum size of a response from Graph after decompression. Larger responses are not read. Graph's largest page (50 messages with 200 replies of 28 KB each) is 267 MiB.",
        ),
        kind: Kind::Integer { min: 1, max: 4095 },
        default: Some("300"),
        ..DEFAULTS
    },
    Setting {
        name: "max_record_mb",
        title: "Maximum record size, in MiB",
        description: Cow::Borrowed(
            "Maximum size of a record. Larger records are skipped and reported as an error. Many destinations accept lines of at most 16 to 50 MB; a Teams message is at most 28 KB.",
        ),
        kind: Kind::Integer { min: 1, max: 1024 },
        default: Some("16"),
        ..DEFAULTS
    },
    Setting {
        name: "cloud",
        title: "Cloud",
        description: Cow::Borrowed(
            "Microsoft cloud of the tenant: global (including GCC), us_gov (GCC High), us_gov_dod (DoD) or china (21Vianet).",
        ),
        kind: Kind::Choice(&["global", "us_gov", "us_gov_dod", "china"]),
        default: Some("\"global\""),
        ..DEFAULTS
    },
    Setting {
        name: "stream_options",
        title: "Options for individual streams",
        description: Cow::Borrowed(
            "Options for individual streams, such as start_date or top. For that stream they override the options above.",
        ),
        kind: Kind::PerStream,
        default: Some("{}"),
        ..DEFAULTS
    },
    Setting {
        name: "pace",
        title: "Pace",
        description: Cow::Borrowed(
            "Request rate as a multiple of Graph's documented rate limits; 0 disables pacing. For simulators and benchmarks.",
        ),
        kind: Kind::Number,
        default: Some("1"),
        audience: Audience::Developer,
        ..DEFAULTS
    },
    Setting {
        name: "graph_url",
        title: "Graph URL",
        description: Cow::Borrowed("Scheme and host of Microsoft Graph, instead of the cloud's default. For simulators and proxies."),
        kind: Kind::Url,
        audience: Audience::Developer,
        ..DEFAULTS
    },
    Setting {
        name: "login_url",
        title: "Login URL",
        description: Cow::Borrowed("Scheme and host of the sign-in service, instead of the cloud's default. For simulators and proxies."),
        kind: Kind::Url,
        audience: Audience::Developer,
        ..DEFAULTS
    },
];

/// The two settings of a level: ids to select, and a flag to select all.
fn level_settings(level: &'static Level) -> [Setting; 2] {
    let streams: Vec<_> = Stream::all().filter(|stream| stream.is_below(level)).map(|stream| stream.name).collect();
    let [ids_title, all_title] = level.titles;
    let [ids_description, all_description] = level.descriptions;
    let ids = Setting {
        name: level.id,
        title: ids_title,
        description: format!("{ids_description} Required for {}, unless {} is true.", join_with_and(&streams), level.all).into(),
        kind: Kind::Ids,
        per_stream: true,
        examples: std::slice::from_ref(&level.example),
        ..DEFAULTS
    };
    let all = Setting {
        name: level.all,
        title: all_title,
        description: all_description.into(),
        kind: Kind::Flag,
        default: Some("false"),
        per_stream: true,
        ..DEFAULTS
    };
    [ids, all]
}

/// Joins names as in a sentence: "a, b and c".
pub(super) fn join_with_and(names: &[&str]) -> String {
    match names {
        [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        names => names.concat(),
    }
}

impl Setting {
    /// The examples as JSON values.
    pub fn example_values(&self) -> Vec<Value> {
        let value = |example: &&str| match self.kind {
            Kind::Integer { .. } | Kind::Number => serde_json::from_str(example).unwrap_or_default(),
            _ => (*example).into(),
        };
        self.examples.iter().map(value).collect()
    }
}

pub fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}
