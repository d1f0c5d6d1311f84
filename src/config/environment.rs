//! Reads settings from environment variables, whose names are `TAP_MICROSOFT_TEAMS_` and the setting's name in upper case.

use serde_json::{Map, Value};

use super::SETTINGS;

const PREFIX: &str = "TAP_MICROSOFT_TEAMS_";

/// The name of the environment variable for a setting.
pub fn environment_variable(setting: &str) -> String {
    format!("{PREFIX}{}", setting.to_uppercase())
}

/// Reads all settings from the environment. The values remain strings, which the configuration accepts for every type. Empty variables are
/// ignored.
pub fn settings_from_environment(value: impl Fn(&str) -> Option<String>) -> Map<String, Value> {
    let value = |name: &str| value(&environment_variable(name)).filter(|value| !value.is_empty());
    SETTINGS.iter().filter_map(|setting| Some((setting.name.to_owned(), Value::String(value(setting.name)?)))).collect()
}
