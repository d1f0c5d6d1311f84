//! Reading a report, whatever stream it is for: a table in CSV, each row of which is a record.

use crate::{
    error::Error,
    graph::{Request, Row},
    read::{
        context::Context,
        job::{Damage, Report, Stop, Work},
    },
    streams::{Selected, StreamSet},
};

/// Rows of a batch.
const BATCH: usize = 500;

/// Reads a report.
pub(crate) async fn read(context: &Context, Work { stream, of, .. }: Work, request: Request) -> Result<Report, Stop> {
    let Some(selected) = context.selected(stream) else { return Ok(Report::default()) };
    let task = || format!("read the {} of {of}", stream.plural());
    let report = context.client.report(&request, stream.primary_key).await;
    let report = report.map_err(|source| Error::graph(task(), source, stream.permissions))?;
    context.note(report.cleaned());
    let (mut damage, mut records) = (Damage::default(), context.output.batch(stream));
    for (number, row) in report.rows().enumerate() {
        match row.and_then(|row| record(selected, &row)) {
            Some(record) => {
                let fits = records.push(|out| out.extend_from_slice(&record), |record| record.len() <= context.max_record);
                damage.too_large += u64::from(!fits);
            }
            None => damage.items += 1,
        }
        if (number + 1).is_multiple_of(BATCH) {
            context.output.records(records.take()).await?;
        }
    }
    context.output.records(records).await?;
    Ok(Report::read(StreamSet::default().with(stream), damage.into_error(context, task)))
}

/// The record of a row; [`None`] if a column of the key is empty.
fn record(selected: &Selected, row: &Row<'_>) -> Option<Vec<u8>> {
    let Selected { stream, columns, .. } = selected;
    let has_key = |key: &&str| row.fields().any(|(name, text)| name == *key && !text.is_empty());
    if !stream.primary_key.iter().all(has_key) {
        return None;
    }
    let values: Vec<_> = row.fields().map(|(name, text)| (name, columns.json_of(name, text))).collect();
    let mut record = Vec::new();
    columns.write(values.iter().map(|(name, value)| (*name, &**value)), &[], &mut record);
    Some(record)
}
