//! The members of teams and of channels (graph.md 2.4).

use serde_json::Value;

use super::{
    Route,
    list::{List, begin, selected},
};
use crate::{
    encode::percent_encode,
    journal::Class,
    limits::Quota,
    server::{context::Context, response::Response},
    tenant::ChannelMember,
};

pub(crate) const ROUTES: &[Route] = &[
    Route {
        path: "teams/{team}/members",
        class: Class::Members,
        quota: Quota::Teams("team members", 60),
        permissions: &["TeamMember.Read.All", "TeamMember.ReadWrite.All"],
        handler: members,
    },
    Route {
        path: "teams/{team}/channels/{channel}/members",
        class: Class::ChannelMembers,
        quota: Quota::Teams("channel members", 60),
        permissions: CHANNEL_MEMBER_ROLES,
        handler: channel_members,
    },
    Route {
        path: "teams/{team}/channels/{channel}/allMembers",
        class: Class::AllMembers,
        quota: Quota::OTHER,
        permissions: CHANNEL_MEMBER_ROLES,
        handler: all_members,
    },
];

const CHANNEL_MEMBER_ROLES: &[&str] = &["ChannelMember.Read.All", "ChannelMember.ReadWrite.All"];

/// `GET /teams/{id}/members`.
fn members(ctx: &Context<'_>) -> Result<Response, Response> {
    let team = ctx.team()?;
    let path = format!("teams('{}')/members", team.id);
    let options: &[&str] = if ctx.tenant.switches.members_take_top { &["$select", "$top"] } else { &["$select"] };
    let (token, query) = begin(ctx, &path, options, 100, 999)?;
    let select = query.select();
    let list = List { context: ctx.metadata(&path), path, counted: true };
    let items = team.members.iter().enumerate();
    list.page(ctx, &token, items.map(|(index, member)| (index, selected(member.json(ctx.tenant, team), &select))))
}

/// `GET /teams/{id}/channels/{id}/members`: direct members only.
fn channel_members(ctx: &Context<'_>) -> Result<Response, Response> {
    channel_members_page(ctx, "members", ChannelMember::is_direct)
}

/// `GET /teams/{id}/channels/{id}/allMembers`: also members of teams that a shared channel is shared with. `$top` is not supported (graph.md 2.4).
fn all_members(ctx: &Context<'_>) -> Result<Response, Response> {
    channel_members_page(ctx, "allMembers", |_| true)
}

fn channel_members_page(ctx: &Context<'_>, what: &str, is_listed: impl Fn(&ChannelMember) -> bool) -> Result<Response, Response> {
    let (team, channel) = ctx.channel()?;
    let path = format!("teams('{}')/channels('{}')/{what}", team.id, percent_encode(&channel.id));
    let size = ctx.tenant.switches.all_members_page;
    let (token, query) = begin(ctx, &path, &["$filter", "$select"], size, size)?;
    let filter = query.get("$filter").map(MemberFilter::parse).transpose()?;
    let select = query.select();
    let list = List { context: ctx.metadata(&path), path, counted: true };
    let members = channel.all_members(team).filter(|member| is_listed(member)).map(|member| member.json(ctx.tenant, team, channel));
    let listed = members.enumerate().filter(|(_, member)| filter.as_ref().is_none_or(|filter| filter.matches(member)));
    list.page(ctx, &token, listed.map(|(index, member)| (index, selected(member, &select))))
}

/// The filter of Microsoft's examples: a property equals a text.
struct MemberFilter {
    name: &'static str,
    value: String,
}

impl MemberFilter {
    fn parse(text: &str) -> Result<MemberFilter, Response> {
        let bare = text.trim().trim_start_matches('(').trim_end_matches(')').replace("microsoft.graph.aadUserConversationMember/", "");
        let (name, value) = bare.split_once(" eq ").ok_or_else(|| Response::not_supported("Filter"))?;
        let name = ["userId", "displayName", "email"].into_iter().find(|known| *known == name.trim());
        let value = value.trim().strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
        let (name, value) = name.zip(value).ok_or_else(|| Response::not_supported("Filter"))?;
        Ok(MemberFilter { name, value: value.to_owned() })
    }

    fn matches(&self, member: &Value) -> bool {
        member.get(self.name).and_then(Value::as_str) == Some(&self.value)
    }
}
