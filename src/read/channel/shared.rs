//! The state that all channels of a run share: how Graph expands replies, and which warnings were logged.

use std::{collections::HashSet, sync::Mutex};

use tracing::{debug, warn};

use super::expansion::Expansion;

/// Warnings that are logged once per run, however many channels they concern.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Warning {
    DeltaTokenRejected,
    DeltaUnsupported,
    DeltaUnavailable,
    Expansion,
}

#[derive(Debug, Default)]
pub(crate) struct SharedByChannels {
    pub(crate) expansion: Expansion,
    warned: Mutex<HashSet<Warning>>,
}

impl SharedByChannels {
    /// Logs a message as a warning the first time, and at debug level for further channels.
    pub(super) fn warn_once(&self, warning: Warning, message: String) {
        let is_first = self.warned.lock().is_ok_and(|mut warned| warned.insert(warning));
        if is_first {
            warn!("{message} (reported once per run)");
        } else {
            debug!("{message}");
        }
    }
}
