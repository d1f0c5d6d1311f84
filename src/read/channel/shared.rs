//! What the channels of a run share: how Graph expands replies, and what was warned of.

use std::{collections::HashSet, sync::Mutex};

use tracing::{debug, warn};

use super::expansion::Expansion;

/// What is warned of once a run, however many channels it concerns.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Remark {
    /// Delta's token is no longer taken.
    DeltaEnded,
    /// There is no delta.
    DeltaRefused,
    /// Delta does not answer.
    DeltaUnanswered,
    /// Replies are not expanded into their roots.
    Expansion,
}

/// What the channels of a run share.
#[derive(Debug, Default)]
pub(crate) struct SharedByChannels {
    pub(crate) expansion: Expansion,
    remarked: Mutex<HashSet<Remark>>,
}

impl SharedByChannels {
    /// Logs something as a warning the first time in the run, and for other channels in the details.
    pub(super) fn remark(&self, about: Remark, sentence: String) {
        let is_first = self.remarked.lock().is_ok_and(|mut remarked| remarked.insert(about));
        if is_first {
            warn!("{sentence} (reported once per run)");
        } else {
            debug!("{sentence}");
        }
    }
}
