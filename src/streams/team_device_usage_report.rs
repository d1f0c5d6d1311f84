//! `team_device_usage_report`: on which devices each user has used Teams (graph.md 7.3).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stream::{Read, Stream};
use crate::{
    graph::{Class, Permission, Request},
    record::{Open, json_schema},
};

/// What lets usage reports be read.
static READS_REPORTS: Permission = Permission::new(&["Reports.Read.All"]);

/// Each report has a limit of its own: 14 requests in ten minutes.
static CLASS: Class = Class { name: "team device usage report", per_second: 14.0 / 600.0 };

/// The devices on which users have used Teams.
pub static TEAM_DEVICE_USAGE_REPORT: Stream = Stream {
    name: "team_device_usage_report",
    description: "Devices on which each user has used Teams in the last seven days that Microsoft has counted.",
    primary_key: &["reportRefreshDate", "userPrincipalName", "reportPeriod"],
    cursor: None,
    is_default: false,
    below: None,
    finds: None,
    permissions: &[&READS_REPORTS],
    page: 999,
    read: Read::Report(|| Request::function(&CLASS, "reports", "getTeamsDeviceUsageUserDetail", ("period", "D7"))),
    make_schema: json_schema::<TeamDeviceUsage>,
};

/// A user, and the devices on which they have used Teams.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TeamDeviceUsage {
    /// Day that the report was made for, such as 2026-10-07 (CSV: Report Refresh Date).
    pub report_refresh_date: String,
    /// Id of the user; not in all versions of the report, and concealed like the name (CSV: User Id).
    pub user_id: Option<String>,
    /// Name that the user signs in with; a hash where the tenant conceals names in reports (CSV: User Principal Name).
    pub user_principal_name: String,
    /// Day of the last activity in Teams, in the period or before it (CSV: Last Activity Date).
    pub last_activity_date: Option<String>,
    /// Whether the user was deleted (CSV: Is Deleted).
    pub is_deleted: Option<bool>,
    /// Day on which the user was deleted (CSV: Deleted Date).
    pub deleted_date: Option<String>,
    /// Whether Teams was used in a browser (CSV: Used Web).
    pub used_web: Option<bool>,
    /// Whether Teams was used on a Windows phone (CSV: Used Windows Phone).
    pub used_windows_phone: Option<bool>,
    /// Whether Teams was used on an iPhone or iPad (CSV: Used iOS).
    #[serde(rename = "usediOS")]
    pub used_ios: Option<bool>,
    /// Whether Teams was used on a Mac (CSV: Used Mac).
    pub used_mac: Option<bool>,
    /// Whether Teams was used on an Android phone (CSV: Used Android Phone).
    pub used_android_phone: Option<bool>,
    /// Whether Teams was used on Windows (CSV: Used Windows).
    pub used_windows: Option<bool>,
    /// Whether Teams was used on Chrome OS; not in all versions of the report (CSV: Used Chrome OS).
    #[serde(rename = "usedChromeOS")]
    pub used_chrome_os: Option<bool>,
    /// Whether Teams was used on Linux; not in all versions of the report (CSV: Used Linux).
    pub used_linux: Option<bool>,
    /// Whether the user has a licence for Teams; not in all versions of the report (CSV: Is Licensed).
    pub is_licensed: Option<bool>,
    /// Days that the report covers (CSV: Report Period).
    pub report_period: String,
    /// Columns that Microsoft sent and this schema does not know, and values of an unexpected type.
    #[serde(rename = "_additional_properties")]
    pub additional_properties: Option<Open>,
}
