//! How many requests a run makes for teams and channels that are not listed.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

/// A run makes so many requests that find nothing, ...
const FRUITLESS: usize = 100;

/// ... and so many more for each that finds something.
const FOR_EACH_FOUND: usize = 10;

/// How many requests may still be made for what is not listed.
#[derive(Debug)]
pub(crate) struct Looks {
    budget: Mutex<Budget>,
    changed: Notify,
}

#[derive(Debug)]
struct Budget {
    left: usize,
    under_way: usize,
    /// What was not asked for, since nothing was left.
    passed_over: usize,
}

/// One such request; it counts as fruitless unless it finds something.
#[derive(Debug)]
pub(crate) struct Look<'l> {
    looks: &'l Looks,
    pub(crate) has_found: bool,
}

impl Default for Looks {
    fn default() -> Self {
        Self { budget: Mutex::new(Budget { left: FRUITLESS, under_way: 0, passed_over: 0 }), changed: Notify::new() }
    }
}

impl Looks {
    /// Waits until a request may be made; [`None`] if too many have found nothing.
    pub(crate) async fn take(&self) -> Option<Look<'_>> {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            {
                let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
                if budget.left > 0 {
                    budget.left -= 1;
                    budget.under_way += 1;
                    return Some(Look { looks: self, has_found: false });
                }
                if budget.under_way == 0 {
                    budget.passed_over += 1;
                    return None;
                }
            }
            // Those that are under way may find something.
            changed.await;
        }
    }

    /// How much was not asked for.
    pub(crate) fn passed_over(&self) -> usize {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner).passed_over
    }
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        let mut budget = self.looks.budget.lock().unwrap_or_else(PoisonError::into_inner);
        budget.under_way -= 1;
        if self.has_found {
            budget.left += 1 + FOR_EACH_FOUND;
        }
        drop(budget);
        self.looks.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;

    /// Looks for so many things at once, of which those with these numbers exist. Gives how many were asked for.
    async fn looked_for(all: usize, exists: impl Fn(usize) -> bool + Copy + Send + 'static) -> usize {
        let looks = Arc::new(Looks::default());
        let tasks: Vec<_> = (0..all)
            .map(|number| {
                let looks = looks.clone();
                tokio::spawn(async move {
                    let Some(mut look) = looks.take().await else { return 0 };
                    tokio::time::sleep(Duration::from_millis(number as u64 % 7)).await;
                    look.has_found = exists(number);
                    1
                })
            })
            .collect();
        let mut asked = 0;
        for task in tasks {
            asked += task.await.unwrap();
        }
        assert_eq!(asked + looks.passed_over(), all);
        asked
    }

    #[tokio::test(start_paused = true)]
    async fn what_exists_is_always_asked_for_and_of_what_is_gone_a_hundred() {
        assert_eq!(looked_for(3000, |_| false).await, FRUITLESS);
        assert_eq!(looked_for(3000, |_| true).await, 3000);
        // One in ten, in whatever order.
        assert_eq!(looked_for(3000, |number| number % 10 == 9).await, 3000);
        assert_eq!(looked_for(50, |_| false).await, 50);
    }
}
