//! Reads a report, for any stream: a table in CSV in which each row is a record.

use crate::{
    error::Error,
    graph::{Request, Row},
    read::{
        context::Context,
        job::{JobError, JobInput, JobReport, Skipped},
    },
    streams::{Selected, StreamSet},
};

const ROWS_PER_BATCH: usize = 500;

pub(crate) async fn read(context: &Context, JobInput { stream, parent, .. }: JobInput, request: Request) -> Result<JobReport, JobError> {
    let Some(selected) = context.selected(stream) else { return Ok(JobReport::default()) };
    let task = || format!("read the {} of {parent}", stream.plural());
    let report = context.client.report(&request, stream.primary_key).await;
    let report = report.map_err(|source| Error::graph(task(), source, stream.permissions))?;
    context.count_replacements(report.replacements());
    let (mut skipped, mut records) = (Skipped::default(), context.output.batch(stream));
    for (number, row) in report.rows().enumerate() {
        match row.and_then(|row| record(selected, &row)) {
            Some(record) => {
                let fits = records.push(|out| out.extend_from_slice(&record), |record| record.len() <= context.max_record);
                skipped.too_large += u64::from(!fits);
            }
            None => skipped.items += 1,
        }
        if (number + 1).is_multiple_of(ROWS_PER_BATCH) {
            context.output.write_records(records.take()).await?;
        }
    }
    context.output.write_records(records).await?;
    Ok(JobReport::completed(StreamSet::default().with(stream), skipped.into_error(context, task)))
}

/// The record of a row; [`None`] if a column of the key is empty.
fn record(selected: &Selected, row: &Row<'_>) -> Option<Vec<u8>> {
    let Selected { stream, columns, .. } = selected;
    let has_key = |key: &&str| row.fields().any(|(name, text)| name == *key && !text.is_empty());
    if !stream.primary_key.iter().all(has_key) {
        return None;
    }
    let values: Vec<_> = row.fields().map(|(name, text)| (name, columns.to_json(name, text))).collect();
    let mut record = Vec::new();
    columns.write(values.iter().map(|(name, value)| (*name, &**value)), &[], &mut record);
    Some(record)
}
