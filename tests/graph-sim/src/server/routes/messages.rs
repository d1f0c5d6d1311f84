//! Messages and replies (graph.md 2.5, 2.6): newest activity first, with or without expanded replies.

use super::Route;
use crate::{
    content::{ChannelView, write_message},
    encode::{JsonOut, percent_encode},
    journal::Class,
    limits::Quota,
    server::{
        context::Context,
        link::{PageToken, Position, below, channel_path},
        page::{self, Head},
        response::Response,
    },
    switches::{Overflow, Paging, RepliesOrder},
    tenant::{Chain, Channel, Message, MessageId, Team},
    time::Time,
};

pub(crate) const ROUTES: &[Route] = &[
    Route {
        path: "teams/{team}/channels/{channel}/messages",
        class: Class::Messages,
        quota: MESSAGES,
        permissions: ROLES,
        handler: messages,
    },
    Route {
        path: "teams/{team}/channels/{channel}/messages/{message}",
        class: Class::Message,
        quota: MESSAGES,
        permissions: ROLES,
        handler: message,
    },
    Route {
        path: "teams/{team}/channels/{channel}/messages/{message}/replies",
        class: Class::Replies,
        quota: Quota::OTHER,
        permissions: ROLES,
        handler: replies,
    },
    Route {
        path: "teams/{team}/channels/{channel}/messages/{message}/replies/{reply}",
        class: Class::Message,
        quota: Quota::OTHER,
        permissions: ROLES,
        handler: reply,
    },
    Route {
        path: "teams/{team}/channels/{channel}/messages/{message}/replies/delta",
        class: Class::Replies,
        quota: Quota::OTHER,
        permissions: ROLES,
        handler: replies_delta,
    },
];

/// Shared by lists of messages, pages of delta and single messages.
pub(crate) const MESSAGES: Quota = Quota::Teams("channel messages", 20);
pub(crate) const ROLES: &[&str] = &["ChannelMessage.Read.All", "Group.Read.All", "Group.ReadWrite.All"];

/// The largest `$top` of messages and replies.
const MAX_TOP: usize = 50;

/// The data for writing a page.
pub(crate) struct Page<'a> {
    pub(crate) ctx: &'a Context<'a>,
    pub(crate) team: &'a Team,
    pub(crate) channel: &'a Channel,
    pub(crate) view: ChannelView<'a>,
    /// The path of the channel in links, in their style.
    pub(crate) path: String,
}

impl<'a> Page<'a> {
    pub(crate) fn new(ctx: &'a Context<'a>) -> Result<Page<'a>, Response> {
        let (team, channel) = ctx.channel()?;
        Ok(Page {
            ctx,
            team,
            channel,
            view: ChannelView::new(ctx.tenant, team, channel).with_unknown_members(ctx.unknown_members),
            path: channel_path(ctx.tenant, &team.id, &channel.id),
        })
    }

    pub(crate) fn link(&self, path: &str, token: &PageToken, option: &str, list: &str) -> String {
        format!("{}{path}?{option}={}", self.ctx.base, token.seal(list))
    }

    /// `@odata.context` of something in the channel.
    pub(crate) fn context(&self, what: &str) -> String {
        self.ctx.metadata(&format!("teams('{}')/channels('{}')/{what}", self.team.id, percent_encode(&self.channel.id)))
    }

    /// The name of a list, to which its tokens are bound.
    pub(crate) fn list(&self, what: &str) -> String {
        format!("{}/{}/{what}", self.team.id, self.channel.id)
    }

    fn chain(&self, id: &str) -> Result<&'a Chain, Response> {
        let chain = id.parse().ok().and_then(|root: MessageId| self.channel.chains.get(root));
        chain.ok_or_else(|| Response::not_found(format!("Message {id} was not found.")))
    }

    /// Writes a root with its inlined replies, up to the maximum (graph.md 2.5).
    pub(crate) fn write_chain(&self, out: &mut Vec<u8>, chain: &Chain) {
        let switches = &self.ctx.tenant.switches;
        write_message(out, &self.view, &chain.root, chain.root.id);
        // Raw JSON may be anything. Replies can be added to objects only.
        let Some(brace) = out.iter().rposition(|byte| !byte.is_ascii_whitespace()).filter(|&last| out[last] == b'}') else { return };
        out.truncate(brace);
        if !out.trim_ascii_end().ends_with(b"{") {
            out.push(b',');
        }
        let root = chain.root.id.to_string();
        out.raw("\"replies@odata.context\":");
        out.string(&self.context(&format!("messages('{root}')/replies")));
        let inline = chain.replies.len().min(switches.inline_replies);
        let is_cut = inline < chain.replies.len();
        let overflow = match switches.overflow {
            Overflow::NothingNowAndThen if chain.root.id.is_multiple_of(2) => Overflow::Nothing,
            Overflow::NothingNowAndThen => Overflow::CountAndLink,
            overflow => overflow,
        };
        let counts_all = is_cut && overflow == Overflow::CountOfAll;
        if counts_all || inline > 0 && !(is_cut && overflow == Overflow::Link) {
            out.raw(",\"replies@odata.count\":");
            out.number(if counts_all { chain.replies.len() } else { inline } as u64);
        }
        if is_cut && matches!(overflow, Overflow::CountAndLink | Overflow::Link) {
            let last = nth_reply(chain, switches.replies_order, inline.saturating_sub(1));
            let position = match switches.paging {
                _ if inline == 0 => Position::Start,
                Paging::Position => Position::After(0, last.map_or(0, |reply| reply.id)),
                Paging::Offset => Position::Offset(inline as u64),
            };
            let token = PageToken { top: switches.replies_page, ..PageToken::new(position, self.ctx.now) };
            let path = format!("{}/replies", below(&self.path, "messages", &root));
            out.raw(",\"replies@odata.nextLink\":");
            out.string(&self.link(&path, &token, "$skiptoken", &self.list(&format!("{root}/replies"))));
        }
        out.raw(",\"replies\":[");
        for index in 0..inline {
            if index > 0 {
                out.push(b',');
            }
            if let Some(reply) = nth_reply(chain, switches.replies_order, index) {
                write_message(out, &self.view, reply, chain.root.id);
            }
        }
        out.raw("]}");
    }

    /// The response with a single message.
    fn single(&self, message: &Message, root: MessageId) -> Response {
        let mut body = Vec::new();
        write_message(&mut body, &self.view, message, root);
        if let Some(inside) = body.strip_prefix(b"{") {
            let mut annotated = Vec::with_capacity(body.len() + 200);
            annotated.raw("{\"@odata.context\":");
            annotated.string(&self.context("messages/$entity"));
            if inside != b"}" {
                annotated.push(b',');
            }
            annotated.extend_from_slice(inside);
            body = annotated;
        }
        Response::json(body)
    }
}

