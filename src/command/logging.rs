//! How much is said, and by which way it goes to whoever reads it.

use std::env;

use tracing::{Level, Subscriber};
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    layer::SubscriberExt,
};

use crate::{
    cli::{Cli, LogLevel},
    console::{Format, Screen, forward::Forward},
    secrets::Secrets,
};

/// What the command line says about logs, and what none of them shows.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    level: Option<LevelFilter>,
    bars: bool,
    pub(super) secrets: Secrets,
}

impl Wanted {
    pub(super) fn of(cli: &Cli) -> Self {
        let level = cli.log_level.map(|level| match level {
            LogLevel::Error => LevelFilter::ERROR,
            LogLevel::Warn => LevelFilter::WARN,
            LogLevel::Info => LevelFilter::INFO,
            LogLevel::Debug => LevelFilter::DEBUG,
            LogLevel::Trace => LevelFilter::TRACE,
        });
        Self { level: level.or_else(|| cli.debug.then_some(LevelFilter::DEBUG)), bars: !cli.no_progress, secrets: Secrets::default() }
    }

    /// The level, which the command line says, or else the first of these that says something.
    pub(super) fn level(&self, named: impl IntoIterator<Item = Option<String>>) -> LevelFilter {
        let named = || named.into_iter().flatten().find(|name| !name.is_empty());
        self.level.or_else(|| level_of(&named()?)).unwrap_or(LevelFilter::INFO)
    }

    /// Where the run is watched. Where nothing is said, nothing is shown either.
    pub(super) fn screen(&self, level: LevelFilter) -> Screen {
        Screen::of_process(level >= LevelFilter::INFO, self.bars)
    }
}

/// The level of that name: in our words, in Python's, or in those of a platform.
fn level_of(name: &str) -> Option<LevelFilter> {
    match name.to_lowercase().as_str() {
        "trace" => Some(LevelFilter::TRACE),
        "debug" => Some(LevelFilter::DEBUG),
        "info" => Some(LevelFilter::INFO),
        "warn" | "warning" => Some(LevelFilter::WARN),
        "error" | "critical" | "fatal" => Some(LevelFilter::ERROR),
        _ => None,
    }
}

/// What a variable of the environment holds.
pub(super) fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// How plain lines look, there where they are read.
pub(super) fn plain(screen: &Screen) -> Format {
    if screen.is_terminal() { Format::Terminal } else { Format::Text }
}

/// Hands what is said from that level on to `say`. What libraries say is left out: they may quote what was sent.
pub(super) fn subscriber(level: LevelFilter, say: impl Fn(Level, String) + Send + Sync + 'static) -> impl Subscriber + Send + Sync {
    let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), level);
    tracing_subscriber::registry().with(ours).with(Forward(say))
}
