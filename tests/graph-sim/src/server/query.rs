//! OData query options: parses them and checks that the route accepts them.

use super::response::Response;
use crate::{encode::form_decode, switches::Excess};

#[derive(Clone, Debug, Default)]
pub(crate) struct Query {
    /// The query string as it was sent.
    pub(crate) text: String,
    options: Vec<(String, String)>,
    /// Names before decoding, since the names of page tokens must not be escaped.
    raw_names: Vec<String>,
}

impl Query {
    pub(crate) fn parse(text: &str) -> Query {
        let mut query = Query { text: text.to_owned(), ..Query::default() };
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            query.options.push((form_decode(name), form_decode(value)));
            query.raw_names.push(name.to_owned());
        }
        query
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// The page token with this name. It is an error if the client re-encoded the name (graph.md 4.2) or added other options, which the link
    /// already contains (graph.md 2.0).
    pub(crate) fn token(&self, name: &str) -> Result<Option<&str>, Response> {
        let Some(value) = self.get(name) else { return Ok(None) };
        if !self.raw_names.iter().any(|raw| raw == name) {
            return Err(Response::not_supported(&name.replace('$', "%24")));
        }
        if let Some((other, _)) = self.options.iter().find(|(have, _)| have != name) {
            return Err(Response::bad_request(format!("The query option '{other}' is already part of the link.")));
        }
        Ok(Some(value))
    }

    /// Returns 400 unless all options are known.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Response> {
        let unknown = self.options.iter().find(|(name, _)| !known.contains(&name.as_str()));
        unknown.map_or(Ok(()), |(name, _)| Err(Response::not_supported(&title(name))))
    }

    /// `$top`, which must be between 1 and `max`, or the default.
    pub(crate) fn top(&self, default: usize, max: usize, excess: Excess) -> Result<usize, Response> {
        let Some(text) = self.get("$top") else { return Ok(default) };
        match text.parse::<usize>() {
            Ok(0) | Err(_) => Err(Response::bad_request(format!("Invalid value '{text}' for $top query option found."))),
            Ok(top) if top > max && excess == Excess::Reject => Err(Response::bad_request(format!(
                "The limit of '{max}' for Top query has been exceeded. The value from the incoming request is '{top}'."
            ))),
            Ok(top) => Ok(top.min(max)),
        }
    }

    /// The property names of `$select`, or none if all properties are selected.
    pub(crate) fn select(&self) -> Vec<String> {
        self.get("$select").map(|names| names.split(',').map(|name| name.trim().to_owned()).collect()).unwrap_or_default()
    }
}

/// The name of an option in the errors of Graph: `Top` for `$top`.
fn title(name: &str) -> String {
    let bare = name.trim_start_matches('$');
    match bare.to_ascii_lowercase().as_str() {
        "deltatoken" => "DeltaToken".to_owned(),
        "skiptoken" => "SkipToken".to_owned(),
        "orderby" => "OrderBy".to_owned(),
        _ => {
            let mut chars = bare.chars();
            chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
        }
    }
}
