//! Groups, teams, channels and members (graph.md 2.1 to 2.4).

use serde_json::{Value, json};

use super::{
    answer::Answer,
    context::Context,
    link::{PageToken, Position},
    page::{self, Head},
    permission,
    query::Query,
};
use crate::{
    encode::percent_encode,
    switches::BasicTeam,
    tenant::{Channel, ChannelMember, Membership, Team},
};

/// Properties of groups that only `$select` brings.
const MORE_OF_GROUP: [&str; 8] = [
    "isArchived",
    "uniqueName",
    "assignedLabels",
    "allowExternalSenders",
    "hideFromAddressLists",
    "isSubscribedByMail",
    "licenseProcessingState",
    "preferredDataLocation",
];

/// A list of values with page tokens by place: what is deleted meanwhile does not shift the rest.
struct List {
    /// Path of its links; also what its tokens are bound to.
    path: String,
    context: String,
    counted: bool,
}

impl List {
    /// The page that the token stands for; `items` come in order with their places.
    fn answer(&self, ctx: &Context<'_>, token: &PageToken, items: impl Iterator<Item = (usize, Value)>) -> Result<Answer, Answer> {
        let Position::Offset(start) = token.position else { return Err(Answer::bad_request("The provided skip token is not valid.")) };
        let size = if ctx.empty_page { 0 } else { token.top };
        let mut rest = items.skip_while(|(place, _)| (*place as u64) < start);
        let page: Vec<String> = rest.by_ref().take(size).map(|(_, item)| item.to_string()).collect();
        let end = (page.len() == token.top && ctx.tenant.switches.trailing_link).then_some(i64::MAX as u64);
        let next = rest.next().map(|(place, _)| place as u64).or(end);
        let next = if ctx.goes_round { Some(0) } else { next };
        let next_link = next.map(|place| {
            let token = token.moved(Position::Offset(place), ctx.now).seal(&self.path);
            format!("{}{}?$skiptoken={token}", ctx.base, self.path)
        });
        let mut body = Vec::new();
        Head { context: &self.context, count: self.counted.then_some(page.len()), next_link, delta_link: None }.open(&mut body);
        body.extend_from_slice(page.join(",").as_bytes());
        page::close(&mut body);
        Ok(Answer::json(body))
    }
}

/// Where the request stands in the list at `path`, and the options of the list's first page. `most` is the largest `$top`.
fn begin(ctx: &Context<'_>, path: &str, options: &[&str], default: usize, most: usize) -> Result<(PageToken, Query), Answer> {
    if let Some(text) = ctx.query.token("$skiptoken")? {
        let token = PageToken::of_skip(text, path, ctx.tenant, ctx.now)?;
        let query = Query::parse(&token.memo);
        return Ok((token, query));
    }
    ctx.query.only(options)?;
    let top = ctx.query.top(default, most, ctx.tenant.switches.top_over_maximum)?;
    let token = PageToken { top, memo: ctx.query.text.clone(), ..PageToken::new(Position::Offset(0), ctx.now) };
    Ok((token, ctx.query.clone()))
}

/// `GET /groups`.
pub(crate) fn groups(ctx: &Context<'_>) -> Result<Answer, Answer> {
    let (token, query) = begin(ctx, "groups", &["$filter", "$select", "$top", "$count", "$orderby"], 100, 999)?;
    if let Some(filter) = query.get("$filter") {
        let bare = filter.replace(' ', "").to_ascii_lowercase();
        if !(bare.starts_with("resourceprovisioningoptions/any(") && bare.ends_with("eq'team')")) {
            return Err(Answer::error(400, "Request_UnsupportedQuery", "Unsupported or invalid query filter clause specified."));
        }
    }
    let select = query.select();
    if let Some(unknown) = ctx.tenant.groups().next().and_then(|group| unknown_property(&group.group_json(), &select)) {
        let message = format!("Could not find a property named '{unknown}' on type 'Microsoft.DirectoryServices.Group'.");
        return Err(Answer::bad_request(message));
    }
    let list = List {
        path: "groups".to_owned(),
        context: ctx.metadata(&if select.is_empty() { "groups".to_owned() } else { format!("groups({})", select.join(",")) }),
        counted: false,
    };
    let items = ctx.tenant.teams.iter().enumerate().filter(|(_, team)| !team.gone && !team.unmarked);
    list.answer(ctx, &token, items.map(|(place, team)| (place, selected(team.group_json(), &select))))
}

