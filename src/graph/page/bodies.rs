//! The room for bodies: what pages hold in memory together is bounded, however many and however large they are, and is used again.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of bodies in memory. One body at a time may go beyond it, else bodies could wait for each other for ever.
const ROOM: usize = 8 * 1024 * 1024;

/// Bytes of buffers that are kept to be used again: large ones come and go so often that an allocator would spread them all over the memory.
const SPARE: usize = 6 * 1024 * 1024;

/// A body is taken to be as large at least.
const LEAST: usize = 64 * 1024;

/// The room that all bodies of a client share.
#[derive(Clone, Debug)]
pub(in crate::graph) struct Bodies {
    room: Arc<Semaphore>,
    beyond: Arc<Semaphore>,
    spare: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// The room that one body takes, until dropped.
#[derive(Debug)]
pub struct Held {
    bodies: Bodies,
    room: Option<OwnedSemaphorePermit>,
    beyond: Option<OwnedSemaphorePermit>,
}

impl Bodies {
    pub(in crate::graph) fn new() -> Self {
        Self { room: Arc::new(Semaphore::new(ROOM)), beyond: Arc::new(Semaphore::new(1)), spare: Arc::default() }
    }

    /// For a body that is still empty.
    pub(in crate::graph) fn hold(&self) -> Held {
        Held { bodies: self.clone(), room: None, beyond: None }
    }
}

impl Held {
    /// Makes room for so many bytes behind those that the body has, of which there will be `expected` in all as far as is known.
    pub(in crate::graph) async fn reserve(&mut self, body: &mut Vec<u8>, more: usize, expected: usize) {
        let length = body.len() + more;
        if length <= body.capacity() {
            return;
        }
        let wanted = if body.capacity() == 0 { expected.clamp(LEAST, ROOM) } else { 2 * body.capacity() };
        let capacity = wanted.max(length).next_power_of_two();
        self.grow(capacity - body.capacity()).await;
        if body.capacity() > SPARE {
            // What is not kept as it is need not be copied either.
            body.reserve_exact(capacity - body.len());
            return;
        }
        let mut larger = self.take_spare(capacity).unwrap_or_else(|| Vec::with_capacity(capacity));
        larger.extend_from_slice(body);
        self.give_back(std::mem::replace(body, larger));
    }

    /// Waits until there is room for so many bytes that were made of the body.
    pub(in crate::graph) async fn add(&mut self, bytes: usize) {
        self.grow(bytes).await;
    }

    /// A buffer that is no longer needed. Those that nobody has used for longest make way for it.
    pub(in crate::graph) fn give_back(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() == 0 {
            return;
        }
        buffer.clear();
        let mut spare = self.bodies.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.push(buffer);
        let mut size = spare.iter().map(Vec::capacity).sum::<usize>();
        spare.retain(|buffer| {
            let fits = size <= SPARE;
            size -= if fits { 0 } else { buffer.capacity() };
            fits
        });
    }

    /// The smallest spare buffer of that size at least, if there is one and room for what it has more.
    fn take_spare(&mut self, capacity: usize) -> Option<Vec<u8>> {
        let mut spare = self.bodies.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = spare.iter().enumerate().filter(|(_, buffer)| buffer.capacity() >= capacity);
        let (at, buffer) = fitting.min_by_key(|(_, buffer)| buffer.capacity())?;
        if buffer.capacity() > capacity && self.beyond.is_none() {
            let more = u32::try_from(buffer.capacity() - capacity).ok()?;
            let more = self.bodies.room.clone().try_acquire_many_owned(more).ok()?;
            self.room.as_mut()?.merge(more);
        }
        Some(spare.remove(at))
    }

    /// Waits until there is room for so many bytes more.
    async fn grow(&mut self, bytes: usize) {
        if self.beyond.is_some() {
            return;
        }
        let Bodies { room, beyond, .. } = &self.bodies;
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
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use tokio::{task::yield_now, time::timeout};

    use super::*;

    const MEGABYTE: usize = 1024 * 1024;
    const SECONDS: Duration = Duration::from_secs(10);

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
    }

    /// Bodies of `steps` pieces of `step` bytes, so many side by side: the most bytes that were in memory at once.
    async fn most(side_by_side: usize, steps: usize, step: usize, expected: usize) -> usize {
        let (bodies, now, most) = (Bodies::new(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let body = || {
            let (bodies, now, most) = (bodies.clone(), now.clone(), most.clone());
            async move {
                let mut held = bodies.hold();
                let mut body = Vec::new();
                for _ in 0..steps {
                    held.reserve(&mut body, step, expected).await;
                    body.resize(body.len() + step, b'x');
                    most.fetch_max(now.fetch_add(step, Ordering::SeqCst) + step, Ordering::SeqCst);
                    yield_now().await;
                }
                now.fetch_sub(steps * step, Ordering::SeqCst);
                held.give_back(body);
            }
        };
        let all: Vec<_> = (0..side_by_side).map(|_| tokio::spawn(body())).collect();
        for one in all {
            timeout(SECONDS, one).await.expect("no body waits for ever").unwrap();
        }
        let spare: usize = bodies.spare.lock().unwrap().iter().map(Vec::capacity).sum();
        assert!(spare <= SPARE, "{spare} bytes are spare");
        assert_eq!((bodies.room.available_permits(), bodies.beyond.available_permits()), (ROOM, 1));
        most.load(Ordering::SeqCst)
    }

    #[test]
    fn bodies_together_stay_within_the_room_and_one_that_goes_beyond() {
        for (side_by_side, steps, step) in [(64, 4, MEGABYTE / 4), (64, 8, MEGABYTE / 4), (20, 3, MEGABYTE), (3, 20, MEGABYTE)] {
            for expected in [0, steps * step, 100 * MEGABYTE] {
                let most = runtime().block_on(most(side_by_side, steps, step, expected));
                assert!(most <= ROOM + 2 * steps * step, "{side_by_side} bodies of {} bytes: {most}", steps * step);
            }
        }
    }

    #[test]
    fn buffers_are_used_again() {
        runtime().block_on(async {
            let bodies = Bodies::new();
            let (mut held, mut body) = (bodies.hold(), Vec::new());
            held.reserve(&mut body, 10, 0).await;
            assert_eq!(body.capacity(), LEAST);
            body.resize(LEAST, b'x');
            held.reserve(&mut body, 1, 0).await;
            assert_eq!((body.len(), body.capacity()), (LEAST, 2 * LEAST));
            assert_eq!(bodies.room.available_permits(), ROOM - 2 * LEAST);
            let address = body.as_ptr();
            held.give_back(body);
            drop(held);
            assert_eq!(bodies.room.available_permits(), ROOM);
            let (mut held, mut body) = (bodies.hold(), Vec::new());
            held.reserve(&mut body, 10, 2 * LEAST - 7).await;
            assert_eq!((body.len(), body.capacity(), body.as_ptr()), (0, 2 * LEAST, address));
            held.give_back(body);
            held.give_back(Vec::with_capacity(SPARE));
            assert_eq!(bodies.spare.lock().unwrap().iter().map(Vec::capacity).collect::<Vec<_>>(), [SPARE]);
            held.give_back(Vec::with_capacity(SPARE + 1));
            assert!(bodies.spare.lock().unwrap().is_empty());
        });
    }
}
