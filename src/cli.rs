//! The command line: the commands of an Airbyte source, the flags of a Singer tap, and commands for interactive use.

use std::path::PathBuf;

use clap::{Arg, ArgMatches, Args, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::level::{LEVELS, Level};

const LOGGING_HEADING: &str = "Log and progress";

// The doc comments on commands and options are the text of `--help`.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "tap-microsoft-teams",
    version = concat!("v", env!("CARGO_PKG_VERSION")),
    about = "Extract teams, channels, members, messages and replies from Microsoft Teams",
    long_about = "Extract teams, channels, members, channel messages and thread replies from Microsoft Teams, through Microsoft Graph v1.0 with \
        application permissions. Without a command, it acts as a Singer tap. The commands spec, check, discover and read make it an Airbyte \
        source; the other commands are for interactive use.",
    after_help = "Exit codes: 0 success (also if check reports FAILED); 1 something failed or is incomplete; 2 usage error. If a signal \
        kills the program, the exit status reflects that signal.",
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub singer: Singer,
    /// Minimum log level: error, warn, info, debug or trace. The default is info, unless the environment sets a level
    #[arg(long, global = true, value_name = "LEVEL", conflicts_with = "debug", hide_possible_values = true, help_heading = LOGGING_HEADING)]
    pub log_level: Option<LogLevel>,
    /// Same as --log-level debug
    #[arg(long, global = true, help_heading = LOGGING_HEADING)]
    pub debug: bool,
    /// Do not show progress bars (use this when another program writes to the same terminal)
    #[arg(long, global = true, help_heading = LOGGING_HEADING)]
    pub no_progress: bool,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    #[command(flatten)]
    Airbyte(Airbyte),
    /// Print a sample configuration with comments
    #[command(display_order = 1)]
    SampleConfig,
    /// Write the records of one stream to stdout as JSON Lines, without state
    #[command(display_order = 4)]
    Extract(Extract),
    /// Estimate how many requests a run needs and how long it takes, by sending a few requests
    #[command(display_order = 3)]
    Plan(Plan),
    /// Print the column types for a reader such as DuckDB, Polars or BigQuery, ready to paste
    #[command(display_order = 8)]
    Schema(Schema),
}

