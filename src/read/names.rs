//! The display names of teams and channels. Only commands that show them keep them: a run needs only the ids, and saves the memory.

use std::{collections::HashMap, sync::Mutex};

use crate::{graph::Item, secrets::Secrets};

/// Names by id, if they are kept.
#[derive(Debug, Default)]
pub(crate) struct Names {
    kept: Option<Mutex<HashMap<String, String>>>,
    secrets: Secrets,
}

impl Names {
    /// Keeps names, with these secrets hidden.
    pub(crate) fn enabled(secrets: Secrets) -> Self {
        Self { kept: Some(Mutex::default()), secrets }
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.kept.is_some()
    }

    /// Notes the name of a group, team or channel.
    pub(crate) fn note(&self, item: Item<'_>) {
        let Some(Ok(mut names)) = self.kept.as_ref().map(Mutex::lock) else { return };
        if let Some((id, name)) = item.id().zip(item.text("displayName").filter(|name| !name.trim().is_empty())) {
            names.insert(id.into_owned(), self.secrets.hide(&name).into_owned());
        }
    }

    /// Whether the name of this id is known.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.kept.as_ref().and_then(|names| names.lock().ok()).is_some_and(|names| names.contains_key(id))
    }

    /// Takes all names.
    pub(crate) fn take(&self) -> HashMap<String, String> {
        self.kept.as_ref().and_then(|names| names.lock().ok()).map(|mut names| std::mem::take(&mut *names)).unwrap_or_default()
    }
}
