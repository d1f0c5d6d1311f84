//! `graph-sim`: runs the simulator as a program. Prints a configuration of the tap to stdout and serves until it is interrupted.

use std::{
    error::Error,
    fmt::Write as _,
    fs,
    io::{self, IsTerminal, Write},
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::Parser;
use graph_sim::{GraphSim, Latency, Limits, Options, Sustained, Team, Tenant, TenantSpec, Time, Tls, control};
use serde_json::{Value, json};

/// Simulates Microsoft Graph with one generated tenant.
///
/// Prints a complete config.json for tap-microsoft-teams to stdout, and what to do next to stderr. The same seed and sizes always generate
/// the same tenant.
#[derive(Clone, Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Seed of everything that is generated
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of teams
    #[arg(long, default_value_t = 4)]
    teams: usize,
    /// Channels per team
    #[arg(long, default_value_t = 4)]
    channels: usize,
    /// Root messages per channel (the average with --skew)
    #[arg(long, default_value_t = 100)]
    messages: usize,
    /// Average number of replies to a message
    #[arg(long, default_value_t = 2)]
    replies: usize,
    /// Number of threads with more than 200 replies, in the whole tenant
    #[arg(long, default_value_t = 3)]
    long_threads: usize,
    /// Generate a few large channels and many idle ones, instead of channels of equal size
    #[arg(long)]
    skew: bool,
    /// Root messages in the last channel of the last team [default: as in the other channels]
    #[arg(long, value_name = "MESSAGES")]
    large: Option<usize>,
    /// Length of each team's description, in characters [default: the usual descriptions]
    #[arg(long, value_name = "LETTERS")]
    descriptions: Option<usize>,
    /// Port of Graph; 0 chooses a free one [default: 8801]
    #[arg(long, value_name = "PORT")]
    graph_port: Option<u16>,
    /// Port of the sign-in service; 0 chooses a free one [default: 8802]
    #[arg(long, value_name = "PORT")]
    login_port: Option<u16>,
    /// Port of the control API; 0 chooses a free one [default: 8803]
    #[arg(long, value_name = "PORT")]
    control_port: Option<u16>,
    /// For scripts: print {"config": ..., "control_url": ...} on one line, and use free ports by default
    #[arg(long)]
    json: bool,
    /// Enforce Graph's documented limits (429)
    #[arg(long)]
    limits: bool,
    /// Also enforce their long-term rate, which a burst can exceed for a while
    #[arg(long, requires = "limits")]
    sustained: bool,
    /// Simulated seconds per real second; also applies to the limits
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Simulated time at the start, such as 2024-11-25T08:00:00Z
    #[arg(long, value_parser = time)]
    start: Option<Time>,
    /// Delay of each response, in milliseconds
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    latency: u64,
    /// Number of threads that respond to requests
    #[arg(long, value_name = "THREADS", default_value_t = 2)]
    workers: usize,
    /// Never compress responses
    #[arg(long)]
    no_gzip: bool,
    /// Number of requests to keep in the journal; counts cover all requests
    #[arg(long, value_name = "REQUESTS", default_value_t = 20_000)]
    journal: usize,
    /// Serve HTTPS and write the certificate of its CA to this file (requires a build with the feature `tls`)
    #[arg(long, value_name = "FILE")]
    tls: Option<PathBuf>,
}

fn time(text: &str) -> Result<Time, String> {
    Time::parse(text).ok_or_else(|| "must be an RFC 3339 time".to_owned())
}

/// A port that the simulator listens on.
#[derive(Clone, Copy, Debug)]
struct Port {
    flag: &'static str,
    default: u16,
}

const GRAPH: Port = Port { flag: "--graph-port", default: 8801 };
const LOGIN: Port = Port { flag: "--login-port", default: 8802 };
const CONTROL: Port = Port { flag: "--control-port", default: 8803 };

impl Port {
    /// The port to listen on: the one that was set, or else the default, or a free one (0) if another program uses the default.
    fn choose(self, set: Option<u16>, default_is_free: bool) -> io::Result<u16> {
        let is_free = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        match set {
            Some(port) if is_free(port) => Ok(port),
            Some(port) => {
                Err(io::Error::other(format!("cannot listen on port {port}; set {} to another port, or to 0 for a free one", self.flag)))
            }
            None if default_is_free => Ok(0),
            None if is_free(self.default) => Ok(self.default),
            None => {
                writeln!(io::stderr(), "graph-sim: port {} is in use; using a free port instead of it", self.default)?;
                Ok(0)
            }
        }
    }
}

