//! What teams and channels are called. Only who tells it to people keeps that: a run needs their ids alone, and its memory is for them.

use std::{collections::HashMap, sync::Mutex};

use crate::{graph::Item, secrets::Secrets};

/// Names by ids, if they are kept.
#[derive(Debug, Default)]
pub(crate) struct Names {
    kept: Option<Mutex<HashMap<String, String>>>,
    secrets: Secrets,
}

impl Names {
    /// Keeps what it is told, without these secrets.
    pub(crate) fn kept(secrets: Secrets) -> Self {
        Self { kept: Some(Mutex::default()), secrets }
    }

    /// Whether they are kept.
    pub(crate) fn are_kept(&self) -> bool {
        self.kept.is_some()
    }

    /// Takes note of the name of a group, a team or a channel.
    pub(crate) fn note(&self, item: Item<'_>) {
        let Some(Ok(mut names)) = self.kept.as_ref().map(Mutex::lock) else { return };
        if let Some((id, name)) = item.id().zip(item.text("displayName").filter(|name| !name.trim().is_empty())) {
            names.insert(id.into_owned(), self.secrets.hide(&name).into_owned());
        }
    }

    /// Whether this one has a name that is known.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.kept.as_ref().and_then(|names| names.lock().ok()).is_some_and(|names| names.contains_key(id))
    }

    /// Gives away all that were kept.
    pub(crate) fn take(&self) -> HashMap<String, String> {
        self.kept.as_ref().and_then(|names| names.lock().ok()).map(|mut names| std::mem::take(&mut *names)).unwrap_or_default()
    }
}
