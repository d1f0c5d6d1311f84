//! Checks the permissions of a route (graph.md 2), and returns Graph's errors without them (graph.md 5.2).

use super::{
    response::Response,
    routes::{MESSAGE_ROLES, Route},
};
use crate::{limits::Quota, switches::Switches};

/// Returns 403 unless the token has one of the permissions of the route.
pub(crate) fn check(route: &Route, roles: &[String], switches: &Switches) -> Result<(), Response> {
    let required = match route.permissions {
        MESSAGE_ROLES if !switches.group_roles_open_messages => &MESSAGE_ROLES[..1],
        permissions => permissions,
    };
    if required.is_empty() || roles.iter().any(|role| required.contains(&role.as_str())) {
        return Ok(());
    }
    if route.quota == Quota::Directory {
        return Err(Response::error(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."));
    }
    let message = format!(
        "Missing role permissions on the request. API requires one of '{}'. Roles on the request '{}'. Resource specific consent grants on the request ''.",
        required.join(", "),
        roles.join(", ")
    );
    Err(Response::error(403, "Forbidden", message))
}
