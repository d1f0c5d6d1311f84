//! The command line: the verbs of Airbyte, the flags of Singer, and commands of our own for people.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::level::{LEVELS, Level};

/// What stands in the help over the options that every command has.
const WATCHING: &str = "Log and progress";

/// What was asked on the command line.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "tap-microsoft-teams",
    version = concat!("v", env!("CARGO_PKG_VERSION")),
    about = "Extracts Microsoft Teams: teams, channels, members, channel messages and thread replies",
    long_about = "Extracts Microsoft Teams (teams, channels, members, channel messages and thread replies) from Microsoft Graph v1.0 \
        with application permissions. An Airbyte source with spec, check, discover and read, a Singer tap without a command; \
        the other commands are for people.",
    after_help = "Exit codes: 0 all done (also: check says FAILED); 1 something failed or is incomplete; 2 wrong usage. Ended by a signal: that signal.",
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// A command; without one, it is a Singer tap.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// What to do in Singer's words.
    #[command(flatten)]
    pub singer: Singer,
    /// Log what is as important as that: error, warn, info, debug or trace; info unless the environment says another
    #[arg(long, global = true, value_name = "LEVEL", conflicts_with = "debug", hide_possible_values = true, help_heading = WATCHING)]
    pub log_level: Option<LogLevel>,
    /// The same as --log-level debug
    #[arg(long, global = true, help_heading = WATCHING)]
    pub debug: bool,
    /// Show no bars on a terminal, which another program in the pipe writes to as well
    #[arg(long, global = true, help_heading = WATCHING)]
    pub no_progress: bool,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// The verbs of an Airbyte source.
    #[command(flatten)]
    Airbyte(Airbyte),
    /// Print a configuration with comments, to fill in
    #[command(display_order = 1)]
    SampleConfig,
    /// Write the records of one stream to stdout, a line of JSON each: to look at them, without a state
    #[command(display_order = 4)]
    Extract(Extract),
    /// Say what a run would do, and how long it would take, from a few requests
    #[command(display_order = 3)]
    Plan(Plan),
}

/// What to do in Airbyte's words.
#[derive(Clone, Debug, Subcommand)]
pub enum Airbyte {
    /// Print what the configuration may contain (Airbyte)
    #[command(display_order = 5)]
    Spec,
    /// Say whether a configuration works, and what is missing (Airbyte; in sentences on a terminal)
    #[command(display_order = 2)]
    Check(Check),
    /// Print the streams and their schemas (Airbyte)
    #[command(display_order = 6)]
    Discover(Configured),
    /// Read the streams of a catalog (Airbyte)
    #[command(display_order = 7)]
    Read {
        /// The configuration.
        #[command(flatten)]
        config: Configured,
        /// File with the configured catalog, in JSON
        #[arg(long, value_name = "FILE")]
        catalog: PathBuf,
        /// File with the state that an earlier run wrote, in JSON
        #[arg(long, value_name = "FILE")]
        state: Option<PathBuf>,
    },
}

/// What is checked.
#[derive(Args, Clone, Debug)]
pub struct Check {
    /// The configuration.
    #[command(flatten)]
    pub settings: Configured,
    /// These streams too; names separated by commas. Without it, the streams that are selected by default
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub streams: Vec<String>,
    /// Exit with 1 unless every checked stream works; one that is not configured does not work
    #[arg(long)]
    pub strict: bool,
}

/// A configuration that must be named.
#[derive(Args, Clone, Debug)]
pub struct Configured {
    /// File with the configuration, in JSON; of several the later wins. ENV takes the variables TAP_MICROSOFT_TEAMS_*
    #[arg(long, short, value_name = "FILE|ENV", required = true)]
    pub config: Vec<PathBuf>,
}

/// A configuration that is in the environment if it is nowhere else.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// File with the configuration, in JSON; of several the later wins. ENV takes the variables TAP_MICROSOFT_TEAMS_*
    #[arg(long, short, value_name = "FILE|ENV", default_value = "ENV")]
    pub config: Vec<PathBuf>,
}

/// What to extract. What is not named here is as the configuration says; parents that nothing names are all read.
#[derive(Args, Clone, Debug)]
pub struct Extract {
    /// The configuration.
    #[command(flatten)]
    pub settings: Settings,
    /// teams, channels, members, messages or message_replies
    #[arg(long, value_name = "NAME")]
    pub stream: String,
    /// The parents that are named.
    #[command(flatten)]
    pub parents: Parents,
    /// None of these teams and channels; ids separated by commas
    #[arg(long, value_name = "IDS")]
    pub exclude: Option<String>,
    /// Only what was modified at or after that time, in ISO 8601
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
}

/// The parents that flags name: those of a level by its name, such as `--team`.
#[derive(Clone, Debug, Default)]
pub struct Parents(pub Vec<(&'static Level, String)>);

impl Args for Parents {
    fn augment_args(command: clap::Command) -> clap::Command {
        let flag = |level: &&'static Level| {
            let help = format!("Only these {}; ids separated by commas", level.titles[0].to_lowercase());
            Arg::new(level.name).long(level.name).value_name("IDS").help(help)
        };
        command.args(LEVELS.iter().map(flag))
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Parents {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let ids = |level: &&'static Level| Some((*level, matches.get_one::<String>(level.name)?.clone()));
        Ok(Self(LEVELS.iter().filter_map(ids).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Which run is planned.
#[derive(Args, Clone, Debug)]
pub struct Plan {
    /// The configuration.
    #[command(flatten)]
    pub settings: Settings,
    /// File with the catalog of either protocol, in JSON; without one, all streams that the configuration allows
    #[arg(long, value_name = "FILE")]
    pub catalog: Option<PathBuf>,
    /// File with the state that an earlier run wrote, in JSON
    #[arg(long, short, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: PlanFormat,
}

/// How a plan is printed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PlanFormat {
    /// Tables, for people.
    Table,
    /// JSON.
    Json,
}

/// The flags of a Singer tap. They come together, in any order; the first of about, discover, test and sync that is asked is done.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Singer")]
pub struct Singer {
    /// File with the configuration, in JSON; of several the later wins. ENV takes the variables TAP_MICROSOFT_TEAMS_*
    #[arg(long, short, value_name = "FILE|ENV")]
    pub config: Vec<PathBuf>,
    /// Print the catalog
    #[arg(long, short)]
    pub discover: bool,
    /// File with the catalog, in JSON: which streams and columns are read
    #[arg(long, value_name = "FILE")]
    pub catalog: Option<PathBuf>,
    /// The same, as older tools call it
    #[arg(long, short, value_name = "FILE", conflicts_with = "catalog")]
    pub properties: Option<PathBuf>,
    /// File with the state that an earlier run wrote, in JSON
    #[arg(long, short, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Print what the tap is and which settings it takes
    #[arg(long)]
    pub about: bool,
    /// How --about prints
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: AboutFormat,
    /// Read one record a stream; with =schema, print the schemas only
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "records")]
    pub test: Option<Test>,
    /// How log lines on stderr look; JSON by itself where Meltano asks for it
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// How `--about` prints.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum AboutFormat {
    /// Lines.
    #[default]
    Text,
    /// JSON.
    Json,
    /// Markdown.
    Markdown,
}

/// What `--test` does.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Test {
    /// One record a stream.
    Records,
    /// The schemas only.
    Schema,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogLevel {
    /// What failed.
    Error,
    /// And what was left out.
    Warn,
    /// And how the run goes.
    Info,
    /// And each request.
    Debug,
    /// And all that can be said.
    Trace,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// `LEVEL text`
    Text,
    /// One JSON object a line.
    Json,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
