//! The signal that ends a run early, in two steps.

use tokio_util::sync::CancellationToken;

/// Ends a run early. All clones belong to the same run.
#[derive(Clone, Debug, Default)]
pub struct StopSignal {
    requests: CancellationToken,
    writing: CancellationToken,
}

impl StopSignal {
    /// Stops sending requests. Records that were already read are still written, with the states that cover them.
    pub fn stop_requests(&self) {
        self.requests.cancel();
    }

    /// Also drops the queued records, because the reader is slow. The current line is finished, and then the states that cover the written
    /// records are written.
    pub fn stop_writing(&self) {
        self.stop_requests();
        self.writing.cancel();
    }

    /// Creates a signal that stops when this one does, and that can also stop requests on its own.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { requests: self.requests.child_token(), writing: self.writing.clone() }
    }

    /// Runs `work` until it ends or requests are stopped. Returns [`None`] if they are stopped first.
    pub async fn run_until_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.requests.run_until_cancelled(work).await
    }

    /// Waits until requests are stopped.
    pub async fn requests_stopped(&self) {
        self.requests.cancelled().await;
    }

    pub fn has_stopped_requests(&self) -> bool {
        self.requests.is_cancelled()
    }

    pub fn has_stopped_writing(&self) -> bool {
        self.writing.is_cancelled()
    }
}
