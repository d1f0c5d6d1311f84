//! Streams that the command line names.

use crate::{error::Error, streams::Stream};

/// The stream of that name.
pub(super) fn stream(name: &str) -> Result<&'static Stream, Error> {
    Stream::named(name).ok_or_else(|| Error::Catalog(format!("there is no stream {name}; there are {}", Stream::names().join(", "))))
}
