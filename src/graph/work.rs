//! A piece of work that requests are sent for, one after the other: how urgent it is, and who hears what happens to it.

use std::{
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::Urgency;

/// What happens to a piece of work.
#[derive(Clone, Copy, Debug)]
pub enum WorkEvent {
    /// A request is sent.
    Sent,
    /// Graph has refused one, since its limits are reached.
    Throttled,
    /// Graph holds the work up for so long.
    HeldUp(Duration),
    /// What was held up goes on.
    GoesOn,
}

type Listener = Box<dyn Fn(WorkEvent) + Send + Sync>;

/// What is known of the work that requests are sent for.
#[derive(Default)]
pub(super) struct Work {
    /// Whether it began by opening a list.
    pub(super) opens: bool,
    urgency: Mutex<Urgency>,
    /// The size of the last body.
    size: AtomicUsize,
    listener: Option<Listener>,
}

impl Work {
    /// Work whose first body is expected to have this size.
    pub(super) fn new(urgency: Urgency, size: usize, listener: impl Fn(WorkEvent) + Send + Sync + 'static) -> Self {
        let opens = urgency == Urgency::Opens;
        Self { opens, urgency: Mutex::new(urgency), size: AtomicUsize::new(size), listener: Some(Box::new(listener)) }
    }

    pub(super) fn urgency(&self) -> Urgency {
        *self.urgency.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_urgency(&self, urgency: Urgency) {
        *self.urgency.lock().unwrap_or_else(PoisonError::into_inner) = urgency;
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

    /// Reports that Graph holds the work up, and that it goes on when what is given is dropped.
    pub(super) fn hold_up(&self, wait: Duration) -> impl Drop {
        self.report(WorkEvent::HeldUp(wait));
        GoesOn(self)
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Work").field("urgency", &self.urgency).finish_non_exhaustive()
    }
}

struct GoesOn<'w>(&'w Work);

impl Drop for GoesOn<'_> {
    fn drop(&mut self) {
        self.0.report(WorkEvent::GoesOn);
    }
}
