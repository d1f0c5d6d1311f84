//! The time limits of a check: a user is waiting in front of a dialog.

use std::time::Duration;

use tokio::time::Instant;

use crate::graph::{self, Cause};

/// The limit of one request, including all attempts.
pub(super) const REQUEST_LIMIT: Duration = Duration::from_secs(15);

/// The limit of the whole check.
const CHECK_LIMIT: Duration = Duration::from_secs(45);

/// When a check stops waiting for responses.
#[derive(Clone, Copy)]
pub(super) struct Deadline {
    at: Instant,
}

impl Deadline {
    pub(super) fn new() -> Self {
        Self { at: Instant::now() + CHECK_LIMIT }
    }

    /// Waits for the response. If it takes too long, `late` turns the limit that was reached into the cause of the error.
    pub(super) async fn wait<T>(
        self,
        response: impl Future<Output = Result<T, graph::Error>>,
        request: impl ToString,
        late: impl FnOnce(Duration) -> Cause,
    ) -> Result<T, graph::Error> {
        let left = self.at.saturating_duration_since(Instant::now());
        let late = |waited| graph::Error {
            request: request.to_string(),
            cause: late(waited),
            attempts: 1,
            client_request_id: None,
            is_later_page: false,
        };
        if left.is_zero() {
            return Err(late(CHECK_LIMIT));
        }
        match tokio::time::timeout(left.min(REQUEST_LIMIT), response).await {
            Ok(response) => response,
            Err(_) => Err(late(if left < REQUEST_LIMIT { CHECK_LIMIT } else { REQUEST_LIMIT })),
        }
    }
}

pub(super) fn no_response(within: Duration) -> String {
    let in_total = if within == CHECK_LIMIT { " in total" } else { "" };
    format!("no response within {} s{in_total}", within.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_always_slow_cannot_exceed_the_limit_of_the_check() {
        let paused = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        paused.block_on(async {
            let (deadline, began, mut responses) = (Deadline::new(), Instant::now(), Vec::new());
            for _ in 0..20 {
                let slow = async {
                    tokio::time::sleep(Duration::from_secs(14)).await;
                    Ok(())
                };
                let response = deadline.wait(slow, "a request", |waited| Cause::Transport(no_response(waited))).await;
                responses.push(response.map_err(|error| error.cause.to_string()));
            }
            assert_eq!(Instant::now() - began, CHECK_LIMIT);
            assert!(responses[..3].iter().all(Result::is_ok));
            assert!(
                responses[3..].iter().all(|response| response.as_ref().unwrap_err() == "no response within 45 s in total"),
                "{responses:?}"
            );
            let silent = std::future::pending::<Result<(), graph::Error>>();
            let response = Deadline::new().wait(silent, "a request", |waited| Cause::Transport(no_response(waited))).await;
            assert_eq!(response.unwrap_err().cause.to_string(), "no response within 15 s");
        });
    }
}