impl Arguments {
    fn options(&self) -> io::Result<Options> {
        let spec = if self.skew { TenantSpec::skewed } else { TenantSpec::uniform };
        let defaults = Options::default();
        Ok(Options {
            tenant: TenantSpec { large: self.large, descriptions: self.descriptions, ..spec(self.teams, self.channels, self.messages) }
                .seed(self.seed)
                .replies(self.replies, self.long_threads),
            limits: self.limits.then(|| Limits { sustained: self.sustained.then(Sustained::default), ..Limits::default() }),
            latency: if self.latency == 0 { Latency::None } else { Latency::Fixed(Duration::from_millis(self.latency)) },
            start: self.start.unwrap_or(defaults.start),
            clock_speed: self.speed,
            graph_port: GRAPH.choose(self.graph_port, self.json)?,
            login_port: LOGIN.choose(self.login_port, self.json)?,
            workers: self.workers,
            gzip: !self.no_gzip,
            journal_entries: self.journal,
            tls: if self.tls.is_some() { Tls::On } else { Tls::Off },
            ..defaults
        })
    }

    /// A configuration that reads the whole tenant, as fast as the simulator allows.
    fn config(&self, sim: &GraphSim) -> Value {
        let mut config = sim.config_for_everything();
        if self.limits {
            config["pace"] = json!(self.speed);
        }
        config
    }

    /// Instructions for the user.
    fn instructions(&self, sim: &GraphSim, control_url: &str) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        writeln!(text, "\nSimulating a tenant with {}.", sim.read_tenant(size))?;
        writeln!(text, "  Graph        {}", sim.graph_url())?;
        writeln!(text, "  sign-in      {}", sim.login_url())?;
        writeln!(text, "  control API  {control_url} (changes the tenant, injects faults; see tests/graph-sim/README.md)\n")?;
        match io::stdout().is_terminal() {
            true => writeln!(text, "Save the JSON above as config.json, or restart with `> config.json`. In another terminal, run:")?,
            false => writeln!(text, "The configuration was written to stdout. If you saved it as config.json, run in another terminal:")?,
        }
        if let Some(file) = &self.tls {
            writeln!(text, "  export SSL_CERT_FILE={}", file.display())?;
        }
        writeln!(text, "  tap-microsoft-teams check --config config.json")?;
        writeln!(text, "  tap-microsoft-teams extract --config config.json --stream messages | head -n 3\n")?;
        writeln!(text, "Press Ctrl-C to stop the simulator.")?;
        Ok(text)
    }
}

/// The size of the tenant, such as "2 teams, 4 channels, 120 messages and 60 replies".
fn size(tenant: &Tenant) -> String {
    let channels: Vec<_> = tenant.teams().flat_map(Team::channels).collect();
    let messages: usize = channels.iter().map(|channel| channel.root_count()).sum();
    let replies: usize = channels.iter().map(|channel| channel.reply_counts().sum::<usize>()).sum();
    let count = |count: usize, name: &str| format!("{count} {name}{}", if count == 1 { "" } else { "s" });
    let (teams, channels) = (count(tenant.teams().count(), "team"), count(channels.len(), "channel"));
    format!("{teams}, {channels}, {} and {replies} replies", count(messages, "message"))
}

fn main() -> ExitCode {
    match serve(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "graph-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let sim = Arc::new(GraphSim::start(arguments.options()?)?);
    if let (Some(file), Some(pem)) = (&arguments.tls, sim.ca_pem()) {
        fs::write(file, pem)?;
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, CONTROL.choose(arguments.control_port, arguments.json)?))?;
    let control_url = format!("http://{}", listener.local_addr()?);
    let config = arguments.config(&sim);
    let mut stdout = io::stdout();
    if arguments.json {
        writeln!(stdout, "{}", json!({ "config": config, "control_url": control_url }))?;
    } else {
        writeln!(stdout, "{config:#}")?;
        stdout.flush()?;
        write!(io::stderr(), "{}", arguments.instructions(&sim, &control_url)?)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(control::serve(sim, listener))?)
}
