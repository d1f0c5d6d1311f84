//! Limits how many requests a run makes for teams and channels that are not listed.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// Number of lookups of a run that may find nothing.
const MAX_FAILED_LOOKUPS: usize = 100;

/// Number of further lookups that each successful one allows.
const EXTRA_LOOKUPS_PER_HIT: usize = 10;

/// The number of lookups that a run may still make.
#[derive(Debug)]
pub(crate) struct LookupBudget {
    budget: Mutex<Budget>,
    changed: Notify,
}

#[derive(Debug)]
struct Budget {
    left: usize,
    in_progress: usize,
    /// The number of lookups that were not made because the budget was spent.
    skipped: usize,
}

/// One lookup. It counts as failed unless it finds something.
#[derive(Debug)]
pub(crate) struct Lookup<'l> {
    lookups: &'l LookupBudget,
    pub(crate) has_found: bool,
}

impl Default for LookupBudget {
    fn default() -> Self {
        Self { budget: Mutex::new(Budget { left: MAX_FAILED_LOOKUPS, in_progress: 0, skipped: 0 }), changed: Notify::new() }
    }
}

impl LookupBudget {
    /// Waits until a lookup may be made; [`None`] if too many have found nothing.
    pub(crate) async fn start(&self) -> Option<Lookup<'_>> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            {
                let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
                if budget.left > 0 {
                    budget.left -= 1;
                    budget.in_progress += 1;
                    return Some(Lookup { lookups: self, has_found: false });
                }
                if budget.in_progress == 0 {
                    budget.skipped += 1;
                    return None;
                }
            }
            // The lookups in progress may find something, which extends the budget.
            changed.await;
        }
    }

    /// The number of lookups that were not made.
    pub(crate) fn skipped(&self) -> usize {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner).skipped
    }
}

impl Drop for Lookup<'_> {
    fn drop(&mut self) {
        let mut budget = self.lookups.budget.lock().unwrap_or_else(PoisonError::into_inner);
        budget.in_progress -= 1;
        if self.has_found {
            budget.left += 1 + EXTRA_LOOKUPS_PER_HIT;
        }
        drop(budget);
        self.lookups.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;

    /// Makes `all` lookups at once; those whose number satisfies `exists` succeed. Returns how many were made.
    async fn lookups_made(all: usize, exists: impl Fn(usize) -> bool + Copy + Send + 'static) -> usize {
        let lookups = Arc::new(LookupBudget::default());
        let tasks: Vec<_> = (0..all)
            .map(|number| {
                let lookups = lookups.clone();
                tokio::spawn(async move {
                    let Some(mut lookup) = lookups.start().await else { return 0 };
                    tokio::time::sleep(Duration::from_millis(number as u64 % 7)).await;
                    lookup.has_found = exists(number);
                    1
                })
            })
            .collect();
        let mut made = 0;
        for task in tasks {
            made += task.await.unwrap();
        }
        assert_eq!(made + lookups.skipped(), all);
        made
    }

    #[tokio::test(start_paused = true)]
    async fn everything_that_exists_is_found_and_a_hundred_lookups_may_fail() {
        assert_eq!(lookups_made(3000, |_| false).await, MAX_FAILED_LOOKUPS);
        assert_eq!(lookups_made(3000, |_| true).await, 3000);
        // One in ten, in any order.
        assert_eq!(lookups_made(3000, |number| number % 10 == 9).await, 3000);
        assert_eq!(lookups_made(50, |_| false).await, 50);
    }
}
