//! Usage reports (graph.md 7.3): a redirect to a file in CSV, which nobody signs in for.

use serde_json::Value;

use super::Route;
use crate::{
    journal::Class,
    limits::Row,
    server::{answer::Answer, context::Context},
    tenant::DEVICES,
};

pub(crate) const ROUTES: &[Route] = &[
    Route {
        path: "reports/getTeamsDeviceUsageUserDetail(period='D7')",
        class: Class::Reports,
        row: Row::Reports("device usage"),
        opened_by: &["Reports.Read.All"],
        answer: |ctx| Ok(redirect(ctx, "devices")),
    },
    Route { path: "data/download/{report}", class: Class::ReportFiles, row: Row::Elsewhere, opened_by: &[], answer: file },
];

/// The file is on a host of its own at Microsoft, and on this one here.
fn redirect(ctx: &Context<'_>, report: &str) -> Answer {
    let host = ctx.base.trim_end_matches("/v1.0/");
    Answer::bytes(302, "text/plain", Vec::new()).header("Location", format!("{host}/data/download/{report}?token=presigned"))
}

/// `GET /data/download/{report}`.
fn file(ctx: &Context<'_>) -> Result<Answer, Answer> {
    match ctx.id("report") {
        "devices" => Ok(Answer::bytes(200, "application/octet-stream", csv(&DEVICES, &ctx.tenant.device_usage()))),
        _ => Err(Answer::empty(404)),
    }
}

/// With a byte order mark.
fn csv(columns: &[(&str, &str)], rows: &[Value]) -> Vec<u8> {
    let header = columns.iter().map(|(column, _)| (*column).to_owned()).collect();
    let rows = rows.iter().map(|row| columns.iter().map(|(column, name)| text(column, &row[name])).collect());
    let lines: Vec<String> = std::iter::once(header).chain(rows).map(|cells: Vec<String>| cells.join(",") + "\r\n").collect();
    format!("\u{feff}{}", lines.concat()).into_bytes()
}

/// As Microsoft writes it: what was used or is licensed is Yes or No, what is deleted True or False.
fn text(column: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(is) if column == "Is Deleted" => if *is { "True" } else { "False" }.to_owned(),
        Value::Bool(is) => if *is { "Yes" } else { "No" }.to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
