//! Estimates the minimum number of requests of a run and how long it takes, from a few cheap requests.
//!
//! Parents are found by the jobs of a run. Of the other jobs, a few of each kind are sampled, and the rest is assumed to be like them. Nothing
//! is emitted, and no state changes.

mod jobs;
mod load;
mod outcomes;
mod report;
mod sample;

use std::io;

use crate::{
    config::Config,
    emit::{NullEmitter, Output, StopSignal},
    error::Error,
    graph::GraphClient,
    read::{States, context::Context, unconfigured},
    streams::Selected,
};
use jobs::Jobs;
pub use report::{DecidedBy, Location, Longest, LookedAt, Requests, RunPlan, Share, StreamPlan, name_key};

/// Plans a run.
///
/// # Errors
/// If signing in fails, or a thread cannot be started.
pub async fn plan(client: GraphClient, config: &Config, mut selected: Vec<Selected>, states: States) -> Result<RunPlan, Error> {
    client.sign_in().await.map_err(|error| Error::graph("sign in", error, &[]))?;
    let unconfigured = unconfigured(config, selected.iter().map(|selected| selected.stream).collect());
    if let Some((streams, _)) = &unconfigured {
        selected.retain(|selected| !streams.contains(selected.stream));
    }
    let machine = |error: io::Error| Error::Machine(format!("cannot start threads: {error}"));
    let (output, writer) = Output::start(Box::new(NullEmitter), Vec::new(), StopSignal::default()).map_err(machine)?;
    let context = Context::new(client.clone(), config, selected.clone(), states, output).with_names();
    let mut jobs = Jobs::new(&context);
    jobs.run(&context).await?;
    sample::name_longest(&context, &jobs.load.walks).await;
    let names = context.names.take();
    drop(context);
    writer.join()?;
    let mut plan = RunPlan::new(&client, &selected, &jobs, &names);
    (plan.refused, plan.failed) = jobs.outcomes.messages(selected.iter().map(|selected| selected.stream).collect());
    plan.failed.splice(..0, unconfigured.map(|(_, error)| error.to_string()));
    Ok(plan)
}
