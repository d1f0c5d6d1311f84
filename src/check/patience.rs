//! How long a check waits for answers: somebody sits in front of a dialog.

use std::time::Duration;

use tokio::time::Instant;

use crate::graph::{self, Cause};

/// For one answer, all attempts included.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// For all of them together.
const PATIENCE_IN_ALL: Duration = Duration::from_secs(45);

/// How long a check waits for answers.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    until: Instant,
}

impl Patience {
    pub(super) fn new() -> Self {
        Self { until: Instant::now() + PATIENCE_IN_ALL }
    }

    /// The answer, unless it takes too long: then the cause is made of the time that was too long.
    pub(super) async fn wait<T>(
        self,
        answer: impl Future<Output = Result<T, graph::Error>>,
        request: impl ToString,
        late: impl FnOnce(Duration) -> Cause,
    ) -> Result<T, graph::Error> {
        let left = self.until.saturating_duration_since(Instant::now());
        let late = |waited| graph::Error {
            request: request.to_string(),
            cause: late(waited),
            attempts: 1,
            client_request_id: None,
            is_later_page: false,
        };
        if left.is_zero() {
            return Err(late(PATIENCE_IN_ALL));
        }
        match tokio::time::timeout(left.min(PATIENCE), answer).await {
            Ok(answer) => answer,
            Err(_) => Err(late(if left < PATIENCE { PATIENCE_IN_ALL } else { PATIENCE })),
        }
    }
}

pub(super) fn no_answer(within: Duration) -> String {
    let in_all = if within == PATIENCE_IN_ALL { " in all" } else { "" };
    format!("no answer within {} s{in_all}", within.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_slow_each_time_is_waited_for_no_longer_than_the_whole_may_take() {
        let paused = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        paused.block_on(async {
            let (patience, began, mut answers) = (Patience::new(), Instant::now(), Vec::new());
            for _ in 0..20 {
                let slow = async {
                    tokio::time::sleep(Duration::from_secs(14)).await;
                    Ok(())
                };
                let answer = patience.wait(slow, "a request", |waited| Cause::Transport(no_answer(waited))).await;
                answers.push(answer.map_err(|error| error.cause.to_string()));
            }
            assert_eq!(Instant::now() - began, PATIENCE_IN_ALL);
            assert!(answers[..3].iter().all(Result::is_ok));
            assert!(answers[3..].iter().all(|answer| answer.as_ref().unwrap_err() == "no answer within 45 s in all"), "{answers:?}");
            let silent = std::future::pending::<Result<(), graph::Error>>();
            let answer = Patience::new().wait(silent, "a request", |waited| Cause::Transport(no_answer(waited))).await;
            assert_eq!(answer.unwrap_err().cause.to_string(), "no answer within 15 s");
        });
    }
}
