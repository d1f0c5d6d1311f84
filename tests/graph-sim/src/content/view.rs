//! `ChannelView`: the values that all messages of a channel share, computed once per page.

use crate::{
    encode::percent_encode,
    switches::{DeletedBody, Switches},
    tenant::{Channel, Team, Tenant},
};

#[derive(Clone, Debug)]
pub(crate) struct ChannelView<'a> {
    pub(crate) seed: u64,
    pub(crate) tenant_id: &'a str,
    pub(crate) team_id: &'a str,
    pub(crate) channel_id: &'a str,
    pub(crate) deleted_body: DeletedBody,
    pub(crate) deleted_from_null: bool,
    pub(crate) deleted_stamp: bool,
    pub(crate) unmodified_is_null: bool,
    /// `…/l/message/{channel}/`
    pub(crate) web_url: String,
    /// `?groupId=…&tenantId=…`
    pub(crate) web_query: String,
    /// The request has `Prefer: include-unknown-enum-members`.
    pub(crate) unknown_members: bool,
    /// Items start with their `@odata.type`, as in delta (graph.md 2.7).
    pub(crate) typed: bool,
}

impl<'a> ChannelView<'a> {
    pub(crate) fn new(tenant: &'a Tenant, team: &'a Team, channel: &'a Channel) -> ChannelView<'a> {
        let Switches { deleted_body, deleted_from_null, deleted_stamp, unmodified_is_null, .. } = tenant.switches;
        ChannelView {
            seed: tenant.seed,
            tenant_id: &tenant.id,
            team_id: &team.id,
            channel_id: &channel.id,
            deleted_body,
            deleted_from_null,
            deleted_stamp,
            unmodified_is_null,
            web_url: format!("https://teams.microsoft.com/l/message/{}/", percent_encode(&channel.id)),
            web_query: format!("?groupId={}&tenantId={}&createdTime=", team.id, tenant.id),
            unknown_members: false,
            typed: false,
        }
    }

    pub(crate) fn with_unknown_members(mut self, unknown_members: bool) -> ChannelView<'a> {
        self.unknown_members = unknown_members;
        self
    }
}