fn unknown_property<'s>(group: &Value, select: &'s [String]) -> Option<&'s str> {
    let known = |name: &str| group.get(name).is_some() || MORE_OF_GROUP.contains(&name);
    select.iter().map(String::as_str).find(|name| !known(name))
}

fn selected(item: Value, select: &[String]) -> Value {
    if select.is_empty() {
        return item;
    }
    select.iter().map(|name| (name.clone(), item.get(name).cloned().unwrap_or(Value::Null))).collect()
}

/// `GET /teams`.
pub(crate) fn teams(ctx: &Context<'_>) -> Result<Answer, Answer> {
    let (token, query) = begin(ctx, "teams", &["$filter", "$select", "$top", "$count"], 100, 999)?;
    if query.get("$filter").is_some() {
        return Err(Answer::not_supported("Filter"));
    }
    let list = List { path: "teams".to_owned(), context: ctx.metadata("teams"), counted: true };
    let items = ctx.tenant.teams.iter().enumerate().filter(|(_, team)| !team.gone && team.provisioned);
    list.answer(ctx, &token, items.map(|(place, team)| (place, team.listed_json())))
}

/// `GET /teams/{id}`.
pub(crate) fn team(ctx: &Context<'_>, id: &str) -> Result<Answer, Answer> {
    let team = ctx.team(id)?;
    ctx.query.only(&["$select"])?;
    let settings = if permission::sees_settings(ctx.roles) { BasicTeam::Full } else { ctx.tenant.switches.basic_team };
    let select = ctx.query.select();
    Ok(entity(ctx, "teams/$entity", selected(team.json_for(settings), &select)))
}

/// `GET /teams/{id}/channels`: no `$top` (graph.md 2.3).
pub(crate) fn channels(ctx: &Context<'_>, team: &str) -> Result<Answer, Answer> {
    let team = ctx.team(team)?;
    let path = format!("teams('{}')/channels", team.id);
    let size = Some(ctx.tenant.switches.channels_page).filter(|size| *size > 0).unwrap_or(usize::MAX >> 1);
    let (token, query) = begin(ctx, &path, &["$filter", "$select"], size, size)?;
    let filter = query.get("$filter").map(ChannelFilter::parse).transpose()?;
    let select = query.select();
    let list = List { context: ctx.metadata(&path), path, counted: true };
    let channels = team.channels.iter().enumerate().filter(|(_, channel)| !channel.gone && !channel.unlisted);
    let wanted = channels.filter(|(_, channel)| filter.as_ref().is_none_or(|filter| filter.takes(channel)));
    list.answer(ctx, &token, wanted.map(|(place, channel)| (place, selected(channel.json(team, ctx.unknown_members), &select))))
}

/// The two filters that the list of channels is documented to take.
enum ChannelFilter {
    Membership(String),
    Name(String),
}

