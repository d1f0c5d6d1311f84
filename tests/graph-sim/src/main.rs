//! `graph-sim`: the simulator for people. Prints the configuration that a client needs, and serves until it is interrupted.
#![allow(clippy::print_stdout, reason = "the configuration is this program's output")]

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use clap::Parser;
use graph_sim::{GraphSim, Latency, Limits, Options, Sustained, TenantSpec, Time, Tls, control};

/// A Microsoft Graph with one generated tenant.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// What the tenant is drawn from: the same seed, the same tenant.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, default_value_t = 4)]
    teams: usize,
    /// Channels in each team.
    #[arg(long, default_value_t = 4)]
    channels: usize,
    /// Root messages in each channel (on average, with --skew).
    #[arg(long, default_value_t = 100)]
    messages: usize,
    /// Replies below a message, on average.
    #[arg(long, default_value_t = 2)]
    replies: usize,
    /// Threads of more than 200 replies in the whole tenant.
    #[arg(long, default_value_t = 3)]
    long_threads: usize,
    /// Few large channels and many idle ones.
    #[arg(long)]
    skew: bool,
    /// Root messages in the last channel of the last team, instead of as many as in the others.
    #[arg(long, value_name = "MESSAGES")]
    large: Option<usize>,
    /// Letters in the description of every team, instead of the usual ones.
    #[arg(long, value_name = "LETTERS")]
    descriptions: Option<usize>,
    /// 0: a free port.
    #[arg(long, default_value_t = 0)]
    graph_port: u16,
    #[arg(long, default_value_t = 0)]
    login_port: u16,
    #[arg(long, default_value_t = 0)]
    control_port: u16,
    /// Enforce Graph's documented limits.
    #[arg(long)]
    limits: bool,
    /// Enforce the rate that they allow in the long run as well.
    #[arg(long, requires = "limits")]
    sustained: bool,
    /// Simulated seconds a second; the limits go as fast.
    #[arg(long, default_value_t = 1.0)]
    speed: f64,
    /// Simulated time at the start, such as 2024-11-25T08:00:00Z.
    #[arg(long, value_parser = time)]
    start: Option<Time>,
    /// Milliseconds before each answer.
    #[arg(long, default_value_t = 0)]
    latency: u64,
    /// Threads that answer.
    #[arg(long, default_value_t = 2)]
    workers: usize,
    /// Answers are never compressed.
    #[arg(long)]
    no_gzip: bool,
    /// Requests that the journal keeps; counts are always kept.
    #[arg(long, value_name = "REQUESTS", default_value_t = 20_000)]
    journal: usize,
    /// HTTPS; the CA's certificate is written to this file (needs the feature `tls`).
    #[arg(long, value_name = "FILE")]
    tls: Option<PathBuf>,
}

fn time(text: &str) -> Result<Time, String> {
    Time::parse(text).ok_or_else(|| "not an RFC 3339 time".to_owned())
}

impl Arguments {
    fn options(&self) -> Options {
        let spec = if self.skew { TenantSpec::skewed } else { TenantSpec::uniform };
        let defaults = Options::default();
        Options {
            tenant: TenantSpec { large: self.large, descriptions: self.descriptions, ..spec(self.teams, self.channels, self.messages) }
                .seed(self.seed)
                .replies(self.replies, self.long_threads),
            limits: self.limits.then(|| Limits { sustained: self.sustained.then(Sustained::default), ..Limits::default() }),
            latency: if self.latency == 0 { Latency::None } else { Latency::Fixed(Duration::from_millis(self.latency)) },
            start: self.start.unwrap_or(defaults.start),
            clock_speed: self.speed,
            graph_port: self.graph_port,
            login_port: self.login_port,
            workers: self.workers,
            gzip: !self.no_gzip,
            journal_entries: self.journal,
            tls: if self.tls.is_some() { Tls::On } else { Tls::Off },
            ..defaults
        }
    }
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let sim = Arc::new(GraphSim::start(arguments.options())?);
    if let (Some(file), Some(pem)) = (&arguments.tls, sim.ca_pem()) {
        std::fs::write(file, pem)?;
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.control_port))?;
    let mut config = sim.config();
    config["control_url"] = format!("http://{}", listener.local_addr()?).into();
    println!("{config:#}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(control::serve(sim, listener))
}
