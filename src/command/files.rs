//! Reading the files that the command line names.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use crate::error::Error;

/// A state is no larger: that of a million channels takes half of it.
const MAX_STATE: u64 = 1024 * 1024 * 1024;

/// Other files are no larger.
const MAX_OTHER: u64 = 64 * 1024 * 1024;

/// The JSON in a file. What the file is called does not matter.
///
/// # Errors
/// If the file cannot be read or holds no JSON; `what` it should hold is named.
pub(crate) fn read_json(path: &Path, what: &'static str) -> Result<Value, Error> {
    parse(&read_text(path, what)?, path, what)?.ok_or_else(|| error(path, what, "it is empty"))
}

/// What `take` makes of the JSON in the file of a state; it is given [`None`] if the file is empty. The text is let go of then: it may be large.
///
/// # Errors
/// If the file cannot be read or holds something that is no JSON, or with the error of `take`, which names the file.
pub(crate) fn read_state<T>(path: &Path, take: impl FnOnce(Option<&RawValue>) -> Result<T, Error>) -> Result<T, Error> {
    let text = read_text(path, "state")?;
    take(parse(&text, path, "state")?).map_err(in_file(path, "state"))
}

/// The JSON object in a file that people write: with comments and commas behind the last of a list.
///
/// # Errors
/// If the file cannot be read or holds no JSON object.
pub(crate) fn read_commented_object(path: &Path, what: &'static str) -> Result<Map<String, Value>, Error> {
    let mut text = read_text(path, what)?;
    // A comment that does not end is told as the damage that it is.
    let _ = json_strip_comments::strip_slice(&mut text);
    match parse::<Value>(&text, path, what)? {
        Some(Value::Object(object)) => Ok(object),
        Some(_) => Err(error(path, what, "it is not a JSON object")),
        None => Err(error(path, what, "it is empty")),
    }
}

/// The text in a file that holds a secret and nothing else but perhaps the end of its line.
///
/// # Errors
/// If the file cannot be read, is empty or holds no text.
pub(crate) fn read_secret(path: &Path) -> Result<String, Error> {
    let what = "client secret";
    let text = String::from_utf8(read_text(path, what)?).map_err(|_| error(path, what, "it is not text in UTF-8"))?;
    let secret = text.trim();
    if secret.is_empty() { Err(error(path, what, "it is empty")) } else { Ok(secret.to_owned()) }
}

/// The JSON in a text; [`None`] if it is empty.
fn parse<'t, T: Deserialize<'t>>(text: &'t [u8], path: &Path, what: &'static str) -> Result<Option<T>, Error> {
    if text.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let value = serde_json::from_slice(text);
    value.map(Some).map_err(|reason| error(path, what, format_args!("it is not JSON: {}", without_content(&reason, what))))
}

/// What a file holds, as far as it can be text.
fn read_text(path: &Path, what: &'static str) -> Result<Vec<u8>, Error> {
    if path.is_dir() {
        return Err(error(path, what, "it is a directory"));
    }
    let mut bytes = read(path, if what == "state" { MAX_STATE } else { MAX_OTHER }).map_err(|reason| error(path, what, reason))?;
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(error(path, what, "it is written in UTF-16; save it as UTF-8"));
    }
    // Editors on Windows put a byte order mark in front.
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    Ok(bytes)
}

/// All that a file holds: it may be a pipe, and may have no end.
fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let length = file.metadata().map(|metadata| metadata.len()).unwrap_or_default().min(most);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    if file.take(most + 1).read_to_end(&mut bytes)? as u64 > most {
        return Err(io::Error::other(format!("it is larger than {} MiB", most >> 20)));
    }
    Ok(bytes)
}

/// Names the file in which something was wrong that was found later.
pub(crate) fn in_file(path: &Path, what: &'static str) -> impl FnOnce(Error) -> Error {
    move |found| match found {
        Error::Catalog(reason) | Error::State(reason) => error(path, what, reason),
        other => other,
    }
}

fn error(path: &Path, what: &'static str, reason: impl ToString) -> Error {
    Error::File { what, path: path.display().to_string(), reason: reason.to_string() }
}

/// Where the JSON is damaged, but not what stands there: it may be a secret.
fn without_content(error: &serde_json::Error, what: &str) -> String {
    if error.to_string().starts_with("trailing characters") {
        // What people give in place of a state.
        let hint = if what == "state" {
            "; hint: a state is the last of each stream in a list, or the last of a tap, and not the output of a run"
        } else {
            ""
        };
        return format!("something follows behind its first value, at line {}{hint}", error.line());
    }
    format!("{} at line {}, column {}", if error.is_eof() { "it ends too early" } else { "it is damaged" }, error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn what_looks_like_a_comment_within_a_text_is_none(name in ".{0,20}", secret in r#"[/*"\\,}\]\n a-c]{0,40}"#) {
            let file = tempfile::NamedTempFile::new().unwrap();
            let written = json!({(&name): &secret, "list": [&secret, {"b": 1}]});
            fs::write(file.path(), format!("// {}\n{written:#} /* {} */", secret.replace('\n', " "), secret.replace('*', " "))).unwrap();
            prop_assert_eq!(Value::Object(read_commented_object(file.path(), "configuration").unwrap()), written);
        }

        #[test]
        fn a_file_of_anything_is_taken_or_refused(bytes in prop::collection::vec(prop_oneof![Just(b'/'), Just(b'*'), Just(b'"'), Just(b','), any::<u8>()], 0..60)) {
            let file = tempfile::NamedTempFile::new().unwrap();
            fs::write(file.path(), bytes).unwrap();
            let _ = read_commented_object(file.path(), "configuration");
        }
    }
}