impl ChannelFilter {
    fn parse(text: &str) -> Result<ChannelFilter, Answer> {
        let quoted = |text: &str| text.trim().strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).map(str::to_owned);
        match text.split_once(" eq ").and_then(|(name, value)| Some((name.trim(), quoted(value)?))) {
            Some(("membershipType", value)) => Ok(ChannelFilter::Membership(value)),
            Some(("displayName", value)) => Ok(ChannelFilter::Name(value)),
            _ => Err(Answer::not_supported("Filter")),
        }
    }

    fn takes(&self, channel: &Channel) -> bool {
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
pub(crate) fn channel(ctx: &Context<'_>, team: &str, id: &str) -> Result<Answer, Answer> {
    let (team, channel) = ctx.channel(team, id)?;
    ctx.query.only(&["$select", "$filter"])?;
    Ok(channel_entity(ctx, team, channel))
}

/// `GET /teams/{id}/primaryChannel`.
pub(crate) fn primary_channel(ctx: &Context<'_>, team: &str) -> Result<Answer, Answer> {
    let team = ctx.team(team)?;
    let general = team.channels().next().ok_or_else(|| Answer::not_found("No primary channel."))?;
    Ok(channel_entity(ctx, team, general))
}

fn channel_entity(ctx: &Context<'_>, team: &Team, channel: &Channel) -> Answer {
    entity(ctx, &format!("teams('{}')/channels/$entity", team.id), channel.json(team, ctx.unknown_members))
}

/// `GET /teams/{id}/members`.
pub(crate) fn members(ctx: &Context<'_>, team: &str) -> Result<Answer, Answer> {
    let team = ctx.team(team)?;
    members_page(ctx, team, format!("teams('{}')/members", team.id))
}

/// `GET /teams/{id}/channels/{id}/members`: those who belong to the channel itself.
pub(crate) fn channel_members(ctx: &Context<'_>, team: &str, channel: &str) -> Result<Answer, Answer> {
    channel_members_page(ctx, team, channel, "members", ChannelMember::is_direct)
}

/// `GET /teams/{id}/channels/{id}/allMembers`: also those of teams that a shared channel is shared with. No `$top` (graph.md 2.4).
pub(crate) fn all_members(ctx: &Context<'_>, team: &str, channel: &str) -> Result<Answer, Answer> {
    channel_members_page(ctx, team, channel, "allMembers", |_| true)
}

fn channel_members_page(
    ctx: &Context<'_>,
    team: &str,
    channel: &str,
    what: &str,
    is_listed: impl Fn(&ChannelMember) -> bool,
) -> Result<Answer, Answer> {
    let (team, channel) = ctx.channel(team, channel)?;
    let path = format!("teams('{}')/channels('{}')/{what}", team.id, percent_encode(&channel.id));
    let size = ctx.tenant.switches.all_members_page;
    let (token, query) = begin(ctx, &path, &["$filter", "$select"], size, size)?;
    let filter = query.get("$filter").map(MemberFilter::parse).transpose()?;
    let select = query.select();
    let list = List { context: ctx.metadata(&path), path, counted: true };
    let members = channel.all_members(team).filter(|member| is_listed(member)).map(|member| member.json(ctx.tenant, team, channel));
    let wanted = members.enumerate().filter(|(_, member)| filter.as_ref().is_none_or(|filter| filter.takes(member)));
    list.answer(ctx, &token, wanted.map(|(place, member)| (place, selected(member, &select))))
}

/// A comparison with a text: what the examples of Microsoft filter members by.
struct MemberFilter {
    name: &'static str,
    value: String,
}

impl MemberFilter {
    fn parse(text: &str) -> Result<MemberFilter, Answer> {
        let bare = text.trim().trim_start_matches('(').trim_end_matches(')').replace("microsoft.graph.aadUserConversationMember/", "");
        let (name, value) = bare.split_once(" eq ").ok_or_else(|| Answer::not_supported("Filter"))?;
        let name = ["userId", "displayName", "email"].into_iter().find(|known| *known == name.trim());
        let value = value.trim().strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
        let (name, value) = name.zip(value).ok_or_else(|| Answer::not_supported("Filter"))?;
        Ok(MemberFilter { name, value: value.to_owned() })
    }

    fn takes(&self, member: &Value) -> bool {
        member.get(self.name).and_then(Value::as_str) == Some(&self.value)
    }
}

fn members_page(ctx: &Context<'_>, team: &Team, path: String) -> Result<Answer, Answer> {
    let options: &[&str] = if ctx.tenant.switches.members_take_top { &["$select", "$top"] } else { &["$select"] };
    let (token, query) = begin(ctx, &path, options, 100, 999)?;
    let select = query.select();
    let list = List { context: ctx.metadata(&path), path, counted: true };
    let items = team.members.iter().enumerate();
    list.answer(ctx, &token, items.map(|(place, member)| (place, selected(member.json(ctx.tenant, team), &select))))
}

/// One object with its `@odata.context` in front.
pub(crate) fn entity(ctx: &Context<'_>, what: &str, object: Value) -> Answer {
    let mut annotated = json!({ "@odata.context": ctx.metadata(what) });
    if let (Value::Object(properties), Value::Object(own)) = (&mut annotated, object) {
        properties.extend(own);
    }
    Answer::value(&annotated)
}
