//! A plan: what a run with a configuration and a state would do, from a few cheap requests.
//!
//! Teams and channels are found as a run finds them. Of each channel the page is asked with which a run begins; of the channels whose length is
//! least known, some pages more. Of a large tenant a sample is looked at. Nothing is told, and no state changes.

mod arithmetic;
mod channels;
mod discovery;
mod look;
mod names;
mod outcomes;
mod report;
mod sample;
mod time;
mod totals;

use std::io;

use crate::{
    config::Config,
    emit::{Output, Silent, StopSignal},
    error::Error,
    graph::GraphClient,
    read::{States, context::Context, unconfigured},
    streams::{MEMBERS, Selected},
};
use channels::Channels;
use discovery::Discovery;
pub use report::{About, ChannelPlan, DecidedBy, LookedAt, Plan, Requests, Seconds, Share, StreamPlan};
use totals::Totals;

/// Plans a run.
///
/// # Errors
/// If signing in fails, or the machine does not give a thread.
pub async fn plan(client: GraphClient, config: &Config, mut selected: Vec<Selected>, states: States) -> Result<Plan, Error> {
    client.sign_in().await.map_err(|error| Error::graph("sign in", error, &[]))?;
    let lacking = unconfigured(config, selected.iter().map(|selected| selected.stream).collect());
    if let Some((concerned, _)) = &lacking {
        selected.retain(|selected| !concerned.contains(selected.stream));
    }
    let silent = Silent::default();
    let machine = |error: io::Error| Error::Machine(format!("cannot start threads: {error}"));
    let (output, writer) = Output::start(Box::new(silent.clone()), Vec::new(), StopSignal::default()).map_err(machine)?;
    let members_a_page = config.stream(&MEMBERS).top.unwrap_or(MEMBERS.page);
    let context = Context::new(client.clone(), config, selected.clone(), states, output).keeping_names();
    let mut discovery = Discovery::new(&context);
    discovery.run(&context).await?;
    let mut channels = Channels::look(&context, &mut discovery).await?;
    channels.look_further(&context, &mut discovery).await?;
    names::ask(&context, &channels).await?;
    let names = context.names.take();
    drop(context);
    writer.join()?;
    let failed = lacking.map(|(_, error)| error.to_string());
    Ok(Totals { client: &client, selected: &selected, discovery, channels: &channels, names, silent: &silent, members_a_page }.plan(failed))
}
