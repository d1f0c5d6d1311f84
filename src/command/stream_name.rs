//! Stream names on the command line.

use crate::{error::Error, streams::Stream};

pub(super) fn parse(name: &str) -> Result<&'static Stream, Error> {
    Stream::by_name(name).ok_or_else(|| Error::Catalog(format!("unknown stream {name}; known streams: {}", Stream::names().join(", "))))
}
