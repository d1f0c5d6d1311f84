//! What the record type of a stream says: its schema and its columns.

use std::sync::{LazyLock, OnceLock};

use serde_json::Value;

use super::{per_stream::PerStream, stream::Stream};
use crate::record::Columns;

/// What a stream's record type says, made when it is first asked for.
static RECORDS: LazyLock<PerStream<OnceLock<(Value, Columns)>>> = LazyLock::new(PerStream::default);

impl Stream {
    /// JSON Schema of its records.
    pub fn schema(&self) -> &'static Value {
        &self.record().0
    }

    /// The columns of its records.
    pub fn columns(&self) -> &'static Columns {
        &self.record().1
    }

    fn record(&self) -> &'static (Value, Columns) {
        RECORDS[self].get_or_init(|| {
            let schema = (self.make_schema)();
            let columns = Columns::of(&schema);
            (schema, columns)
        })
    }
}
