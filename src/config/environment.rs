//! Settings in environment variables, which `--config=ENV` asks for: `TAP_MICROSOFT_TEAMS_` and the name in upper case.

use serde_json::{Map, Value};

use super::SETTINGS;

const PREFIX: &str = "TAP_MICROSOFT_TEAMS_";

/// The variable that holds a setting.
fn variable(setting: &str) -> String {
    format!("{PREFIX}{}", setting.to_uppercase())
}

/// The settings that the environment has, as strings: the configuration takes those as well. An empty variable is none.
pub fn settings_of_environment(value: impl Fn(&str) -> Option<String>) -> Map<String, Value> {
    let value = |name: &str| value(&variable(name)).filter(|value| !value.is_empty());
    SETTINGS.iter().filter_map(|setting| Some((setting.name.to_owned(), Value::String(value(setting.name)?)))).collect()
}
