//! Output of `--about`: the tap's name, capabilities and settings.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::config::{Audience, Kind, SETTINGS, Setting};

const NAME: &str = "tap-microsoft-teams";
const DESCRIPTION: &str = env!("CARGO_PKG_DESCRIPTION");
const VERSION: &str = env!("CARGO_PKG_VERSION");
const CAPABILITIES: [&str; 6] = ["about", "catalog", "discover", "state", "structured-logging", "test"];

/// Output format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum About {
    Text,
    /// With the keys that Meltano's tools read.
    Json,
    Markdown,
}

pub fn about(format: About) -> String {
    match format {
        About::Text => text(),
        About::Json => format!("{:#}\n", json()),
        About::Markdown => markdown(),
    }
}

fn json() -> Value {
    json!({
        "name": NAME,
        "description": DESCRIPTION,
        "version": VERSION,
        "sdk_version": null,
        "supported_python_versions": null,
        "capabilities": CAPABILITIES,
        "settings": {
            "type": "object",
            "properties": settings().map(|setting| (setting.name.to_owned(), property(setting))).collect::<Map<_, _>>(),
            "required": settings().filter(|setting| setting.required).map(|setting| setting.name).collect::<Vec<_>>(),
        },
    })
}

fn settings() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.audience != Audience::Developer)
}

fn property(setting: &Setting) -> Value {
    let kind = kind(setting.kind);
    let types = if setting.required { json!([kind]) } else { json!([kind, "null"]) };
    let mut property = json!({"type": types, "title": setting.title, "description": setting.description});
    match setting.kind {
        Kind::Secret => property["secret"] = true.into(),
        Kind::Choice(choices) => property["enum"] = choices.into(),
        _ => {}
    }
    if let Some(default) = default(setting) {
        property["default"] = default;
    }
    property
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Secret | Kind::DateTime | Kind::Ids | Kind::Choice(_) | Kind::Url => "string",
        Kind::Flag => "boolean",
        Kind::Integer { .. } => "integer",
        Kind::Number => "number",
        Kind::PerStream => "object",
    }
}

fn default(setting: &Setting) -> Option<Value> {
    serde_json::from_str(setting.default?).ok()
}

fn text() -> String {
    let mut text =
        format!("Name: {NAME}\nDescription: {DESCRIPTION}\nVersion: {VERSION}\nCapabilities: {}\nSettings:\n", CAPABILITIES.join(", "));
    for setting in settings() {
        let required = if setting.required { ", required" } else { "" };
        let default = default(setting).map(|default| format!(", default {default}")).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {} ({}{required}{default}): {}", setting.name, kind(setting.kind), setting.description);
    }
    text
}

fn markdown() -> String {
    let capabilities: String = CAPABILITIES.iter().map(|capability| format!("* `{capability}`\n")).collect();
    let mut text = format!(
        "# `{NAME}`\n\n{DESCRIPTION}.\n\nVersion {VERSION}.\n\n## Capabilities\n\n{capabilities}\n## Settings\n\n| Setting | Type | Required | Default | Description |\n|:--|:--|:--|:--|:--|\n"
    );
    for setting in settings() {
        let default = default(setting).map(|default| format!("`{default}`")).unwrap_or_default();
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {default} | {} |",
            setting.name,
            kind(setting.kind),
            if setting.required { "yes" } else { "no" },
            setting.description
        );
    }
    text
}
