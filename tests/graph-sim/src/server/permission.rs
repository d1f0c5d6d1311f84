//! Which permissions open a route (graph.md 2), and how Graph refuses without them (graph.md 5.2).

use super::{
    answer::Answer,
    routes::{MESSAGE_ROLES, Route},
};
use crate::{limits::Row, switches::Switches};

/// 403 unless one of the roles opens the route.
pub(crate) fn check(route: &Route, roles: &[String], switches: &Switches) -> Result<(), Answer> {
    let wanted = match route.opened_by {
        MESSAGE_ROLES if !switches.group_roles_open_messages => &MESSAGE_ROLES[..1],
        wanted => wanted,
    };
    if wanted.is_empty() || roles.iter().any(|role| wanted.contains(&role.as_str())) {
        return Ok(());
    }
    if route.row == Row::Directory {
        return Err(Answer::error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."));
    }
    let message = format!(
        "Missing role permissions on the request. API requires one of '{}'. Roles on the request '{}'. Resource specific consent grants on the request ''.",
        wanted.join(", "),
        roles.join(", ")
    );
    Err(Answer::error(403, "Forbidden", message))
}
