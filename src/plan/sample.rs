//! Some of many, and work side by side.

use tokio::task::JoinSet;
use tracing::instrument::WithSubscriber;
use xxhash_rust::xxh3::xxh3_64;

use crate::error::Error;

/// So many tasks are under way at most: as many as there may be requests in flight.
const UNDER_WAY: usize = 64;

/// So many of the items at most, the same each time, and none of them likelier than another.
pub(super) fn sample<T>(mut items: Vec<T>, most: usize, key: impl Fn(&T) -> String) -> Vec<T> {
    if items.len() > most {
        items.sort_by_cached_key(|item| xxh3_64(key(item).as_bytes()));
        items.truncate(most);
    }
    items
}

/// Does all of it side by side; gives what came of each, in their order.
///
/// # Errors
/// If one finds that nothing more can be had.
pub(super) async fn side_by_side<T, F>(tasks: impl IntoIterator<Item = F>) -> Result<Vec<Result<T, Error>>, Error>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Error>> + Send + 'static,
{
    let mut tasks = tasks.into_iter().enumerate();
    let (mut running, mut results) = (JoinSet::new(), Vec::new());
    loop {
        while running.len() < UNDER_WAY
            && let Some((at, task)) = tasks.next()
        {
            running.spawn(async move { (at, task.await) }.with_current_subscriber());
        }
        match running.join_next().await {
            None => break,
            Some(Ok((_, Err(error)))) if error.is_fatal() => return Err(error),
            Some(Ok(result)) => results.push(result),
            Some(Err(_)) => return Err(Error::panicked()),
        }
    }
    results.sort_by_key(|(at, _)| *at);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_the_same_each_time_and_spread_over_all() {
        let of = || sample((0..10_000).collect(), 100, u32::to_string);
        assert_eq!(of(), of());
        let (low, all) = (of().iter().filter(|number| **number < 5000).count(), of().len());
        assert!(all == 100 && (30..70).contains(&low), "{low} of {all}");
        assert_eq!(sample(vec![3, 1, 2], 3, u32::to_string), [3, 1, 2]);
    }
}
