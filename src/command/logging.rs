//! Log levels, and the subscriber that receives log events.

use std::env;

use tracing::{Level, Subscriber};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
};

use crate::{
    cli::{Cli, LogLevel},
    console::{Format, Terminal, forward::Forward},
    secrets::Secrets,
};

/// The log options of the command line, and the secrets that no log may contain.
#[derive(Clone, Debug)]
pub(super) struct LogOptions {
    level: Option<LevelFilter>,
    bars: bool,
    pub(super) secrets: Secrets,
}

impl LogOptions {
    pub(super) fn new(cli: &Cli) -> Self {
        let level = cli.log_level.map(|level| match level {
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Trace => LevelFilter::TRACE,
        });
        Self { level: level.or_else(|| cli.debug.then_some(LevelFilter::DEBUG)), bars: !cli.no_progress, secrets: Secrets::default() }
    }

    /// The level of the command line, otherwise the first of the fallbacks that is set.
    pub(super) fn level(&self, fallbacks: impl IntoIterator<Item = Option<String>>) -> LevelFilter {
        let fallback = || fallbacks.into_iter().flatten().find(|name| !name.is_empty());
        self.level.or_else(|| parse_level(&fallback()?)).unwrap_or(LevelFilter::INFO)
    }

    /// Progress is shown only if messages of level info are, too.
    pub(super) fn screen(&self, level: LevelFilter) -> Terminal {
        Terminal::of_process(level >= LevelFilter::INFO, self.bars)
    }
}

/// Also accepts the names of Python's levels and of platforms.
fn parse_level(name: &str) -> Option<LevelFilter> {
    match name.to_lowercase().as_str() {
        "trace" => Some(LevelFilter::TRACE),
        "debug" => Some(LevelFilter::DEBUG),
        "info" => Some(LevelFilter::INFO),
        "warn" | "warning" => Some(LevelFilter::WARN),
        "error" | "critical" | "fatal" => Some(LevelFilter::ERROR),
        _ => None,
    }
}

pub(super) fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// The format of log lines on stderr.
pub(super) fn plain_format(screen: &Terminal) -> Format {
    if screen.is_terminal() { Format::Terminal } else { Format::Text }
}

/// Passes log events of that level to `log`. Events of libraries are dropped, because they may contain parts of requests.
pub(super) fn subscriber(level: LevelFilter, log: impl Fn(Level, String) + Send + Sync + 'static) -> impl Subscriber + Send + Sync {
    let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
    tracing_subscriber::registry().with(ours).with(Forward(log))
}
