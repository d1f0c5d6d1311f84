//! How a run is ended early, in two steps.

use tokio_util::sync::CancellationToken;

/// Ends a run early. Clones end the same run.
#[derive(Clone, Debug, Default)]
pub struct StopSignal {
    asking: CancellationToken,
    writing: CancellationToken,
}

impl StopSignal {
    /// Nothing more is asked of Graph. What was read is still written, and the states that cover it.
    pub fn end_asking(&self) {
        self.asking.cancel();
    }

    /// Nor are the records that wait written, for a reader that is slow: only the line that was begun, and the states that cover what was
    /// written.
    pub fn end_writing(&self) {
        self.end_asking();
        self.writing.cancel();
    }

    /// One that ends with this one, and can end before.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { asking: self.asking.child_token(), writing: self.writing.clone() }
    }

    /// Does the work, unless nothing more is to be asked.
    pub async fn unless_ended<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.asking.run_until_cancelled(work).await
    }

    /// Waits until nothing more is to be asked.
    pub async fn asking_ends(&self) {
        self.asking.cancelled().await;
    }

    /// Whether nothing more is to be asked.
    pub fn has_ended_asking(&self) -> bool {
        self.asking.is_cancelled()
    }

    /// Whether no more records are to be written.
    pub fn has_ended_writing(&self) -> bool {
        self.writing.is_cancelled()
    }
}
