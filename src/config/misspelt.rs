//! Keys that are no options and look like one: probably misspelt.

use std::fmt;

use serde_json::{Map, Value};
use strsim::damerau_levenshtein;

use super::{
    reader::is_given,
    settings::{SETTINGS, setting},
};

/// A key that is no option.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Misspelt<'a> {
    /// As it was written.
    written: &'a str,
    /// The option that it looks like.
    meant: &'static str,
}

/// The keys that look like an option and have a value. Of others nothing is said: platforms add their own.
pub(super) fn misspelt(settings: &Map<String, Value>) -> Vec<Misspelt<'_>> {
    let unknown = settings.iter().filter(|(key, value)| setting(key).is_none() && is_given(value)).map(|(key, _)| key);
    unknown.filter_map(|key| Some(Misspelt { written: key, meant: meant_by(key)? })).collect()
}

/// The option as a message about its absence names it, with the key that was meant to be it.
pub(super) fn absent(option: &str, misspelt: &[Misspelt<'_>]) -> String {
    // A file may stand for the option.
    let stands_for = |key: &&Misspelt<'_>| key.meant.strip_suffix("_file").unwrap_or(key.meant) == option;
    match misspelt.iter().find(stands_for) {
        Some(key) => format!("`{option}` (there is `{}`)", key.written),
        None => format!("`{option}`"),
    }
}

impl fmt::Display for Misspelt<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "option `{}` is not known and does nothing; did you mean `{}`?", self.written, self.meant)
    }
}

/// The option that a key looks like most.
fn meant_by(key: &str) -> Option<&'static str> {
    // Platforms put `_` in front of their keys, people put that or `//` in front of what shall not count. A terminal obeys control characters.
    if !key.trim_start().starts_with(char::is_alphanumeric) || key.contains(char::is_control) {
        return None;
    }
    let written = letters(key);
    let near = SETTINGS.iter().filter_map(|setting| Some((edits(&written, &letters(setting.name))?, setting.name)));
    near.min_by_key(|(edits, _)| *edits).map(|(_, name)| name)
}

/// What is left where case does not count, nor how words are joined.
fn letters(key: &str) -> String {
    key.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The edits from one to the other, unless they are too many.
fn edits(written: &str, option: &str) -> Option<usize> {
    // Other words are near to a short one.
    let most = match option.len() {
        ..5 => 0,
        5..8 => 1,
        _ => 2,
    };
    // Comparing takes room: not for what is much longer.
    let is_near = written.chars().count().abs_diff(option.len()) <= most;
    is_near.then(|| damerau_levenshtein(written, option)).filter(|edits| *edits <= most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn case_and_how_words_are_joined_do_not_hide_what_is_meant() {
        for (written, meant) in [
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
            assert_eq!(meant_by(written), Some(meant), "{written}");
        }
    }

    #[test]
    fn keys_of_platforms_and_of_other_taps_look_like_nothing() {
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
            assert_eq!(meant_by(key), None, "{key}");
        }
    }

    #[test]
    fn one_slip_in_any_option_is_seen_and_taken_for_no_other() {
        for name in SETTINGS.iter().map(|setting| setting.name).filter(|name| name.len() >= 5) {
            for at in 0..name.len() {
                let (before, after) = name.split_at(at);
                let (letter, rest) = after.split_at(1);
                let mut slips = vec![format!("{before}{rest}"), format!("{before}{letter}{after}"), format!("{before}x{rest}")];
                slips.extend(rest.chars().next().map(|next| format!("{before}{next}{letter}{}", &rest[1..])));
                for slip in slips.into_iter().filter(|slip| slip != name && !slip.starts_with('_')) {
                    assert_eq!(meant_by(&slip), Some(name), "{slip}");
                }
            }
        }
    }

    #[test]
    fn what_is_empty_does_no_harm_and_a_key_may_be_long() {
        let long = "client_secret".repeat(100_000);
        let settings = json!({"start_dat": null, "topp": " ", "": 1, long: 1});
        assert_eq!(misspelt(settings.as_object().unwrap()), []);
    }

    #[test]
    fn a_key_that_stands_for_the_file_of_the_secret_explains_its_absence() {
        let settings = json!({"clientSecretFile": "/x", "tenantID": "t"});
        let misspelt = misspelt(settings.as_object().unwrap());
        assert_eq!(absent("client_secret", &misspelt), "`client_secret` (there is `clientSecretFile`)");
        assert_eq!(absent("tenant_id", &misspelt), "`tenant_id` (there is `tenantID`)");
        assert_eq!(absent("client_id", &misspelt), "`client_id`");
    }

    proptest! {
        #[test]
        fn known_options_are_never_misspelt_whatever_stands_beside_them(
            others in proptest::collection::vec((any::<String>(), any::<u8>()), 0..8),
            near in proptest::collection::vec("[ _a-dA-D/]{0,2}(start|date|top|client|id|é){1,3}[_ \u{0}-\u{7f}]{0,2}", 0..8),
        ) {
            let mut settings: Map<String, Value> = SETTINGS.iter().map(|setting| (setting.name.to_owned(), json!("a value"))).collect();
            settings.extend(others.into_iter().map(|(key, value)| (key, json!(value))));
            settings.extend(near.into_iter().map(|key| (key, json!("a value"))));
            for key in misspelt(&settings) {
                prop_assert!(setting(key.written).is_none() && settings.contains_key(key.written) && setting(key.meant).is_some());
                let said = key.to_string();
                prop_assert!(!said.contains("a value") && !said.contains(char::is_control), "{}", said);
            }
        }
    }
}
