//! The usage reports of a tenant (graph.md 7.3).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::Tenant;
use crate::{content::people, encode::guid, rng::hash, time::Time};

/// The documented columns of the device usage report, with their names in CSV and in JSON.
pub(crate) const DEVICES: [(&str, &str); 16] = [
    ("Report Refresh Date", "reportRefreshDate"),
    ("User Id", "userId"),
    ("User Principal Name", "userPrincipalName"),
    ("Last Activity Date", "lastActivityDate"),
    ("Is Deleted", "isDeleted"),
    ("Deleted Date", "deletedDate"),
    ("Used Web", "usedWeb"),
    ("Used Windows Phone", "usedWindowsPhone"),
    ("Used iOS", "usediOS"),
    ("Used Mac", "usedMac"),
    ("Used Android Phone", "usedAndroidPhone"),
    ("Used Windows", "usedWindows"),
    ("Used Chrome OS", "usedChromeOS"),
    ("Used Linux", "usedLinux"),
    ("Is Licensed", "isLicensed"),
    ("Report Period", "reportPeriod"),
];

impl Tenant {
    /// The rows of the device usage report: one for each member of a team.
    pub fn device_usage(&self) -> Vec<Value> {
        let users: BTreeSet<u32> = self.teams().flat_map(|team| team.members().iter().map(|member| member.user)).collect();
        users.into_iter().map(|user| self.devices_of(user)).collect()
    }

    fn devices_of(&self, user: u32) -> Value {
        let (id, name) = (people::id(self.seed, user).to_string(), people::email(user));
        let hashed = |text: &str| format!("{:016X}{:016X}", hash(text), hash(&format!("{text} ")));
        let (id, name) = if self.switches.conceals_names { (guid(hash(&id), 1).to_string(), hashed(&name)) } else { (id, name) };
        let day = |back: u64| day(self.now(), back);
        let is_deleted = user % 5 == 4;
        let uses = |device: u32| (user >> device) & 1 == 1;
        json!({
            "reportRefreshDate": day(2), "userId": id, "userPrincipalName": name,
            "lastActivityDate": (!user.is_multiple_of(7)).then(|| day(3)),
            "isDeleted": is_deleted, "deletedDate": is_deleted.then(|| day(4)),
            "usedWeb": uses(0), "usedWindowsPhone": false, "usediOS": uses(1), "usedMac": uses(2), "usedAndroidPhone": uses(3),
            "usedWindows": !uses(0), "usedChromeOS": false, "usedLinux": uses(4), "isLicensed": !user.is_multiple_of(3), "reportPeriod": "7",
        })
    }
}

/// The date `back` days before `now`.
fn day(now: Time, back: u64) -> String {
    now.plus_ticks(-(back as i64) * 86_400 * 10_000_000).zoneless().chars().take(10).collect()
}
