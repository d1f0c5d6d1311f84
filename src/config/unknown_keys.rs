//! Finds unknown keys that look like a misspelt option.

use std::fmt;

use serde_json::{Map, Value};
use strsim::damerau_levenshtein;

use super::{
    reader::is_set,
    settings::{SETTINGS, setting},
};

/// An unknown key and the option that was probably meant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Misspelt<'a> {
    key: &'a str,
    option: &'static str,
}

/// Finds the misspelt options that have a value. Other unknown keys are ignored, because platforms add their own.
pub(super) fn misspelt(settings: &Map<String, Value>) -> Vec<Misspelt<'_>> {
    let unknown = settings.iter().filter(|(key, value)| setting(key).is_none() && is_set(value)).map(|(key, _)| key);
    unknown.filter_map(|key| Some(Misspelt { key, option: similar_option(key)? })).collect()
}

/// Finds the key that was probably meant to be this option.
pub(super) fn misspelling_of(option: &str, misspelt: &[Misspelt<'_>]) -> Option<String> {
    // `client_secret_file` can replace `client_secret`.
    let replaces = |key: &&Misspelt<'_>| key.option.strip_suffix("_file").unwrap_or(key.option) == option;
    misspelt.iter().find(replaces).map(|misspelt| misspelt.key.to_owned())
}

impl fmt::Display for Misspelt<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "unknown option `{}` is ignored; did you mean `{}`?", self.key, self.option)
    }
}

/// The option that is most similar to a key.
fn similar_option(key: &str) -> Option<&'static str> {
    // Platforms prefix their keys with `_`, and users disable keys with `_` or `//`. Control characters must not reach a terminal.
    if !key.trim_start().starts_with(char::is_alphanumeric) || key.contains(char::is_control) {
        return None;
    }
    let key = letters(key);
    let similar = SETTINGS.iter().filter_map(|setting| Some((edits(&key, &letters(setting.name))?, setting.name)));
    similar.min_by_key(|(edits, _)| *edits).map(|(_, name)| name)
}

/// The letters and digits in lower case, so that `startDate` equals `start_date`.
fn letters(key: &str) -> String {
    key.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The number of edits from a key to an option, if it is small enough for a misspelling.
fn edits(key: &str, option: &str) -> Option<usize> {
    // Short options are close to many other words.
    let max = match option.len() {
        ..5 => 0,
        5..8 => 1,
        _ => 2,
    };
    // Comparing takes memory, so very long keys are not compared.
    let is_close = key.chars().count().abs_diff(option.len()) <= max;
    is_close.then(|| damerau_levenshtein(key, option)).filter(|edits| *edits <= max)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn case_and_separators_do_not_matter() {
        for (key, option) in [
            ("start_dat", "start_date"),
            ("startDate", "start_date"),
            ("START-DATE", "start_date"),
            ("start date ", "start_date"),
            ("Pace", "pace"),
            ("TOP", "top"),
            ("Cloud", "cloud"),
            ("fetch_all_channel", "fetch_all_channels"),
            ("clientSecret", "client_secret"),
            ("client_secret_fil", "client_secret_file"),
            ("tenant", "tenant_id"),
            ("team_ids", "team_id"),
        ] {
            assert_eq!(similar_option(key), Some(option), "{key}");
        }
    }

    #[test]
    fn keys_of_platforms_and_other_taps_are_ignored() {
        for key in [
            "__injected_declarative_manifest",
            "__injected_components_py",
            "_limit",
            "_page_size",
            "_top",
            "name",
            "sourceDefinitionId",
            "sourceId",
            "sourceType",
            "workspaceId",
            "workspace_id",
            "connectionId",
            "credentials",
            "auth_type",
            "table_name",
            "stream_maps",
            "stream_map_config",
            "flattening_enabled",
            "flattening_max_depth",
            "batch_config",
            "batch_size_rows",
            "faker_config",
            "default_target_schema",
            "add_record_metadata",
            "load_method",
            "user_agent",
            "api_url",
            "end_date",
            "log_level",
            "page",
            "space",
            "stop",
            "tap",
            "to",
            "id",
            "foo",
            "",
            "// start_date",
            "#start_date",
            "_start_date",
            "start_dat\u{1b}",
        ] {
            assert_eq!(similar_option(key), None, "{key}");
        }
    }

    #[test]
    fn one_typo_in_any_option_is_recognized() {
        for name in SETTINGS.iter().map(|setting| setting.name).filter(|name| name.len() >= 5) {
            for at in 0..name.len() {
                let (before, after) = name.split_at(at);
                let (letter, rest) = after.split_at(1);
                let mut slips = vec![format!("{before}{rest}"), format!("{before}{letter}{after}"), format!("{before}x{rest}")];
                slips.extend(rest.chars().next().map(|next| format!("{before}{next}{letter}{}", &rest[1..])));
                for slip in slips.into_iter().filter(|slip| slip != name && !slip.starts_with('_')) {
                    assert_eq!(similar_option(&slip), Some(name), "{slip}");
                }
            }
        }
    }

    #[test]
    fn empty_values_and_long_keys_are_ignored() {
        let long = "client_secret".repeat(100_000);
        let settings = json!({"start_dat": null, "topp": " ", "": 1, long: 1});
        assert_eq!(misspelt(settings.as_object().unwrap()), []);
    }

    #[test]
    fn a_misspelt_secret_file_explains_a_missing_secret() {
        let settings = json!({"clientSecretFile": "/x", "tenantID": "t"});
        let misspelt = misspelt(settings.as_object().unwrap());
        assert_eq!(misspelling_of("client_secret", &misspelt).as_deref(), Some("clientSecretFile"));
        assert_eq!(misspelling_of("tenant_id", &misspelt).as_deref(), Some("tenantID"));
        assert_eq!(misspelling_of("client_id", &misspelt), None);
    }

    proptest! {
        #[test]
        fn known_options_are_never_misspelt(
            others in proptest::collection::vec((any::<String>(), any::<u8>()), 0..8),
            near in proptest::collection::vec("[ _a-dA-D/]{0,2}(start|date|top|client|id|é){1,3}[_ \u{0}-\u{7f}]{0,2}", 0..8),
        ) {
            let mut settings: Map<String, Value> = SETTINGS.iter().map(|setting| (setting.name.to_owned(), json!("a value"))).collect();
            settings.extend(others.into_iter().map(|(key, value)| (key, json!(value))));
            settings.extend(near.into_iter().map(|key| (key, json!("a value"))));
            for key in misspelt(&settings) {
                prop_assert!(setting(key.key).is_none() && settings.contains_key(key.key) && setting(key.option).is_some());
                let warning = key.to_string();
                prop_assert!(!warning.contains("a value") && !warning.contains(char::is_control), "{}", warning);
            }
        }
    }
}
