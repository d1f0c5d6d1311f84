//! Teams (graph.md 2.1, 2.2).

use super::{
    Route,
    list::{List, begin, entity, selected},
};
use crate::{
    journal::Class,
    limits::Quota,
    server::{context::Context, response::Response},
    switches::BasicTeam,
};

pub(crate) const ROUTES: &[Route] = &[
    Route { path: "teams", class: Class::Teams, quota: Quota::OTHER, permissions: LIST_ROLES, handler: teams },
    Route { path: "teams/{team}", class: Class::Team, quota: Quota::Teams("team", 30), permissions: ROLES, handler: team },
];

const LIST_ROLES: &[&str] = &["Team.ReadBasic.All", "TeamSettings.Read.All", "TeamSettings.ReadWrite.All"];
const ROLES: &[&str] = &[
    "Team.ReadBasic.All",
    "TeamSettings.Read.All",
    "TeamSettings.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// `GET /teams`.
fn teams(ctx: &Context<'_>) -> Result<Response, Response> {
    let (token, query) = begin(ctx, "teams", &["$filter", "$select", "$top", "$count"], 100, 999)?;
    if query.get("$filter").is_some() {
        return Err(Response::not_supported("Filter"));
    }
    let list = List { path: "teams".to_owned(), context: ctx.metadata("teams"), counted: true };
    let items = ctx.tenant.teams.iter().enumerate().filter(|(_, team)| !team.gone && team.provisioned);
    list.page(ctx, &token, items.map(|(index, team)| (index, team.listed_json())))
}

/// `GET /teams/{id}`.
fn team(ctx: &Context<'_>) -> Result<Response, Response> {
    let team = ctx.team()?;
    ctx.query.only(&["$select"])?;
    let settings = if sees_settings(ctx.roles) { BasicTeam::Full } else { ctx.tenant.switches.basic_team };
    let select = ctx.query.select();
    Ok(entity(ctx, "teams/$entity", selected(team.json_for(settings), &select)))
}

/// Whether the roles allow reading the settings of a team.
fn sees_settings(roles: &[String]) -> bool {
    roles.iter().any(|role| role != "Team.ReadBasic.All" && ROLES.contains(&role.as_str()))
}
