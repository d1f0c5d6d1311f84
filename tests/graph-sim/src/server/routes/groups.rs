//! Groups (graph.md 2.1), by which clients discover teams.

use serde_json::Value;

use super::{
    Route,
    list::{List, begin, entity, selected},
};
use crate::{
    journal::Class,
    limits::Quota,
    server::{context::Context, response::Response},
};

pub(crate) const ROUTES: &[Route] = &[
    Route { path: "groups", class: Class::Groups, quota: Quota::Directory, permissions: ROLES, handler: groups },
    Route { path: "groups/{group}", class: Class::Groups, quota: Quota::Directory, permissions: ROLES, handler: group },
];

const ROLES: &[&str] = &[
    "Group.ReadBasic.All",
    "GroupMember.Read.All",
    "Group.Read.All",
    "Directory.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.ReadWrite.All",
    "Directory.ReadWrite.All",
];

/// Properties that are returned only if they are selected.
const SELECTABLE_PROPERTIES: [&str; 8] = [
    "isArchived",
    "uniqueName",
    "assignedLabels",
    "allowExternalSenders",
    "hideFromAddressLists",
    "isSubscribedByMail",
    "licenseProcessingState",
    "preferredDataLocation",
];

/// `GET /groups`.
fn groups(ctx: &Context<'_>) -> Result<Response, Response> {
    let (token, query) = begin(ctx, "groups", &["$filter", "$select", "$top", "$count", "$orderby"], 100, 999)?;
    if let Some(filter) = query.get("$filter") {
        let bare = filter.replace(' ', "").to_ascii_lowercase();
        if !(bare.starts_with("resourceprovisioningoptions/any(") && bare.ends_with("eq'team')")) {
            return Err(Response::error(400, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified."));
        }
    }
    let select = query.select();
    if let Some(unknown) = ctx.tenant.groups().next().and_then(|group| unknown_property(&group.group_json(), &select)) {
        let message = format!("Could not find a property named '{unknown}' on type 'Microsoft.DirectoryServices.Group'.");
        return Err(Response::bad_request(message));
    }
    let list = List {
        path: "groups".to_owned(),
        context: ctx.metadata(&if select.is_empty() { "groups".to_owned() } else { format!("groups({})", select.join(",")) }),
        counted: false,
    };
    let items = ctx.tenant.teams.iter().enumerate().filter(|(_, team)| !team.gone && !team.unmarked);
    let page = list.page(ctx, &token, items.map(|(index, team)| (index, selected(team.group_json(), &select))));
    page.map(|response| response.header("x-ms-resource-unit", "1"))
}

fn unknown_property<'s>(group: &Value, select: &'s [String]) -> Option<&'s str> {
    let known = |name: &str| group.get(name).is_some() || SELECTABLE_PROPERTIES.contains(&name);
    select.iter().map(String::as_str).find(|name| !known(name))
}

/// `GET /groups/{id}`.
fn group(ctx: &Context<'_>) -> Result<Response, Response> {
    let id = ctx.id("group");
    let missing = || Response::error(404, "Request_ResourceNotFound", format!("Resource '{id}' does not exist."));
    let group = ctx.tenant.group(id).ok_or_else(missing)?;
    Ok(entity(ctx, "groups/$entity", group.group_json()))
}
