//! Reading the files that the command line names.

use std::{fs, path::Path};

use serde_json::Value;

use crate::error::Error;

/// The JSON in a file. What the file is called does not matter.
///
/// # Errors
/// If the file cannot be read or holds no JSON; `what` it should hold is named.
pub(crate) fn read_json(path: &Path, what: &'static str) -> Result<Value, Error> {
    let error = |reason: String| Error::File { what, path: path.display().to_string(), reason };
    if path.is_dir() {
        return Err(error("it is a directory".to_owned()));
    }
    let bytes = fs::read(path).map_err(|reason| error(reason.to_string()))?;
    // Editors on Windows put a byte order mark in front.
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(error("it is empty".to_owned()));
    }
    serde_json::from_slice(text).map_err(|reason| error(format!("it is not JSON: {}", without_content(&reason))))
}

/// Where the JSON is damaged, but not what stands there: it may be a secret.
fn without_content(error: &serde_json::Error) -> String {
    format!("{} at line {}, column {}", if error.is_eof() { "it ends too early" } else { "it is damaged" }, error.line(), error.column())
}
