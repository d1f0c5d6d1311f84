//! A configuration to fill in: every setting with what it means, those that nobody needs at first commented out.

use std::fmt::Write;

use serde_json::{Value, json};
use textwrap::{Options, wrap};

use super::settings::{Audience, Kind, SETTINGS, Setting};
use crate::level::LEVELS;

/// A comment's lines are no longer.
const WIDTH: usize = 100;

/// A sample as JSON with comments, as a configuration file may have them.
pub fn sample_json() -> String {
    let mut text = "{\n".to_owned();
    for setting in settings() {
        let off = if is_given(setting) { "" } else { "// " };
        comment(&mut text, "  // ", setting);
        // Writing into a string cannot fail.
        let _ = writeln!(text, "  {off}\"{}\": {},\n", setting.name, value(setting));
    }
    text.truncate(text.trim_end().len());
    text.push_str("\n}\n");
    text
}

fn settings() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.audience != Audience::Simulator)
}

fn is_given(setting: &Setting) -> bool {
    setting.required || reads_everything(setting)
}

/// Whether it belongs to what reads everything that the application may read, which a sample does.
fn reads_everything(setting: &Setting) -> bool {
    LEVELS.iter().any(|level| level.all == setting.name)
}

/// What stands there: a value that does nothing else than the setting's absence, or one that shows its form.
fn value(setting: &Setting) -> Value {
    if reads_everything(setting) {
        return true.into();
    }
    let default = setting.default.and_then(|default| serde_json::from_str(default).ok());
    match (setting.kind, default, setting.example_values().first()) {
        (Kind::PerStream, ..) => json!({"messages": {"start_date": "2026-01-01"}}),
        (_, Some(default), _) => default,
        (_, None, Some(example)) => example.clone(),
        (Kind::Count { max, .. }, ..) => max.into(),
        (Kind::Number, ..) => 10.into(),
        (Kind::Secret, ..) => "the value of the secret".into(),
        _ => "".into(),
    }
}

/// The meaning of a setting, in lines.
fn comment(text: &mut String, prefix: &str, setting: &Setting) {
    let required = if setting.required { " Required." } else { "" };
    let options = Options::new(WIDTH).initial_indent(prefix).subsequent_indent(prefix);
    for line in wrap(&format!("{}{required}", setting.description), options) {
        text.push_str(&line);
        text.push('\n');
    }
}
