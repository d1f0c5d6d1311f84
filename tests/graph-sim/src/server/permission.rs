//! Checks the permissions of a route (graph.md 2), and returns Graph's errors without them (graph.md 5.2).

use super::{
    answer::Answer,
    routes::{MESSAGE_ROLES, Route},
};
use crate::{limits::Row, switches::Switches};

/// Returns 403 unless the token has one of the permissions of the route.
pub(crate) fn check(route: &Route, roles: &[String], switches: &Switches) -> Result<(), Answer> {
    let required = match route.opened_by {
        MESSAGE_ROLES if !switches.group_roles_open_messages => &MESSAGE_ROLES[..1],
        permissions => permissions,
    };
    if required.is_empty() || roles.iter().any(|role| required.contains(&role.as_str())) {
        return Ok(());
    }
    if route.row == Row::Directory {
        return Err(Answer::error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."));
    }
    let message = format!(
        "Missing role permissions on the request. API requires one of '{}'. Roles on the request '{}'. Resource specific consent grants on the request ''.",
        required.join(", "),
        roles.join(", ")
    );
    Err(Answer::error(403, "Forbidden", message))
}
