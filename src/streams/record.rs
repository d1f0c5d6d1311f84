//! The schema and columns of a stream, derived from its record type on first use.

use std::sync::{LazyLock, OnceLock};

use serde_json::Value;

use super::{per_stream::PerStream, stream::Stream};
use crate::record::Columns;

static RECORDS: LazyLock<PerStream<OnceLock<(Value, Columns)>>> = LazyLock::new(PerStream::default);

impl Stream {
    /// The JSON Schema of the stream's records.
    pub fn schema(&self) -> &'static Value {
        &self.record().0
    }

    pub fn columns(&self) -> &'static Columns {
        &self.record().1
    }

    fn record(&self) -> &'static (Value, Columns) {
        RECORDS[self].get_or_init(|| {
            let schema = (self.make_schema)();
            let columns = Columns::from_schema(&schema);
            (schema, columns)
        })
    }
}