fn nth_reply(chain: &Chain, order: RepliesOrder, index: usize) -> Option<&Message> {
    match order {
        RepliesOrder::OldestFirst => chain.replies.get(index),
        RepliesOrder::NewestFirst => chain.replies.len().checked_sub(index + 1).and_then(|place| chain.replies.get(place)),
    }
}

/// `GET …/messages`.
fn messages(ctx: &Context<'_>) -> Result<Response, Response> {
    let page = Page::new(ctx)?;
    let list = page.list("messages");
    let token = match ctx.query.token("$skiptoken")? {
        Some(text) => PageToken::from_skip_token(text, &list, ctx.tenant, ctx.now)?,
        None => {
            ctx.query.only(&["$top", "$expand"])?;
            let top = ctx.query.top(20, MAX_TOP, ctx.tenant.switches.top_over_maximum)?;
            PageToken { top, expand: expands_replies(ctx)?, ..PageToken::new(Position::Start, ctx.now) }
        }
    };
    let size = if ctx.empty_page { 0 } else { token.top };
    let chains = &page.channel.chains;
    let (items, next) = match token.position {
        Position::After(activity, root) => cut(&token, ctx, size, chains.after(Time::from_ticks(activity), root)),
        Position::Offset(served) => cut(&token, ctx, size, chains.iter().skip(served as usize)),
        Position::Start => cut(&token, ctx, size, chains.iter()),
    };
    let next_link =
        next.map(|position| page.link(&format!("{}/messages", page.path), &token.moved(position, ctx.now), "$skiptoken", &list));
    let context = page.context(if token.expand { "messages(replies())" } else { "messages" });
    let mut body = Vec::with_capacity(items.len() * 2048 + 1024);
    Head { context: &context, count: Some(items.len()), next_link, delta_link: None }.open(&mut body);
    for (index, chain) in items.into_iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        if token.expand {
            page.write_chain(&mut body, chain);
        } else {
            write_message(&mut body, &page.view, &chain.root, chain.root.id);
        }
    }
    page::close(&mut body);
    Ok(Response::json(body))
}

/// Whether replies are expanded. `$expand` accepts `replies` only.
pub(crate) fn expands_replies(ctx: &Context<'_>) -> Result<bool, Response> {
    match ctx.query.get("$expand") {
        None => Ok(false),
        Some("replies") if ctx.tenant.switches.expands_replies => Ok(true),
        Some("replies") => {
            Err(Response::bad_request("Query option 'Expand' is not allowed. To allow it, set the 'AllowedQueryOptions' property."))
        }
        Some(other) => {
            Err(Response::bad_request(format!("Could not find a property named '{other}' on type 'microsoft.graph.chatMessage'.")))
        }
    }
}

