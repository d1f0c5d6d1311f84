//! The room for bodies: what pages hold in memory together is bounded, however many and however large they are.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of bodies in memory. One body at a time may go beyond it, else bodies could wait for each other for ever.
const ROOM: usize = 16 * 1024 * 1024;

/// The room that all bodies of a client share.
#[derive(Clone, Debug)]
pub(super) struct Bodies {
    room: Arc<Semaphore>,
    beyond: Arc<Semaphore>,
}

/// The room that one body takes, until dropped.
#[derive(Debug)]
pub struct Held {
    bodies: Bodies,
    room: Option<OwnedSemaphorePermit>,
    beyond: Option<OwnedSemaphorePermit>,
}

impl Bodies {
    pub(super) fn new() -> Self {
        Self { room: Arc::new(Semaphore::new(ROOM)), beyond: Arc::new(Semaphore::new(1)) }
    }

    /// For a body that is still empty.
    pub(super) fn hold(&self) -> Held {
        Held { bodies: self.clone(), room: None, beyond: None }
    }
}

impl Held {
    /// Waits until there is room for so many bytes more.
    pub(super) async fn grow(&mut self, bytes: usize) {
        if self.beyond.is_some() {
            return;
        }
        let Bodies { room, beyond } = &self.bodies;
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        // Neither semaphore is ever closed.
        tokio::select! {
            biased;
            Ok(more) = room.clone().acquire_many_owned(bytes) => match &mut self.room {
                Some(held) => held.merge(more),
                none => *none = Some(more),
            },
            Ok(alone) = beyond.clone().acquire_owned() => self.beyond = Some(alone),
            else => {}
        }
    }

    /// Gives back all but so many bytes.
    pub(super) fn shrink_to(&mut self, bytes: usize) {
        if let Some(held) = &mut self.room {
            drop(held.split(held.num_permits().saturating_sub(bytes)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use tokio::{task::yield_now, time::timeout};

    use super::*;

    const SECONDS: Duration = Duration::from_secs(10);

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
    }

    /// Bodies of `steps` pieces of `step` bytes, so many side by side: the most bytes that were in memory at once.
    async fn most(side_by_side: usize, steps: usize, step: usize) -> usize {
        let (bodies, now, most) = (Bodies::new(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let body = || {
            let (bodies, now, most) = (bodies.clone(), now.clone(), most.clone());
            async move {
                let mut held = bodies.hold();
                for _ in 0..steps {
                    held.grow(step).await;
                    most.fetch_max(now.fetch_add(step, Ordering::SeqCst) + step, Ordering::SeqCst);
                    yield_now().await;
                }
                now.fetch_sub(steps * step, Ordering::SeqCst);
                drop(held);
            }
        };
        let all: Vec<_> = (0..side_by_side).map(|_| tokio::spawn(body())).collect();
        for one in all {
            timeout(SECONDS, one).await.expect("no body waits for ever").unwrap();
        }
        most.load(Ordering::SeqCst)
    }

    #[test]
    fn bodies_together_stay_within_the_room_and_one_that_goes_beyond() {
        let megabyte = 1024 * 1024;
        for (side_by_side, steps, step) in [(64, 4, megabyte / 4), (64, 8, megabyte / 4), (20, 3, megabyte), (3, 20, megabyte)] {
            let most = runtime().block_on(most(side_by_side, steps, step));
            assert!(most <= ROOM + steps * step, "{side_by_side} bodies of {} bytes: {most}", steps * step);
        }
    }

    #[test]
    fn what_is_given_back_can_be_had() {
        runtime().block_on(async {
            let bodies = Bodies::new();
            let (mut one, mut other, mut third) = (bodies.hold(), bodies.hold(), bodies.hold());
            one.grow(ROOM).await;
            one.shrink_to(10);
            other.grow(ROOM - 10).await;
            assert_eq!(bodies.room.available_permits(), 0);
            assert_eq!(bodies.beyond.available_permits(), 1);
            third.grow(1).await;
            assert_eq!(bodies.beyond.available_permits(), 0);
            drop((one, other, third));
            assert_eq!((bodies.room.available_permits(), bodies.beyond.available_permits()), (ROOM, 1));
        });
    }
}
