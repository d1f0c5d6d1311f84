//! `team_device_usage_report`: the devices on which each user has used Teams (graph.md 7.3).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::stream::{Read, Stream};
use crate::{
    graph::{Class, Permission, Request},
    record::{OpenObject, json_schema},
};

static REPORTS_READ: Permission = Permission::new(&["Reports.Read.All"]);

/// Each report has its own limit of 14 requests in ten minutes.
static CLASS: Class = Class { name: "team device usage report", per_second: 14.0 / 600.0 };

pub static TEAM_DEVICE_USAGE_REPORT: Stream = Stream {
    name: "team_device_usage_report",
    description: "Devices on which each user used Teams during the seven days covered by Microsoft's usage report.",
    primary_key: &["reportRefreshDate", "userPrincipalName", "reportPeriod"],
    cursor: None,
    is_default: false,
    parent_level: None,
    discovers: None,
    permissions: &[&REPORTS_READ],
    max_page_size: 999,
    read: Read::Report(|| Request::function(&CLASS, "reports", "getTeamsDeviceUsageUserDetail", ("period", "D7"))),
    make_schema: json_schema::<TeamDeviceUsage>,
};

/// The devices on which a user has used Teams.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TeamDeviceUsage {
    /// Date of the report, such as 2026-10-07 (CSV: Report Refresh Date).
    pub report_refresh_date: String,
    /// Id of the user; not in all versions of the report, and concealed like the user principal name (CSV: User Id).
    pub user_id: Option<String>,
    /// User principal name; a hash if the tenant conceals names in reports (CSV: User Principal Name).
    pub user_principal_name: String,
    /// Date of the last activity in Teams, which may be before the report period (CSV: Last Activity Date).
    pub last_activity_date: Option<String>,
    /// Whether the user was deleted (CSV: Is Deleted).
    pub is_deleted: Option<bool>,
    /// Date on which the user was deleted (CSV: Deleted Date).
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
    /// Whether the user has a Teams license; not in all versions of the report (CSV: Is Licensed).
    pub is_licensed: Option<bool>,
    /// Number of days that the report covers (CSV: Report Period).
    pub report_period: String,
    /// Columns that are not in this schema, and values with an unexpected type.
    #[serde(rename = "_additional_properties")]
    pub additional_properties: Option<OpenObject>,
}
