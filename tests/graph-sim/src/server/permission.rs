//! Which application permissions a route takes (graph.md 2), and how Graph refuses without them (graph.md 5.2).

use super::{answer::Answer, route::Route};
use crate::switches::Switches;

const GROUPS: &[&str] = &[
    "Group.ReadBasic.All",
    "GroupMember.Read.All",
    "Group.Read.All",
    "Directory.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.ReadWrite.All",
    "Directory.ReadWrite.All",
];
const TEAMS: &[&str] = &["Team.ReadBasic.All", "TeamSettings.Read.All", "TeamSettings.ReadWrite.All"];
const TEAM: &[&str] = &[
    "Team.ReadBasic.All",
    "TeamSettings.Read.All",
    "TeamSettings.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const CHANNELS: &[&str] = &[
    "Channel.ReadBasic.All",
    "ChannelSettings.Read.All",
    "ChannelSettings.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
const MEMBERS: &[&str] = &["TeamMember.Read.All", "TeamMember.ReadWrite.All"];
const CHANNEL_MEMBERS: &[&str] = &["ChannelMember.Read.All", "ChannelMember.ReadWrite.All"];
const MESSAGES: &[&str] = &["ChannelMessage.Read.All", "Group.Read.All", "Group.ReadWrite.All"];

/// What an extractor of all streams needs at least.
pub(crate) const DEFAULT_ROLES: [&str; 7] = [
    "Group.ReadBasic.All",
    "Team.ReadBasic.All",
    "TeamSettings.Read.All",
    "Channel.ReadBasic.All",
    "TeamMember.Read.All",
    "ChannelMember.Read.All",
    "ChannelMessage.Read.All",
];

/// 403 unless one of the roles opens the route.
pub(crate) fn check(route: &Route, roles: &[String], switches: &Switches) -> Result<(), Answer> {
    let wanted = match route {
        Route::Groups | Route::Group(_) => GROUPS,
        Route::Teams => TEAMS,
        Route::Team(_) => TEAM,
        Route::Channels(_) | Route::Channel(..) | Route::PrimaryChannel(_) => CHANNELS,
        Route::Members(_) => MEMBERS,
        Route::ChannelMembers(..) | Route::AllMembers(..) => CHANNEL_MEMBERS,
        Route::Messages(..) | Route::Delta(..) | Route::Message(..) | Route::Replies(..) | Route::Reply(..) | Route::RepliesDelta => {
            if switches.group_roles_open_messages {
                MESSAGES
            } else {
                &MESSAGES[..1]
            }
        }
        Route::Unknown(_) => return Ok(()),
    };
    if roles.iter().any(|role| wanted.contains(&role.as_str())) {
        return Ok(());
    }
    if matches!(route, Route::Groups | Route::Group(_)) {
        return Err(Answer::error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."));
    }
    let message = format!(
        "Missing role permissions on the request. API requires one of '{}'. Roles on the request '{}'. Resource specific consent grants on the request ''.",
        wanted.join(", "),
        roles.join(", ")
    );
    Err(Answer::error(403, "Forbidden", message))
}

/// The roles show a team's settings, not only its basics.
pub(crate) fn sees_settings(roles: &[String]) -> bool {
    roles.iter().any(|role| role != "Team.ReadBasic.All" && TEAM.contains(&role.as_str()))
}
