//! Usage reports (graph.md 7.3): a redirect to a CSV file that needs no token.

use serde_json::Value;

use super::Route;
use crate::{
    journal::Class,
    limits::Quota,
    server::{context::Context, response::Response},
    tenant::DEVICES,
};

pub(crate) const ROUTES: &[Route] = &[
    Route {
        path: "reports/getTeamsDeviceUsageUserDetail(period='D7')",
        class: Class::Reports,
        quota: Quota::Reports("device usage"),
        permissions: &["Reports.Read.All"],
        handler: |ctx| Ok(redirect(ctx, "devices")),
    },
    Route { path: "data/download/{report}", class: Class::ReportFiles, quota: Quota::None, permissions: &[], handler: file },
];

/// Microsoft serves the file from another host; the simulator from the same one.
fn redirect(ctx: &Context<'_>, report: &str) -> Response {
    let host = ctx.base.trim_end_matches("/v1.0/");
    Response::bytes(302, "text/plain", Vec::new()).header("Location", format!("{host}/data/download/{report}?token=presigned"))
}

/// `GET /data/download/{report}`.
fn file(ctx: &Context<'_>) -> Result<Response, Response> {
    match ctx.id("report") {
        "devices" => Ok(Response::bytes(200, "application/octet-stream", csv(&DEVICES, &ctx.tenant.device_usage()))),
        _ => Err(Response::empty(404)),
    }
}

/// CSV with a byte order mark, as Microsoft sends it.
fn csv(columns: &[(&str, &str)], rows: &[Value]) -> Vec<u8> {
    let header = columns.iter().map(|(column, _)| (*column).to_owned()).collect();
    let rows = rows.iter().map(|row| columns.iter().map(|(column, name)| text(column, &row[name])).collect());
    let lines: Vec<String> = std::iter::once(header).chain(rows).map(|cells: Vec<String>| cells.join(",") + "\r\n").collect();
    format!("\u{feff}{}", lines.concat()).into_bytes()
}

/// The text of a value. As in Microsoft's files, booleans are Yes or No, except that `Is Deleted` is True or False.
fn text(column: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(is) if column == "Is Deleted" => if *is { "True" } else { "False" }.to_owned(),
        Value::Bool(is) => if *is { "Yes" } else { "No" }.to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
