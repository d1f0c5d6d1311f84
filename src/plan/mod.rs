//! A plan: how many requests a run with a configuration and a state needs at least, and how long it takes, from a few cheap requests.
//!
//! Parents are found by the jobs of a run. Of the jobs that find none, a few of each kind are looked at, and the others are taken to be like
//! them. Nothing is emitted, and no state changes.

mod jobs;
mod load;
mod look;
mod outcomes;
mod report;

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
pub use report::{DecidedBy, Longest, LookedAt, Place, Plan, Requests, Share, StreamPlan, name_of};

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
    let machine = |error: io::Error| Error::Machine(format!("cannot start threads: {error}"));
    let (output, writer) = Output::start(Box::new(NullEmitter), Vec::new(), StopSignal::default()).map_err(machine)?;
    let context = Context::new(client.clone(), config, selected.clone(), states, output).keeping_names();
    let mut jobs = Jobs::new(&context);
    jobs.look(&context).await?;
    look::name_longest(&context, &jobs.load.walks).await;
    let names = context.names.take();
    drop(context);
    writer.join()?;
    let mut plan = Plan::new(&client, &selected, &jobs, &names);
    (plan.refused, plan.failed) = jobs.outcomes.sentences(selected.iter().map(|selected| selected.stream).collect());
    plan.failed.splice(..0, lacking.map(|(_, error)| error.to_string()));
    Ok(plan)
}
