//! Buffers for response bodies. Their total size is bounded, and they are reused.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Maximum total size of bodies in memory, in bytes. One body at a time may exceed it; otherwise bodies could wait for each other forever.
const MAX_TOTAL: usize = 8 * 1024 * 1024;

/// Maximum total size of spare buffers, in bytes. Large buffers are reused, because allocating them for each page would fragment the memory.
const MAX_SPARE: usize = 6 * 1024 * 1024;

/// The minimum size of a buffer.
const MIN_BUFFER: usize = 64 * 1024;

/// The memory that all bodies of a client share.
#[derive(Clone, Debug)]
pub(in crate::graph) struct BodyBuffers {
    available: Arc<Semaphore>,
    /// One permit, for the body that may exceed the maximum.
    oversize: Arc<Semaphore>,
    spare: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// Reserves the memory of one body until dropped.
#[derive(Debug)]
pub struct BufferPermit {
    buffers: BodyBuffers,
    reserved: Option<OwnedSemaphorePermit>,
    oversize: Option<OwnedSemaphorePermit>,
}

impl BodyBuffers {
    pub(in crate::graph) fn new() -> Self {
        Self { available: Arc::new(Semaphore::new(MAX_TOTAL)), oversize: Arc::new(Semaphore::new(1)), spare: Arc::default() }
    }

    /// Creates a permit for an empty body.
    pub(in crate::graph) fn permit(&self) -> BufferPermit {
        BufferPermit { buffers: self.clone(), reserved: None, oversize: None }
    }
}

impl BufferPermit {
    /// Waits for memory for `additional` bytes, and grows the body. `expected` is the estimated size of the whole body.
    pub(in crate::graph) async fn reserve(&mut self, body: &mut Vec<u8>, additional: usize, expected: usize) {
        let length = body.len() + additional;
        if length <= body.capacity() {
            return;
        }
        let preferred = if body.capacity() == 0 { expected.clamp(MIN_BUFFER, MAX_TOTAL) } else { 2 * body.capacity() };
        let capacity = preferred.max(length).next_power_of_two();
        self.grow(capacity - body.capacity()).await;
        if body.capacity() > MAX_SPARE {
            // Such a buffer is never kept as a spare, so it can be reallocated in place.
            body.reserve_exact(capacity - body.len());
            return;
        }
        let mut larger = self.take_spare(capacity).unwrap_or_else(|| Vec::with_capacity(capacity));
        larger.extend_from_slice(body);
        self.recycle(std::mem::replace(body, larger));
    }

    /// Waits for memory for data that was derived from the body.
    pub(in crate::graph) async fn add(&mut self, bytes: usize) {
        self.grow(bytes).await;
    }

    /// Keeps a buffer as a spare, and drops the oldest spares if there are too many.
    pub(in crate::graph) fn recycle(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() == 0 {
            return;
        }
        buffer.clear();
        let mut spare = self.buffers.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.push(buffer);
        let mut size = spare.iter().map(Vec::capacity).sum::<usize>();
        spare.retain(|buffer| {
            let fits = size <= MAX_SPARE;
            size -= if fits { 0 } else { buffer.capacity() };
            fits
        });
    }

    /// The smallest spare buffer that is large enough, if there is memory for its excess size.
    fn take_spare(&mut self, capacity: usize) -> Option<Vec<u8>> {
        let mut spare = self.buffers.spare.lock().unwrap_or_else(PoisonError::into_inner);
        let fitting = spare.iter().enumerate().filter(|(_, buffer)| buffer.capacity() >= capacity);
        let (at, buffer) = fitting.min_by_key(|(_, buffer)| buffer.capacity())?;
        if buffer.capacity() > capacity && self.oversize.is_none() {
            let excess = u32::try_from(buffer.capacity() - capacity).ok()?;
            let excess = self.buffers.available.clone().try_acquire_many_owned(excess).ok()?;
            self.reserved.as_mut()?.merge(excess);
        }
        Some(spare.remove(at))
    }