#[derive(Args, Clone, Debug)]
pub struct Schema {
    /// The database, library or loader that reads the records
    #[arg(long = "for", value_name = "READER")]
    pub reader: Reader,
    /// Streams, separated by commas; if omitted, all streams that are selected by default
    #[arg(long = "stream", value_name = "NAMES", value_delimiter = ',')]
    pub streams: Vec<String>,
    /// How to declare objects and lists
    #[arg(long, value_name = "FORM", default_value = "json")]
    pub nested: Nested,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Airbyte {
    /// Print the connector specification (Airbyte)
    #[command(display_order = 5)]
    Spec,
    /// Check whether the configuration works, and report what is missing (Airbyte; prints plain text on a terminal)
    #[command(display_order = 2)]
    Check(Check),
    /// Print the streams and their schemas (Airbyte)
    #[command(display_order = 6)]
    Discover(RequiredConfig),
    /// Read the streams of a configured catalog (Airbyte)
    #[command(display_order = 7)]
    Read {
        #[command(flatten)]
        config: RequiredConfig,
        /// File with the configured catalog, in JSON
        #[arg(long, value_name = "FILE")]
        catalog: PathBuf,
        /// File with the state of an earlier run, in JSON
        #[arg(long, value_name = "FILE")]
        state: Option<PathBuf>,
    },
}

#[derive(Args, Clone, Debug)]
pub struct Check {
    #[command(flatten)]
    pub config: RequiredConfig,
    /// Names of streams to check in addition to the default ones, separated by commas
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub streams: Vec<String>,
    /// Exit with 1 unless every checked stream works; a stream that is not configured counts as not working
    #[arg(long)]
    pub strict: bool,
}

#[derive(Args, Clone, Debug)]
pub struct RequiredConfig {
    /// Configuration file, in JSON. Can be repeated: later files override earlier ones. ENV reads the environment variables
    /// TAP_MICROSOFT_TEAMS_*, which override all files
    #[arg(long, short, value_name = "FILE|ENV", required = true)]
    pub config: Vec<PathBuf>,
}

/// A configuration that is read from the environment unless files are passed.
#[derive(Args, Clone, Debug)]
pub struct OptionalConfig {
    /// Configuration file, in JSON. Can be repeated: later files override earlier ones. ENV reads the environment variables
    /// TAP_MICROSOFT_TEAMS_*, which override all files
    #[arg(long, short, value_name = "FILE|ENV", default_value = "ENV")]
    pub config: Vec<PathBuf>,
}

// Flags override the configuration. If neither selects any teams or channels, all of them are read.
#[derive(Args, Clone, Debug)]
pub struct Extract {
    #[command(flatten)]
    pub config: OptionalConfig,
    /// Stream to extract: teams, channels, members, messages, message_replies, channel_members or team_device_usage_report
    #[arg(long, value_name = "NAME")]
    pub stream: String,
    #[command(flatten)]
    pub parents: Parents,
    /// Skip these teams and channels (ids separated by commas)
    #[arg(long, value_name = "IDS")]
    pub exclude: Option<String>,
    /// Extract only records modified at or after this time (ISO 8601)
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
}

/// The parents selected by flags. Each level has its own flag, such as `--team`.
#[derive(Clone, Debug, Default)]
pub struct Parents(pub Vec<(&'static Level, String)>);

impl Args for Parents {
    fn augment_args(command: clap::Command) -> clap::Command {
        let flag = |level: &&'static Level| {
            let help = format!("Read only these {} (ids separated by commas)", level.titles[0].to_lowercase());
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

#[derive(Args, Clone, Debug)]
pub struct Plan {
    #[command(flatten)]
    pub config: OptionalConfig,
    /// File with an Airbyte or Singer catalog, in JSON. Without it, the estimate covers all streams that the configuration allows
    #[arg(long, value_name = "FILE")]
    pub catalog: Option<PathBuf>,
    /// File with the state of an earlier run, in JSON
    #[arg(long, short, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub format: PlanFormat,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PlanFormat {
    /// Tables and text
    Table,
    /// JSON
    Json,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Reader {
    /// SQL that loads JSON Lines files into a table
    Duckdb,
    /// Python code that reads JSON Lines files
    Polars,
    /// Python code that reads JSON Lines files
    Pyarrow,
    /// Python code that reads JSON Lines files
    Pandas,
    /// Python code that reads JSON Lines files and merges them into Delta tables
    Spark,
    /// SQL that loads JSON Lines files into a table
    Clickhouse,
    /// SQL for psql that loads a JSON Lines file into a table
    Postgres,
    /// Python code: a dlt resource with a type for each column
    Dlt,
    /// YAML: a replication with a type for each column
    Sling,
    /// SQL that loads JSON Lines files into a table
    Bigquery,
    /// SQL that loads JSON Lines files into a table
    Snowflake,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Nested {
    /// As JSON, so nothing is lost when Graph adds a field
    Json,
    /// As lists and structs if their fields are known, otherwise as JSON
    Typed,
}

// These flags may be combined in any order. If several modes are set, about takes precedence over discover, discover over test, and test over
// sync.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Singer")]
pub struct Singer {
    /// Configuration file, in JSON. Can be repeated: later files override earlier ones. ENV reads the environment variables
    /// TAP_MICROSOFT_TEAMS_*, which override all files
    #[arg(long, short, value_name = "FILE|ENV")]
    pub config: Vec<PathBuf>,
    /// Print the catalog
    #[arg(long, short)]
    pub discover: bool,
    /// File with the catalog, in JSON, which selects streams and columns
    #[arg(long, value_name = "FILE")]
    pub catalog: Option<PathBuf>,
    /// Same as --catalog, for older tools
    #[arg(long, short, value_name = "FILE", conflicts_with = "catalog")]
    pub properties: Option<PathBuf>,
    /// File with the state of an earlier run, in JSON
    #[arg(long, short, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Print the version, the capabilities and the settings of the tap
    #[arg(long)]
    pub about: bool,
    /// Output format of --about
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: AboutFormat,
    /// Read one record per stream; with --test=schema, only print the schemas
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "records")]
    pub test: Option<Test>,
    /// Format of the log on stderr. The default is text, or JSON if Meltano's logging configuration requests it
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub enum AboutFormat {
    /// Plain text
    #[default]
    Text,
    /// JSON
    Json,
    /// Markdown
    Markdown,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Test {
    /// One record per stream
    Records,
    /// Only the schemas
    Schema,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// `LEVEL message`
    Text,
    /// One JSON object per line
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
