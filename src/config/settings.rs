//! The settings, declared once: reading, validation, `spec`, `--about` and the documentation derive from this list.

use std::{borrow::Cow, sync::LazyLock};

use serde_json::Value;

use crate::{
    level::{LEVELS, Level},
    streams::Stream,
};

/// One setting of the configuration.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Its key.
    pub name: &'static str,
    /// What it is called where a form shows it.
    pub title: &'static str,
    /// What it means: its documentation.
    pub description: Cow<'static, str>,
    /// What values it takes.
    pub kind: Kind,
    /// Its value when it is not given, as JSON.
    pub default: Option<&'static str>,
    /// Whether there is no run without it.
    pub required: bool,
    /// Whether `stream_options` may override it for a stream.
    pub per_stream: bool,
    /// Whom it is for.
    pub audience: Audience,
    /// Values that show its form.
    pub examples: &'static [&'static str],
}

/// Whom a setting is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Audience {
    /// Everybody.
    Everyone,
    /// Who runs the executable: not in a form, which others may fill in.
    Operator,
    /// Simulators, proxies and benches.
    Simulator,
}

/// What values a setting takes. Each also takes its value written as a string.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A text.
    Text,
    /// A text that is never shown.
    Secret,
    /// true or false.
    Flag,
    /// A whole number in a range.
    Count {
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A number that is not negative.
    Number,
    /// ISO 8601: a date, or a date and time; without a zone it is UTC.
    DateTime,
    /// One id, or several separated by commas, or a list.
    Ids,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// A URL: https, or http on the machine itself.
    Url,
    /// For each stream an object of settings.
    PerStream,
}

const SETTING: Setting = Setting {
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

/// All settings, in the order in which a form shows them.
pub static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| {
    let of_levels = LEVELS.iter().flat_map(|level| of_level(level));
    BEFORE_LEVELS.iter().cloned().chain(of_levels).chain(AFTER_LEVELS.iter().cloned()).collect()
});

/// The settings before those that name parents.
const BEFORE_LEVELS: &[Setting] = &[
    Setting {
        name: "tenant_id",
        title: "Tenant ID",
        description: Cow::Borrowed("Directory (tenant) ID of the Microsoft Entra tenant, or one of its verified domains."),
        required: true,
        examples: &["00000000-0000-0000-0000-000000000000", "contoso.onmicrosoft.com"],
        ..SETTING
    },
    Setting {
        name: "client_id",
        title: "Client ID",
        description: Cow::Borrowed("Application (client) ID of the app registration."),
        required: true,
        examples: &["11111111-1111-1111-1111-111111111111"],
        ..SETTING
    },
    Setting {
        name: "client_secret",
        title: "Client secret",
        description: Cow::Borrowed("Value (not the ID) of a client secret of the app registration."),
        kind: Kind::Secret,
        required: true,
        ..SETTING
    },
    Setting {
        name: "client_secret_file",
        title: "File with the client secret",
        description: Cow::Borrowed(
            "Instead of client_secret: the path of a file that holds it, as orchestrators mount secrets. Not taken by check, discover and read from a file: there, set the variable TAP_MICROSOFT_TEAMS_CLIENT_SECRET_FILE and add --config ENV.",
        ),
        audience: Audience::Operator,
        examples: &["/run/secrets/client_secret"],
        ..SETTING
    },
];