    async fn grow(&mut self, bytes: usize) {
        if self.oversize.is_some() {
            return;
        }
        let BodyBuffers { available, oversize, .. } = &self.buffers;
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        // The semaphores are never closed.
        tokio::select! {
            biased;
            Ok(more) = available.clone().acquire_many_owned(bytes) => match &mut self.reserved {
                Some(reserved) => reserved.merge(more),
                none => *none = Some(more),
            },
            Ok(permit) = oversize.clone().acquire_owned() => self.oversize = Some(permit),
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

    /// The maximum bytes in memory while `concurrent` bodies are read, each in `steps` chunks of `step` bytes.
    async fn max_bytes(concurrent: usize, steps: usize, step: usize, expected: usize) -> usize {
        let (buffers, now, max) = (BodyBuffers::new(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let body = || {
            let (buffers, now, max) = (buffers.clone(), now.clone(), max.clone());
            async move {
                let mut permit = buffers.permit();
                let mut body = Vec::new();
                for _ in 0..steps {
                    permit.reserve(&mut body, step, expected).await;
                    body.resize(body.len() + step, b'x');
                    max.fetch_max(now.fetch_add(step, Ordering::SeqCst) + step, Ordering::SeqCst);
                    yield_now().await;
                }
                now.fetch_sub(steps * step, Ordering::SeqCst);
                permit.recycle(body);
            }
        };
        let all: Vec<_> = (0..concurrent).map(|_| tokio::spawn(body())).collect();
        for one in all {
            timeout(SECONDS, one).await.expect("no body waits forever").unwrap();
        }
        let spare: usize = buffers.spare.lock().unwrap().iter().map(Vec::capacity).sum();
        assert!(spare <= MAX_SPARE, "{spare} bytes are spare");
        assert_eq!((buffers.available.available_permits(), buffers.oversize.available_permits()), (MAX_TOTAL, 1));
        max.load(Ordering::SeqCst)
    }

    #[test]
    fn all_bodies_stay_within_the_maximum_except_for_one() {
        for (concurrent, steps, step) in [(64, 4, MEGABYTE / 4), (64, 8, MEGABYTE / 4), (20, 3, MEGABYTE), (3, 20, MEGABYTE)] {
            for expected in [0, steps * step, 100 * MEGABYTE] {
                let max = runtime().block_on(max_bytes(concurrent, steps, step, expected));
                assert!(max <= MAX_TOTAL + 2 * steps * step, "{concurrent} bodies of {} bytes: {max}", steps * step);
            }
        }
    }

    #[test]
    fn buffers_are_reused() {
        runtime().block_on(async {
            let buffers = BodyBuffers::new();
            let (mut permit, mut body) = (buffers.permit(), Vec::new());
            permit.reserve(&mut body, 10, 0).await;
            assert_eq!(body.capacity(), MIN_BUFFER);
            body.resize(MIN_BUFFER, b'x');
            permit.reserve(&mut body, 1, 0).await;
            assert_eq!((body.len(), body.capacity()), (MIN_BUFFER, 2 * MIN_BUFFER));
            assert_eq!(buffers.available.available_permits(), MAX_TOTAL - 2 * MIN_BUFFER);
            let address = body.as_ptr();
            permit.recycle(body);
            drop(permit);
            assert_eq!(buffers.available.available_permits(), MAX_TOTAL);
            let (mut permit, mut body) = (buffers.permit(), Vec::new());
            permit.reserve(&mut body, 10, 2 * MIN_BUFFER - 7).await;
            assert_eq!((body.len(), body.capacity(), body.as_ptr()), (0, 2 * MIN_BUFFER, address));
            permit.recycle(body);
            permit.recycle(Vec::with_capacity(MAX_SPARE));
            assert_eq!(buffers.spare.lock().unwrap().iter().map(Vec::capacity).collect::<Vec<_>>(), [MAX_SPARE]);
            permit.recycle(Vec::with_capacity(MAX_SPARE + 1));
            assert!(buffers.spare.lock().unwrap().is_empty());
        });
    }
}
