//! A work item: a series of requests that are sent one after another, with a priority and a listener for its events.

use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::Priority;

/// An event of a work item.
#[derive(Clone, Copy, Debug)]
pub enum WorkEvent {
    /// A request was sent.
    Sent,
    /// Graph throttled a request.
    Throttled,
    /// The work item pauses for this long, because it was throttled.
    Paused(Duration),
    /// The work item continues after a pause.
    Resumed,
}

type Listener = Box<dyn Fn(WorkEvent) + Send + Sync>;

#[derive(Default)]
pub(super) struct WorkItem {
    /// Whether the work item began with the first page of a list.
    pub(super) opens_list: bool,
    priority: Mutex<Priority>,
    /// The size of the last response body in bytes.
    size: AtomicUsize,
    listener: Option<Listener>,
}

impl WorkItem {
    /// `size` is the expected size of the first body.
    pub(super) fn new(priority: Priority, size: usize, listener: impl Fn(WorkEvent) + Send + Sync + 'static) -> Self {
        let opens_list = priority == Priority::FirstPage;
        Self { opens_list, priority: Mutex::new(priority), size: AtomicUsize::new(size), listener: Some(Box::new(listener)) }
    }

    pub(super) fn priority(&self) -> Priority {
        *self.priority.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_priority(&self, priority: Priority) {
        *self.priority.lock().unwrap_or_else(PoisonError::into_inner) = priority;
    }

    pub(super) fn size(&self) -> usize {
        self.size.load(Ordering::Relaxed)
    }

    pub(super) fn set_size(&self, size: usize) {
        self.size.store(size, Ordering::Relaxed);
    }

    pub(super) fn report(&self, event: WorkEvent) {
        if let Some(listener) = &self.listener {
            listener(event);
        }
    }

    /// Reports a pause, and its end when the returned value is dropped.
    pub(super) fn pause(&self, wait: Duration) -> impl Drop {
        self.report(WorkEvent::Paused(wait));
        Pause(self)
    }
}

impl fmt::Debug for WorkItem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("WorkItem").field("priority", &self.priority).finish_non_exhaustive()
    }
}

struct Pause<'w>(&'w WorkItem);

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        self.0.report(WorkEvent::Resumed);
    }
}