/// And after them.
const AFTER_LEVELS: &[Setting] = &[
    Setting {
        name: "exclude",
        title: "Leave out",
        description: Cow::Borrowed(
            "Teams and channels that no stream reads: ids, or links of Teams, separated by commas. If Graph never answers for one channel, a sync without it succeeds. The list of a stream adds to the list of all.",
        ),
        kind: Kind::Ids,
        per_stream: true,
        examples: &["19:4a95f7d8db4c4e7fae857bcebe0623e6@thread.tacv2"],
        ..SETTING
    },
    Setting {
        name: "start_date",
        title: "Start date",
        description: Cow::Borrowed(
            "The first sync reads the messages and replies that were modified at or after this time. If empty, it reads everything.",
        ),
        kind: Kind::DateTime,
        per_stream: true,
        examples: &["2026-01-01T00:00:00Z", "2026-01-01"],
        ..SETTING
    },
    Setting {
        name: "lookback_seconds",
        title: "Lookback, in seconds",
        description: Cow::Borrowed("Incremental reads overlap the stored cursor by this much. It need not match the schedule."),
        kind: Kind::Count { min: 0, max: 31_536_000 },
        default: Some("300"),
        per_stream: true,
        ..SETTING
    },
    Setting {
        name: "top",
        title: "Page size",
        description: Cow::Borrowed(
            "Items a page. If empty, the most that each of Graph's lists allows: 50 for messages and replies, 999 elsewhere. Above 50 it counts for the other lists only.",
        ),
        kind: Kind::Count { min: 1, max: 999 },
        per_stream: true,
        ..SETTING
    },
    Setting {
        name: "max_pages_per_batch",
        title: "Pages between two checkpoints",
        description: Cow::Borrowed("Pages of one channel between two states. It bounds a batch and never cuts a sync."),
        kind: Kind::Count { min: 1, max: 100_000 },
        default: Some("100"),
        per_stream: true,
        ..SETTING
    },
    Setting {
        name: "use_delta_api",
        title: "Use the delta API",
        description: Cow::Borrowed(
            "Follow changes of messages by Graph's delta query. If false, only the documented list of messages is used.",
        ),
        kind: Kind::Flag,
        default: Some("true"),
        per_stream: true,
        ..SETTING
    },
    Setting {
        name: "max_concurrent_threads",
        title: "Requests in flight",
        description: Cow::Borrowed("Requests in flight at most. If empty, as many as Graph's rates need (30)."),
        kind: Kind::Count { min: 1, max: 64 },
        per_stream: true,
        examples: &["30"],
        ..SETTING
    },
    Setting {
        name: "requests_per_second",
        title: "Requests a second",
        description: Cow::Borrowed(
            "Total rate at most, for tenants that give this connection a share of Graph's budget. If empty, Graph's documented rates.",
        ),
        kind: Kind::Number,
        per_stream: true,
        ..SETTING
    },
    Setting {
        name: "max_page_mb",
        title: "Largest page, in MiB",
        description: Cow::Borrowed(
            "An answer of Graph that is larger, decompressed, is not read. Graph's largest page (50 messages with 200 replies of 28 KB each) would have 267.",
        ),
        kind: Kind::Count { min: 1, max: 4095 },
        default: Some("300"),
        ..SETTING
    },
    Setting {
        name: "max_record_mb",
        title: "Largest record, in MiB",
        description: Cow::Borrowed(
            "A record that is larger is left out, and the run says so. Many destinations take lines of 16 to 50 MB at most; a message of Teams has 28 KB.",
        ),
        kind: Kind::Count { min: 1, max: 1024 },
        default: Some("16"),
        ..SETTING
    },
    Setting {
        name: "cloud",
        title: "Cloud",
        description: Cow::Borrowed(
            "The Microsoft cloud of the tenant: global (also GCC), us_gov (GCC High), us_gov_dod, or china (21Vianet).",
        ),
        kind: Kind::Choice(&["global", "us_gov", "us_gov_dod", "china"]),
        default: Some("\"global\""),
        ..SETTING
    },
    Setting {
        name: "stream_options",
        title: "Options of single streams",
        description: Cow::Borrowed("For each stream any of the options above, overriding them for that stream alone."),
        kind: Kind::PerStream,
        default: Some("{}"),
        ..SETTING
    },
    Setting {
        name: "pace",
        title: "Pace",
        description: Cow::Borrowed("Multiple of Graph's documented rates; 0 sends unpaced. For simulators and benches."),
        kind: Kind::Number,
        default: Some("1"),
        audience: Audience::Simulator,
        ..SETTING
    },
    Setting {
        name: "graph_url",
        title: "Graph URL",
        description: Cow::Borrowed("Scheme and host of Microsoft Graph, instead of the cloud's. For simulators and proxies."),
        kind: Kind::Url,
        audience: Audience::Simulator,
        ..SETTING
    },
    Setting {
        name: "login_url",
        title: "Login URL",
        description: Cow::Borrowed("Scheme and host of the sign-in service, instead of the cloud's. For simulators and proxies."),
        kind: Kind::Url,
        audience: Audience::Simulator,
        ..SETTING
    },
];

/// The two settings of a level: the one that names parents, and the one that reads all of them.
fn of_level(level: &'static Level) -> [Setting; 2] {
    let streams: Vec<_> = Stream::all().filter(|stream| stream.is_below(level)).map(|stream| stream.name).collect();
    let [names, reads_all] = level.meanings;
    let [title, title_of_all] = level.titles;
    let named = Setting {
        name: level.id,
        title,
        description: format!("{names} Needed by {}, unless all {} are fetched.", listed(&streams), level.plural).into(),
        kind: Kind::Ids,
        per_stream: true,
        examples: std::slice::from_ref(&level.example),
        ..SETTING
    };
    let all = Setting {
        name: level.all,
        title: title_of_all,
        description: reads_all.into(),
        kind: Kind::Flag,
        default: Some("false"),
        per_stream: true,
        ..SETTING
    };
    [named, all]
}

/// Names in a sentence: "a, b and c".
pub(super) fn listed(names: &[&str]) -> String {
    match names {
        [others @ .., last] if !others.is_empty() => format!("{} and {last}", others.join(", ")),
        names => names.concat(),
    }
}

impl Setting {
    /// The examples, as a configuration has them.
    pub fn example_values(&self) -> Vec<Value> {
        let value = |example: &&str| match self.kind {
            Kind::Count { .. } | Kind::Number => serde_json::from_str(example).unwrap_or_default(),
            _ => (*example).into(),
        };
        self.examples.iter().map(value).collect()
    }
}

/// The setting of that name.
pub fn setting(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.name == name)
}
