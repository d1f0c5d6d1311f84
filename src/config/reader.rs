//! Reads the values of settings, which may also be written as strings, and collects all problems.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::{Map, Value};
use url::Url;

use super::{
    InvalidOption,
    ids::{self, IdOf},
    settings::{Kind, SETTINGS, setting},
};
use crate::level::Level;

/// Shown instead of a value that may contain a secret.
pub(super) const NOT_SHOWN: &str = "(not shown)";

/// Maximum number of invalid ids in a message.
const MAX_SHOWN_IDS: usize = 5;

/// Reads settings from layers of objects. The first layer that contains a setting wins.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    /// Each object, and the path of its keys for messages.
    layers: Vec<(&'a Map<String, Value>, String)>,
    pub(super) problems: Vec<InvalidOption>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(settings: &'a Map<String, Value>) -> Self {
        Self { layers: vec![(settings, String::new())], problems: Vec::new() }
    }

    /// Adds a layer that overrides the others.
    pub(super) fn with_layer(&self, settings: &'a Map<String, Value>, path: String) -> Self {
        let mut layers = vec![(settings, path)];
        layers.extend(self.layers.iter().cloned());
        Self { layers, problems: Vec::new() }
    }

    /// Reports stream options that are unknown or that cannot be set for a single stream.
    pub(super) fn check_stream_option_names(&mut self) {
        let Some((settings, path)) = self.layers.first().cloned() else { return };
        for name in settings.keys() {
            if !setting(name).is_some_and(|setting| setting.per_stream) {
                let names: Vec<_> = SETTINGS.iter().filter(|setting| setting.per_stream).map(|setting| setting.name).collect();
                self.problems.push(InvalidOption {
                    option: format!("{path}{name}"),
                    // The value may be a misplaced secret.
                    value: None,
                    allowed: format!("not a stream option; stream options: {}", names.join(", ")),
                });
            }
        }
    }

    pub(super) fn string(&mut self, name: &'static str) -> Option<String> {
        self.read(name, "a string", |value| match value {
            Value::String(text) => Some(text.trim().to_owned()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    }

    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        let default = default(name) == Some(Value::Bool(true));
        self.read(name, "true or false", flag).unwrap_or(default)
    }

    pub(super) fn integer(&mut self, name: &'static str) -> Option<u64> {
        let (min, max) = match setting(name).map(|setting| setting.kind) {
            Some(Kind::Integer { min, max }) => (min, max),
            _ => (0, u64::MAX),
        };
        let count = self
            .read(name, &format!("a whole number from {min} to {max}"), |value| integer(value).filter(|count| (min..=max).contains(count)));
        count.or_else(|| default(name)?.as_u64())
    }

    pub(super) fn number(&mut self, name: &'static str) -> Option<f64> {
        let number = self.read(name, "a number that is 0 or greater", |value| {
            let number = match value {
                Value::Number(number) => number.as_f64(),
                Value::String(text) => text.trim().parse().ok(),
                _ => None,
            };
            number.filter(|number| number.is_finite() && *number >= 0.0)
        });
        number.or_else(|| default(name)?.as_f64())
    }

    pub(super) fn date_time(&mut self, name: &'static str) -> Option<DateTime<Utc>> {
        self.read(name, "an ISO 8601 date or date and time, such as 2026-01-01T00:00:00Z", |value| date_time(value.as_str()?.trim()))
    }

    /// The ids in a level's option, without duplicates.
    pub(super) fn ids(&mut self, level: &'static Level) -> Vec<String> {
        self.ids_in(self.layer_of(level.id), level.id, IdOf::Level(level))
    }

    /// The ids in `exclude` of all layers, sorted and without duplicates.
    pub(super) fn excluded(&mut self) -> Vec<String> {
        let mut ids: Vec<_> = (0..self.layers.len()).flat_map(|layer| self.ids_in(layer, "exclude", IdOf::Excludable)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn ids_in(&mut self, layer: usize, name: &'static str, kind: IdOf) -> Vec<String> {
        let (mut ids, mut invalid) = (Vec::new(), Vec::new());
        for text in self.read_in(layer, name, &kind.allowed(), strings).unwrap_or_default() {
            match kind.read(&text) {
                Some(id) if ids.contains(&id) => {}
                Some(id) => ids.push(id),
                None => invalid.push(short_form(&text.trim().into())),
            }
        }
        if !invalid.is_empty() {
            let more = invalid.len().saturating_sub(MAX_SHOWN_IDS);
            invalid.truncate(MAX_SHOWN_IDS);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let value = Some(invalid.join(", ") + &more);
            self.problems.push(InvalidOption { option: self.option_path(layer, name), value, allowed: kind.allowed() });
        }
        ids
    }

    pub(super) fn tenant(&mut self, name: &'static str) -> Option<String> {
        self.read(name, "the Directory (tenant) ID, a GUID, or a domain of the tenant", |value| ids::tenant(value.as_str()?))
    }

    pub(super) fn choice<T: Copy>(&mut self, name: &'static str, choices: &[(&'static str, T)]) -> Option<T> {
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        let find = |text: &str| choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, choice)| *choice);
        let choice = self.read(name, &format!("one of {}", names.join(", ")), |value| find(value.as_str()?.trim()));
        choice.or_else(|| find(default(name)?.as_str()?))
    }

    pub(super) fn url(&mut self, name: &'static str) -> Option<Url> {
        self.read(name, "an https URL without a path (http only for the local machine)", |value| url(value.as_str()?.trim()))
    }

    /// An object, which may also be JSON in a string.
    pub(super) fn object(&mut self, name: &'static str) -> Map<String, Value> {
        self.read(name, "a JSON object", object).unwrap_or_default()
    }

    pub(super) fn add_problem(&mut self, option: String, value: &Value, allowed: &str) {
        self.problems.push(InvalidOption { option, value: Some(short_form(value)), allowed: allowed.to_owned() });
    }

    /// The index of the first layer that sets an option; [`usize::MAX`] if none does.
    pub(super) fn layer_of(&self, name: &str) -> usize {
        self.layers.iter().position(|(settings, _)| settings.get(name).is_some_and(is_set)).unwrap_or(usize::MAX)
    }

    /// The path of an option in a layer.
    pub(super) fn option_path(&self, layer: usize, name: &str) -> String {
        let path = self.layers.get(layer).map_or("", |(_, path)| path);
        format!("{path}{name}")
    }

    /// The value of a setting; [`None`] if it is invalid or not set.
    fn read<T>(&mut self, name: &'static str, allowed: &str, parse: impl Fn(&Value) -> Option<T>) -> Option<T> {
        self.read_in(self.layer_of(name), name, allowed, parse)
    }

    fn read_in<T>(&mut self, layer: usize, name: &'static str, allowed: &str, parse: impl Fn(&Value) -> Option<T>) -> Option<T> {
        let (settings, _) = self.layers.get(layer)?;
        let value = settings.get(name).filter(|value| is_set(value))?;
        let parsed = parse(value);
        if parsed.is_none() {
            let may_be_secret = match setting(name).map(|setting| setting.kind) {
                Some(Kind::Secret | Kind::PerStream) => true,
                Some(Kind::Url) => value.as_str().is_some_and(|url| url.contains('@')),
                _ => false,
            };
            let shown = if may_be_secret { NOT_SHOWN.to_owned() } else { short_form(value) };
            self.problems.push(InvalidOption { option: self.option_path(layer, name), value: Some(shown), allowed: allowed.to_owned() });
        }
        parsed
    }
}

