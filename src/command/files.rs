//! Reads the files listed on the command line.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use crate::error::Error;

/// Maximum size of a state file. The state of a million channels is half as large.
const MAX_STATE: u64 = 1024 * 1024 * 1024;

/// Maximum size of other files.
const MAX_OTHER: u64 = 64 * 1024 * 1024;

/// Reads a JSON file, whatever its extension. `what` describes its content in errors.
pub(crate) fn read_json(path: &Path, what: &'static str) -> Result<Value, Error> {
    parse(&read_text(path, what)?, path, what)?.ok_or_else(|| error(path, what, "it is empty"))
}

/// Reads a state file with `parse_state`, which gets [`None`] if the file is empty. The text, which may be large, is dropped afterwards.
pub(crate) fn read_state<T>(path: &Path, parse_state: impl FnOnce(Option<&RawValue>) -> Result<T, Error>) -> Result<T, Error> {
    let text = read_text(path, "state")?;
    parse_state(parse(&text, path, "state")?).map_err(in_file(path, "state"))
}

/// Reads a file with a JSON object, which may contain comments and trailing commas.
pub(crate) fn read_commented_object(path: &Path, what: &'static str) -> Result<Map<String, Value>, Error> {
    let mut text = read_text(path, what)?;
    // A comment that is not closed results in a syntax error below.
    let _ = json_strip_comments::strip_slice(&mut text);
    match parse::<Value>(&text, path, what)? {
        Some(Value::Object(object)) => Ok(object),
        Some(_) => Err(error(path, what, "it is not a JSON object")),
        None => Err(error(path, what, "it is empty")),
    }
}

/// Reads a file that contains only a secret, without surrounding white space.
pub(crate) fn read_secret(path: &Path) -> Result<String, Error> {
    let what = "client secret";
    let text = String::from_utf8(read_text(path, what)?).map_err(|_| error(path, what, "it is not valid UTF-8"))?;
    let secret = text.trim();
    if secret.is_empty() { Err(error(path, what, "it is empty")) } else { Ok(secret.to_owned()) }
}

/// Parses JSON; [`None`] if the text is empty.
fn parse<'t, T: Deserialize<'t>>(text: &'t [u8], path: &Path, what: &'static str) -> Result<Option<T>, Error> {
    if text.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let value = serde_json::from_slice(text);
    value.map(Some).map_err(|reason| error(path, what, format_args!("it is not valid JSON: {}", location(&reason, what))))
}

/// Reads a file, without a byte order mark.
fn read_text(path: &Path, what: &'static str) -> Result<Vec<u8>, Error> {
    if path.is_dir() {
        return Err(error(path, what, "it is a directory"));
    }
    let mut bytes = read(path, if what == "state" { MAX_STATE } else { MAX_OTHER }).map_err(|reason| error(path, what, reason))?;
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(error(path, what, "it is encoded in UTF-16; save it as UTF-8"));
    }
    // Editors on Windows add a byte order mark.
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    Ok(bytes)
}

/// Reads a file up to a maximum size. It may be an endless pipe.
fn read(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let length = file.metadata().map(|metadata| metadata.len()).unwrap_or_default().min(max);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default() + 1);
    if file.take(max + 1).read_to_end(&mut bytes)? as u64 > max {
        return Err(io::Error::other(format!("it is larger than {} MiB", max >> 20)));
    }
    Ok(bytes)
}

/// Adds the path of the file to an error about its content.
pub(crate) fn in_file(path: &Path, what: &'static str) -> impl FnOnce(Error) -> Error {
    move |error_in_content| match error_in_content {
        Error::Catalog(reason) | Error::State(reason) => error(path, what, reason),
        other => other,
    }
}

fn error(path: &Path, what: &'static str, reason: impl ToString) -> Error {
    Error::File { what, path: path.display().to_string(), reason: reason.to_string() }
}

/// The kind and position of a JSON error, without the content, which may be a secret.
fn location(error: &serde_json::Error, what: &str) -> String {
    if error.to_string().starts_with("trailing characters") {
        // A common mistake is to pass the output of a run.
        let hint = if what == "state" {
            "; hint: pass a list with the last state of each stream (Airbyte) or the last state (Singer), not the output of a run"
        } else {
            ""
        };
        return format!("unexpected data after the first JSON value, at line {}{hint}", error.line());
    }
    format!("{} at line {}, column {}", if error.is_eof() { "unexpected end" } else { "syntax error" }, error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    proptest! {
        #[test]
        fn a_comment_in_a_string_is_kept(name in ".{0,20}", secret in r#"[/*"\\,}\]\n a-c]{0,40}"#) {
            let file = tempfile::NamedTempFile::new().unwrap();
            let written = json!({(&name): &secret, "list": [&secret, {"b": 1}]});
            fs::write(file.path(), format!("// {}\n{written:#} /* {} */", secret.replace('\n', " "), secret.replace('*', " "))).unwrap();
            prop_assert_eq!(Value::Object(read_commented_object(file.path(), "configuration").unwrap()), written);
        }

        #[test]
        fn no_file_makes_it_panic(bytes in prop::collection::vec(prop_oneof![Just(b'/'), Just(b'*'), Just(b'"'), Just(b','), any::<u8>()], 0..60)) {
            let file = tempfile::NamedTempFile::new().unwrap();
            fs::write(file.path(), bytes).unwrap();
            let _ = read_commented_object(file.path(), "configuration");
        }
    }
}
