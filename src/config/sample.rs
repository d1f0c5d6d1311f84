//! The sample configuration, which contains every setting and its description. Optional settings are commented out.

use std::fmt::Write;

use serde_json::{Value, json};
use textwrap::{Options, wrap};

use super::settings::{Audience, Kind, SETTINGS, Setting};
use crate::level::LEVELS;

/// Maximum width of a comment line.
const WIDTH: usize = 100;

/// Returns the sample as JSON with comments, which configuration files may contain.
pub fn sample_json() -> String {
    let mut text = "{\n".to_owned();
    for setting in settings() {
        let off = if is_active(setting) { "" } else { "// " };
        write_comment(&mut text, "  // ", setting);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {off}\"{}\": {},\n", setting.name, value(setting));
    }
    text.truncate(text.trim_end().len());
    text.push_str("\n}\n");
    text
}

fn settings() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.audience != Audience::Developer)
}

fn is_active(setting: &Setting) -> bool {
    setting.required || selects_all(setting)
}

/// Whether the setting selects all parents of a level. The sample reads everything.
fn selects_all(setting: &Setting) -> bool {
    LEVELS.iter().any(|level| level.all == setting.name)
}

/// The default if there is one, otherwise an example.
fn value(setting: &Setting) -> Value {
    if selects_all(setting) {
        return true.into();
    }
    let default = setting.default.and_then(|default| serde_json::from_str(default).ok());
    match (setting.kind, default, setting.example_values().first()) {
        (Kind::PerStream, ..) => json!({"messages": {"start_date": "2026-01-01"}}),
        (_, Some(default), _) => default,
        (_, None, Some(example)) => example.clone(),
        (Kind::Integer { max, .. }, ..) => max.into(),
        (Kind::Number, ..) => 10.into(),
        (Kind::Secret, ..) => "the value of the secret".into(),
        _ => "".into(),
    }
}

fn write_comment(text: &mut String, prefix: &str, setting: &Setting) {
    let required = if setting.required { " Required." } else { "" };
    let options = Options::new(WIDTH).initial_indent(prefix).subsequent_indent(prefix);
    for line in wrap(&format!("{}{required}", setting.description), options) {
        text.push_str(&line);
        text.push('\n');
    }
}