/// Whether a value is neither null nor an empty string, which is what empty form fields and variables contain.
pub fn is_set(value: &Value) -> bool {
    !value.is_null() && value.as_str().is_none_or(|text| !text.trim().is_empty())
}

fn default(name: &str) -> Option<Value> {
    serde_json::from_str(setting(name)?.default?).ok()
}

/// Shortens a value for messages, and omits the contents of objects and lists.
fn short_form(value: &Value) -> String {
    let text = match value {
        Value::Object(_) => "(an object)".to_owned(),
        Value::Array(_) => "(a list)".to_owned(),
        value => value.to_string(),
    };
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        },
        Value::Number(number) => match number.as_u64() {
            Some(1) => Some(true),
            Some(0) => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn integer(value: &Value) -> Option<u64> {
    match value {
        // Some forms and YAML readers turn 50 into 50.0.
        Value::Number(number) => number
            .as_u64()
            .or_else(|| number.as_f64().filter(|float| float.fract() == 0.0 && (0.0..9e15).contains(float)).map(|float| float as u64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn date_time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    let naive = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    let naive = naive.or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0));
    naive.map(|time| time.and_utc())
}

/// Parses a list of strings, which may also be a string separated by commas.
fn strings(value: &Value) -> Option<Vec<String>> {
    let strings = match value {
        Value::String(text) => match serde_json::from_str::<Vec<String>>(text) {
            Ok(list) => list,
            Err(_) => text.split(',').map(str::to_owned).collect(),
        },
        Value::Array(list) => list.iter().map(|text| text.as_str().map(str::to_owned)).collect::<Option<_>>()?,
        Value::Number(number) => vec![number.to_string()],
        _ => return None,
    };
    Some(strings.into_iter().filter(|text| !text.trim().is_empty()).collect())
}

fn url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_local = match url.host()? {
        url::Host::Domain(name) => name == "localhost",
        url::Host::Ipv4(address) => address.is_loopback(),
        url::Host::Ipv6(address) => address.is_loopback(),
    };
    let is_safe = url.scheme() == "https" || url.scheme() == "http" && is_local;
    let has_host_only = matches!(url.path(), "" | "/") && url.query().is_none() && url.username().is_empty() && url.password().is_none();
    (is_safe && has_host_only).then_some(url)
}

pub(super) fn object(value: &Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object.clone()),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}
