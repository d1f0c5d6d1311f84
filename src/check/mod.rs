//! Whether a configuration works: what each stream comes to, by the smallest requests that show it.

mod patience;
mod probe;
mod trial;
mod verdict;
mod words;

use crate::{
    config::Config,
    error::{Error, Fault},
    graph::GraphClient,
    read::{begin::consent, parents::missing},
    streams::StreamSet,
};
use probe::Probe;
use trial::Trial;
pub use verdict::Checkup;
use verdict::Verdict;
pub use words::with_remarks;

/// Asks for a little of each of these streams, through a client that soon gives up ([`Limits::brief`](crate::graph::Limits::brief)).
///
/// # Errors
/// If signing in fails, or nothing can be read for a reason that the user cannot mend.
pub async fn check(client: &GraphClient, config: &Config, streams: StreamSet) -> Result<Checkup, Error> {
    let mut probe = Probe::sign_in(client, config).await?;
    let consent = consent(config, &probe.tenant_id(config));
    let mut checkup = Checkup { streams: Vec::new(), lists_no_team: false, consent };
    for stream in streams.iter() {
        let own = config.stream(stream);
        let verdict = match missing(stream, own) {
            options if options.is_empty() => Trial::new(&mut probe, stream, own).verdict().await,
            options => Verdict::NotConfigured(options),
        };
        match verdict {
            Verdict::Failed(error) if error.is_fatal() => return Err(error),
            verdict => checkup.streams.push((stream, verdict)),
        }
    }
    checkup.lists_no_team = probe.lists_no_team();
    if checkup.reads_anything() { Ok(checkup) } else { unless_it_is_an_outage(checkup) }
}

/// What cannot be read for a reason that passes, or is ours, says nothing of the configuration.
fn unless_it_is_an_outage(mut checkup: Checkup) -> Result<Checkup, Error> {
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