/// The items of a page, and the position of the next page.
fn cut<'c>(
    token: &PageToken,
    ctx: &Context<'_>,
    size: usize,
    chains: impl Iterator<Item = &'c Chain>,
) -> (Vec<&'c Chain>, Option<Position>) {
    let mut chains = chains;
    let items: Vec<&Chain> = chains.by_ref().take(size).collect();
    let full = items.len() == token.top && ctx.tenant.switches.trailing_link;
    let more = chains.next().is_some() || full;
    let next = match (items.last(), ctx.tenant.switches.paging, token.position) {
        (None, _, position) => position,
        (Some(_), Paging::Offset, Position::Offset(served)) => Position::Offset(served + items.len() as u64),
        (Some(_), Paging::Offset, Position::Start) => Position::Offset(items.len() as u64),
        (Some(last), ..) => Position::After(last.activity.ticks(), last.root.id),
    };
    if ctx.loops_back {
        return (items, Some(Position::Start));
    }
    (items, more.then_some(next))
}

/// `GET …/messages/{id}/replies`.
fn replies(ctx: &Context<'_>) -> Result<Response, Response> {
    let page = Page::new(ctx)?;
    let message = ctx.id("message");
    let chain = page.chain(message)?;
    let root = chain.root.id;
    let list = page.list(&format!("{root}/replies"));
    let switches = &ctx.tenant.switches;
    let token = match ctx.query.token("$skiptoken")? {
        Some(text) => PageToken::from_skip_token(text, &list, ctx.tenant, ctx.now)?,
        None => {
            ctx.query.only(&["$top"])?;
            let top = ctx.query.top(switches.replies_page, MAX_TOP, switches.top_over_maximum)?;
            PageToken { top, ..PageToken::new(Position::Start, ctx.now) }
        }
    };
    let start = match (token.position, switches.replies_order) {
        (Position::Start, _) => 0,
        (Position::Offset(served), _) => served as usize,
        (Position::After(_, last), RepliesOrder::OldestFirst) => chain.replies.partition_point(|reply| reply.id <= last),
        (Position::After(_, last), RepliesOrder::NewestFirst) => {
            chain.replies.len() - chain.replies.partition_point(|reply| reply.id < last)
        }
    };
    let size = if ctx.empty_page { 0 } else { token.top };
    let items: Vec<&Message> =
        (start..chain.replies.len()).take(size).filter_map(|index| nth_reply(chain, switches.replies_order, index)).collect();
    let full = items.len() == token.top && switches.trailing_link;
    let next = match (items.last(), switches.paging) {
        (None, _) => token.position,
        (Some(last), Paging::Position) => Position::After(0, last.id),
        (Some(_), Paging::Offset) => Position::Offset((start + items.len()) as u64),
    };
    let more = start + items.len() < chain.replies.len() || full || ctx.loops_back;
    let next = if ctx.loops_back { Position::Start } else { next };
    let path = format!("{}/replies", below(&page.path, "messages", message));
    let next_link = more.then(|| page.link(&path, &token.moved(next, ctx.now), "$skiptoken", &list));
    let mut body = Vec::with_capacity(items.len() * 2048 + 1024);
    let context = page.context(&format!("messages('{root}')/replies"));
    Head { context: &context, count: Some(items.len()), next_link, delta_link: None }.open(&mut body);
    for (index, reply) in items.into_iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        write_message(&mut body, &page.view, reply, root);
    }
    page::close(&mut body);
    Ok(Response::json(body))
}

/// `GET …/messages/{id}`.
fn message(ctx: &Context<'_>) -> Result<Response, Response> {
    let page = Page::new(ctx)?;
    ctx.query.only(&[])?;
    let chain = page.chain(ctx.id("message"))?;
    Ok(page.single(&chain.root, chain.root.id))
}

/// `GET …/messages/{id}/replies/delta` (graph.md 2.6).
fn replies_delta(_: &Context<'_>) -> Result<Response, Response> {
    Err(Response::bad_request("Change tracking is not supported against 'microsoft.graph.chatMessage'."))
}

/// `GET …/messages/{id}/replies/{id}`.
fn reply(ctx: &Context<'_>) -> Result<Response, Response> {
    let page = Page::new(ctx)?;
    ctx.query.only(&[])?;
    let chain = page.chain(ctx.id("message"))?;
    let reply = ctx.id("reply");
    let found = reply.parse().ok().filter(|id| *id != chain.root.id).and_then(|id| chain.message(id));
    let found = found.ok_or_else(|| Response::not_found(format!("Message {reply} was not found.")))?;
    Ok(page.single(found, chain.root.id))
}
