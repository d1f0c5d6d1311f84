//! Panics: only their location is recorded, because their message may quote data.

use std::{panic, sync::OnceLock};

static LOCATION: OnceLock<String> = OnceLock::new();

/// Silences panic messages and records the location of the first panic.
pub fn install_hook() {
    panic::set_hook(Box::new(|panic| {
        if let Some(location) = panic.location() {
            let _ = LOCATION.set(format!("{}:{}", location.file(), location.line()));
        }
    }));
}

/// The location of the first panic, if the hook is installed.
pub(crate) fn location() -> Option<&'static str> {
    LOCATION.get().map(String::as_str)
}
