//! Checks a configuration: tries each stream with the smallest requests that show whether it works.

mod deadline;
mod messages;
mod probe;
mod report;
mod stream_check;
mod verdict;

use crate::{
    config::Config,
    error::{Error, Fault},
    graph::GraphClient,
    read::{parents::missing_options, setup::consent},
    streams::StreamSet,
};
pub use messages::{options_to_set, with_remarks};
use probe::Probe;
pub use report::{Problem, Report, Status, StreamLine};
use stream_check::StreamCheck;
pub use verdict::Checkup;
use verdict::Verdict;

/// Reads a little of each of these streams, through a client that gives up soon ([`Limits::interactive`](crate::graph::Limits::interactive)).
///
/// # Errors
/// If signing in fails, or if nothing can be read for a reason that the user cannot fix.
pub async fn check(client: &GraphClient, config: &Config, streams: StreamSet) -> Result<Checkup, Error> {
    let mut probe = Probe::sign_in(client, config).await?;
    let consent = consent(config, &probe.tenant_id(config));
    let mut checkup = Checkup { streams: Vec::new(), lists_no_team: false, consent };
    for stream in streams.iter() {
        let own = config.stream(stream);
        let verdict = match missing_options(stream, own) {
            options if options.is_empty() => StreamCheck::new(&mut probe, stream, own).verdict().await,
            options => Verdict::NotConfigured(options),
        };
        match verdict {
            Verdict::Failed(error) if error.is_fatal() => return Err(error),
            verdict => checkup.streams.push((stream, verdict)),
        }
    }
    checkup.lists_no_team = probe.lists_no_team();
    if checkup.reads_anything() { Ok(checkup) } else { error_if_outage(checkup) }
}

/// A failure that is temporary or ours says nothing about the configuration: it becomes the error of the whole check.
fn error_if_outage(mut checkup: Checkup) -> Result<Checkup, Error> {
    let (failed, others): (Vec<_>, Vec<_>) = checkup.streams.into_iter().partition(|(_, verdict)| match verdict {
        Verdict::Failed(error) => error.fault() != Fault::User,
        _ => false,
    });
    checkup.streams = others;
    let errors = failed.into_iter().filter_map(|(_, verdict)| match verdict {
        Verdict::Failed(error) => Some(error),
        _ => None,
    });
    errors.min_by_key(Error::fault).map_or(Ok(checkup), Err)
}
