//! Channels (graph.md 2.3).

use super::{
    Route,
    list::{List, begin, entity, selected},
};
use crate::{
    journal::Class,
    limits::Quota,
    server::{context::Context, response::Response},
    tenant::{Channel, Membership, Team},
};

pub(crate) const ROUTES: &[Route] = &[
    Route {
        path: "teams/{team}/channels",
        class: Class::Channels,
        quota: Quota::Teams("channels", 60),
        permissions: ROLES,
        handler: channels,
    },
    Route { path: "teams/{team}/channels/{channel}", class: Class::Other, quota: CHANNEL, permissions: ROLES, handler: channel },
    Route { path: "teams/{team}/primaryChannel", class: Class::Other, quota: CHANNEL, permissions: ROLES, handler: primary_channel },
];

const CHANNEL: Quota = Quota::Teams("channel", 30);
const ROLES: &[&str] = &[
    "Channel.ReadBasic.All",
    "ChannelSettings.Read.All",
    "ChannelSettings.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// `GET /teams/{id}/channels`. `$top` is not supported (graph.md 2.3).
fn channels(ctx: &Context<'_>) -> Result<Response, Response> {
    let team = ctx.team()?;
    let path = format!("teams('{}')/channels", team.id);
    let size = Some(ctx.tenant.switches.channels_page).filter(|size| *size > 0).unwrap_or(usize::MAX >> 1);
    let (token, query) = begin(ctx, &path, &["$filter", "$select"], size, size)?;
    let filter = query.get("$filter").map(ChannelFilter::parse).transpose()?;
    let select = query.select();
    let list = List { context: ctx.metadata(&path), path, counted: true };
    let channels = team.channels.iter().enumerate().filter(|(_, channel)| !channel.gone && !channel.unlisted);
    let listed = channels.filter(|(_, channel)| filter.as_ref().is_none_or(|filter| filter.matches(channel)));
    list.page(ctx, &token, listed.map(|(index, channel)| (index, selected(channel.json(team, ctx.unknown_members), &select))))
}

/// The two documented filters of the list of channels.
enum ChannelFilter {
    Membership(String),
    Name(String),
}

impl ChannelFilter {
    fn parse(text: &str) -> Result<ChannelFilter, Response> {
        let quoted = |text: &str| text.trim().strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).map(str::to_owned);
        match text.split_once(" eq ").and_then(|(name, value)| Some((name.trim(), quoted(value)?))) {
            Some(("membershipType", value)) => Ok(ChannelFilter::Membership(value)),
            Some(("displayName", value)) => Ok(ChannelFilter::Name(value)),
            _ => Err(Response::not_supported("Filter")),
        }
    }

    fn matches(&self, channel: &Channel) -> bool {
        match self {
            ChannelFilter::Name(name) => &channel.display_name == name,
            ChannelFilter::Membership(kind) => match channel.membership {
                Membership::Standard => kind == "standard",
                Membership::Private => kind == "private",
                Membership::Shared => kind == "shared",
            },
        }
    }
}

/// `GET /teams/{id}/channels/{id}`.
fn channel(ctx: &Context<'_>) -> Result<Response, Response> {
    let (team, channel) = ctx.channel()?;
    ctx.query.only(&["$select", "$filter"])?;
    Ok(channel_entity(ctx, team, channel))
}

/// `GET /teams/{id}/primaryChannel`.
fn primary_channel(ctx: &Context<'_>) -> Result<Response, Response> {
    let team = ctx.team()?;
    let general = team.channels().next().ok_or_else(|| Response::not_found("No primary channel."))?;
    Ok(channel_entity(ctx, team, general))
}

fn channel_entity(ctx: &Context<'_>, team: &Team, channel: &Channel) -> Response {
    entity(ctx, &format!("teams('{}')/channels/$entity", team.id), channel.json(team, ctx.unknown_members))
}
