//! Panics: remembered by their place and never by their text, which may quote what was read.

use std::{panic, sync::OnceLock};

static PLACE: OnceLock<String> = OnceLock::new();

/// From now on a panic says nothing by itself; where the first one was is remembered.
pub fn remember() {
    panic::set_hook(Box::new(|panic| {
        if let Some(place) = panic.location() {
            let _ = PLACE.set(format!("{}:{}", place.file(), place.line()));
        }
    }));
}

/// Where the first panic was, if panics are remembered.
pub(crate) fn place() -> Option<&'static str> {
    PLACE.get().map(String::as_str)
}
