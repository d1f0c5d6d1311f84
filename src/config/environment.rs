//! Settings in environment variables: `TAP_MICROSOFT_TEAMS_` and the name in upper case.

use serde_json::{Map, Value};

use super::SETTINGS;

const PREFIX: &str = "TAP_MICROSOFT_TEAMS_";

/// The environment variable of a setting.
pub fn environment_variable(setting: &str) -> String {
    format!("{PREFIX}{}", setting.to_uppercase())
}

/// All settings in the environment. The values stay strings, which the configuration accepts for every type; empty variables are ignored.
pub fn settings_of_environment(value: impl Fn(&str) -> Option<String>) -> Map<String, Value> {
    let value = |name: &str| value(&environment_variable(name)).filter(|value| !value.is_empty());
    SETTINGS.iter().filter_map(|setting| Some((setting.name.to_owned(), Value::String(value(setting.name)?)))).collect()
}
