//! The command line: the verbs of Airbyte.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// What was asked on the command line.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "tap-microsoft-teams",
    version,
    about = "Extracts Microsoft Teams: teams, channels, members, channel messages and thread replies",
    long_about = "Extracts Microsoft Teams (teams, channels, members, channel messages and thread replies) from Microsoft Graph v1.0 with application permissions, as an Airbyte source.",
    after_help = "Exit codes: 0 all done (also: check says FAILED); 1 something failed or is incomplete; 2 wrong usage. Ended by a signal: that signal.",
    arg_required_else_help = true
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Say more in the log.
    #[arg(long, global = true)]
    pub debug: bool,
}

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Print what the configuration may contain
    Spec,
    /// Say whether a configuration works
    Check(Configured),
    /// Print the streams and their schemas
    Discover(Configured),
    /// Read the streams of a catalog
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

/// A configuration file.
#[derive(Args, Clone, Debug)]
pub struct Configured {
    /// File with the configuration, in JSON
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
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
