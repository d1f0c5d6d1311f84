//! The context of a request that routes get, and the lookups that every route starts with.

use super::{query::Query, response::Response};
use crate::{
    encode::is_guid,
    journal::Ids,
    tenant::{Block, Channel, Team, Tenant},
    time::Time,
};

#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    pub(crate) tenant: &'a Tenant,
    /// The ids in the path.
    pub(crate) ids: &'a Ids,
    /// `{scheme}://{host}:{port}/v1.0/`
    pub(crate) base: &'a str,
    pub(crate) now: Time,
    pub(crate) query: &'a Query,
    /// `Prefer: include-unknown-enum-members` was sent.
    pub(crate) unknown_members: bool,
    /// Return an empty page with a link to the items that it would have had.
    pub(crate) empty_page: bool,
    /// Link to the first page of the list instead of the next one.
    pub(crate) loops_back: bool,
    pub(crate) roles: &'a [String],
}

impl<'a> Context<'a> {
    /// The id with this name in the path.
    pub(crate) fn id(&self, name: &str) -> &'a str {
        self.ids.get(name).unwrap_or_default()
    }

    /// The team. The error is 404 or what the team is set to return.
    pub(crate) fn team(&self) -> Result<&'a Team, Response> {
        let id = self.id("team");
        if !is_guid(id) {
            return Err(Response::bad_request("teamId needs to be a valid GUID"));
        }
        let missing = || Response::error(404, "ItemNotFound", format!("No team found with Group Id {id}"));
        let team = self.tenant.team(&id.to_ascii_lowercase()).ok_or_else(missing)?;
        team.block.as_ref().map_or(Ok(team), |block| Err(blocked(block)))
    }

    /// The team and the channel. The error is 404 or what one of them is set to return.
    pub(crate) fn channel(&self) -> Result<(&'a Team, &'a Channel), Response> {
        let (team, id) = (self.team()?, self.id("channel"));
        let channel = team.channels().find(|channel| channel.id == id);
        let channel = channel.ok_or_else(|| Response::not_found(format!("No channel found with id {id} in team {}.", team.id)))?;
        channel.block.as_ref().map_or(Ok((team, channel)), |block| Err(blocked(block)))
    }

    /// `@odata.context` of a collection.
    pub(crate) fn metadata(&self, what: &str) -> String {
        format!("{}$metadata#{what}", self.base)
    }
}

fn blocked(block: &Block) -> Response {
    if block.code.is_empty() { Response::empty(block.status) } else { Response::error(block.status, &block.code, &block.message) }
}
