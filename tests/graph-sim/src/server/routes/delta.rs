//! `…/messages/delta` (graph.md 4): rounds of changed roots, with the quirks that were observed in production.

use std::collections::HashMap;

use super::{
    Route,
    messages::{self, Page},
};
use crate::{
    content::write_message,
    encode::JsonOut,
    journal::Class,
    rng::mix,
    server::{
        context::Context,
        link::{PageToken, Position},
        page::{self, Head},
        response::Response,
    },
    switches::{DeltaDeletes, DeltaSwitches, DeltaTop, ExpiredToken},
    tenant::{Chain, Change, DeltaSupport, LogEntry, MessageId},
    time::Time,
};

pub(crate) const ROUTES: &[Route] = &[Route {
    path: "teams/{team}/channels/{channel}/messages/delta",
    class: Class::Delta,
    quota: messages::MESSAGES,
    permissions: messages::ROLES,
    handler: delta,
}];

/// How far back delta reports messages (graph.md 4.2).
const HORIZON_MONTHS: u32 = 8;

/// `GET …/messages/delta`.
fn delta(ctx: &Context<'_>) -> Result<Response, Response> {
    let mut page = Page::new(ctx)?;
    page.view.typed = true;
    let round =
        Round { list: page.list("delta"), path: format!("{}/messages/delta", page.path), page, switches: &ctx.tenant.switches.delta };
    round.check_support()?;
    let token = match (ctx.query.token("$skiptoken")?, ctx.query.token("$deltatoken")?) {
        (Some(text), _) => round.next_page(text)?,
        (None, Some("latest")) => return Ok(round.latest()),
        (None, Some(text)) if !text.is_empty() => round.later(text)?,
        // The `Location` of a 410 has an empty `$deltatoken`, which restarts from the beginning.
        _ => round.first()?,
    };
    Ok(round.page(token))
}

struct Round<'a> {
    page: Page<'a>,
    switches: &'a DeltaSwitches,
    list: String,
    path: String,
}

/// An item of a page.
enum Item<'a> {
    Root(&'a Chain),
    Removed(MessageId, &'static str),
}

impl<'a> Round<'a> {
    fn check_support(&self) -> Result<(), Response> {
        let filtered = self.page.ctx.query.get("$filter").is_some();
        match self.page.channel.delta {
            DeltaSupport::NotSupported => Err(Response::bad_request("Invalid request. Delta query is not supported by this resource.")),
            DeltaSupport::NoFilter if filtered => Err(Response::not_supported("Filter")),
            DeltaSupport::NoDeltaToken => Err(Response::not_supported("DeltaToken")),
            DeltaSupport::NeedsFilter if self.page.ctx.query.text.is_empty() => Err(Response::not_supported("DeltaToken")),
            DeltaSupport::Supported | DeltaSupport::NoFilter | DeltaSupport::NeedsFilter => Ok(()),
        }
    }

    /// The first page of the first round.
    fn first(&self) -> Result<PageToken, Response> {
        let query = self.page.ctx.query;
        query.only(&["$filter", "$top", "$expand", "$deltatoken"])?;
        let top = match (self.switches.top, query.get("$top")) {
            (DeltaTop::Reject, Some(_)) => return Err(Response::not_supported("Top")),
            _ => query.top(self.switches.page, 50, self.page.ctx.tenant.switches.top_over_maximum)?,
        };
        let filter = query.get("$filter").map(filter_time).transpose()?;
        let upto = self.page.channel.log.len() as u64;
        let broken = self.switches.top == DeltaTop::Break && query.get("$top").is_some();
        let start = PageToken::new(Position::Start, self.page.ctx.now);
        Ok(PageToken { top, expand: messages::expands_replies(self.page.ctx)?, filter, upto, baseline: true, broken, ..start })
    }

    /// A page within a round.
    fn next_page(&self, text: &str) -> Result<PageToken, Response> {
        let token = PageToken::from_skip_token(text, &self.list, self.page.ctx.tenant, self.page.ctx.now)?;
        if token.broken {
            return Err(Response::not_supported("DeltaToken"));
        }
        Ok(token)
    }

    /// The first page of a later round.
    fn later(&self, text: &str) -> Result<PageToken, Response> {
        let (ctx, channel) = (self.page.ctx, self.page.channel);
        let token = PageToken::open(text, &self.list).ok_or_else(|| self.expired())?;
        let oldest = channel.first_good_delta.max(ctx.tenant.first_good_link);
        if token.is_older(oldest, self.switches.token_lifetime, ctx.now) {
            return Err(self.expired());
        }
        Ok(PageToken { from: token.upto, upto: channel.log.len() as u64, baseline: false, ..token.moved(Position::Start, ctx.now) })
    }

    /// `$deltatoken=latest`: an empty page with a deltaLink (graph.md 4.1).
    fn latest(&self) -> Response {
        let token = PageToken {
            top: self.switches.page,
            upto: self.page.channel.log.len() as u64,
            ..PageToken::new(Position::Start, self.page.ctx.now)
        };
        self.write(&[], None, Some(&token), false)
    }

    /// The response to an expired token.
    fn expired(&self) -> Response {
        match self.switches.expired {
            ExpiredToken::Gone => {
                Response::error(410, "resyncRequired", "Resync required. Replace any local items with the server's version.")
                    .header("Location", format!("{}{}?$deltatoken=", self.page.ctx.base, self.path))
            }
            ExpiredToken::SyncStateNotFound => {
                Response::error(404, "syncStateNotFound", "The sync state generation is not found; the delta token is expired.")
            }
            ExpiredToken::SyncStateInvalid => Response::error(400, "SyncStateInvalid", "The sync state is invalid."),
            ExpiredToken::ResyncRequired => Response::error(400, "resyncRequired", "Resync required."),
            ExpiredToken::NotSupported => Response::not_supported("DeltaToken"),
        }
    }

    fn page(&self, token: PageToken) -> Response {
        let ctx = self.page.ctx;
        // `memo` marks that the empty first page was served, since the position is the same.
        let is_first_page = token.position == Position::Start && token.memo.is_empty();
        if is_first_page && token.baseline && self.page.channel.chains.is_empty() && self.switches.empty_channel_quirk {
            let dead_end = PageToken { broken: true, ..token.clone() };
            return self.write(&[], Some(&dead_end), None, token.expand);
        }
        if ctx.empty_page || is_first_page && self.switches.empty_first_page {
            let same = PageToken { memo: "served".to_owned(), ..token.moved(token.position, ctx.now) };
            return self.write(&[], Some(&same), None, token.expand);
        }
        let items = self.items(&token);
        let start = match token.position {
            Position::Start => 0,
            Position::After(a, b) => items.partition_point(|(key, _)| *key <= (a, b)),
            Position::Offset(served) => served as usize,
        };
        let end = (start + token.top).min(items.len());
        let from = start.min(end) - usize::from(self.switches.repeats && (1..=end).contains(&start));
        let page: Vec<&Item<'_>> = items[from..end].iter().map(|(_, item)| item).collect();
        if ctx.loops_back {
            let first = PageToken { memo: "served".to_owned(), ..token.moved(Position::Start, ctx.now) };
            return self.write(&page, Some(&first), None, token.expand);
        }
        match items[..end].last().filter(|_| end < items.len()) {
            Some(((a, b), _)) => self.write(&page, Some(&token.moved(Position::After(*a, *b), ctx.now)), None, token.expand),
            None => self.write(&page, None, Some(&token), token.expand),
        }
    }

    /// All items of the round in order, each with its sort key.
    fn items(&self, token: &PageToken) -> Vec<((i64, u64), Item<'a>)> {
        let mut items = if token.baseline { self.listed(token) } else { self.changed(token) };
        if self.switches.shuffle {
            for ((a, b), _) in &mut items {
                *a = (mix(*a as u64, *b) >> 1) as i64;
            }
        }
        items.sort_unstable_by_key(|(key, _)| *key);
        items
    }

    /// The first round: chains within the horizon that match the filter, newest activity first.
    fn listed(&self, token: &PageToken) -> Vec<((i64, u64), Item<'a>)> {
        let horizon = self.page.ctx.now.months_before(HORIZON_MONTHS);
        let after = token.filter.map_or(horizon, |filter| filter.max(horizon));
        let chains = self.page.channel.chains.iter().take_while(|chain| chain.activity > after);
        let reported = chains.filter(|chain| !self.is_silent(chain));
        reported.map(|chain| ((-chain.activity.ticks(), chain.root.id), self.item(chain))).collect()
    }

    /// A later round: the changes in the log, with each root once at its last change.
    fn changed(&self, token: &PageToken) -> Vec<((i64, u64), Item<'a>)> {
        let channel = self.page.channel;
        let log = channel.log.get(token.from as usize..token.upto as usize).unwrap_or_default();
        let reported = log
            .iter()
            .enumerate()
            .map(|(index, entry)| (index as u64 + token.from, entry))
            .filter(|(index, entry)| self.reports(*index, entry));
        let last: HashMap<MessageId, u64> = reported.map(|(index, entry)| (entry.root, index)).collect();
        let item = |root: MessageId| match channel.chains.get(root) {
            Some(chain) => token.filter.is_none_or(|filter| chain.activity > filter).then(|| self.item(chain)),
            None => self.switches.reports_removals.then_some(Item::Removed(root, "deleted")),
        };
        last.into_iter().filter_map(|(root, index)| Some(((index as i64, root), item(root)?))).collect()
    }

    fn reports(&self, index: u64, entry: &LogEntry) -> bool {
        let switches = self.switches;
        if switches.skips_every > 0 && index % switches.skips_every == switches.skips_every - 1 {
            return false;
        }
        match entry.what {
            _ if entry.reply && !switches.reports_replies => false,
            Change::Post | Change::Edit => true,
            Change::Reaction => switches.reports_reactions,
            Change::Delete | Change::Undelete => switches.reports_deletes != DeltaDeletes::Silent,
            Change::Removal => !entry.reply && switches.reports_removals,
        }
    }

    /// If deletions are reported as `@removed`, objects that were deleted before the first round are not returned (graph.md 4.1).
    fn is_silent(&self, chain: &Chain) -> bool {
        chain.root.deleted().is_some() && self.switches.reports_deletes == DeltaDeletes::Removed
    }

    fn item(&self, chain: &'a Chain) -> Item<'a> {
        if chain.root.deleted().is_some() && self.switches.reports_deletes == DeltaDeletes::Removed {
            return Item::Removed(chain.root.id, "changed");
        }
        Item::Root(chain)
    }

    fn write(&self, items: &[&Item<'_>], next: Option<&PageToken>, delta: Option<&PageToken>, expand: bool) -> Response {
        let page = &self.page;
        let next_link = next.map(|token| page.link(&self.path, token, "$skiptoken", &self.list));
        let delta_link = delta.map(|token| {
            // The next round reports the changes since the first page of this round.
            let token = PageToken { memo: String::new(), broken: false, ..token.moved(Position::Start, page.ctx.now) };
            page.link(&self.path, &token, "$deltatoken", &self.list)
        });
        let context = page.ctx.metadata("Collection(chatMessage)");
        let mut body = Vec::with_capacity(items.len() * 2048 + 1024);
        Head { context: &context, count: None, next_link, delta_link }.open(&mut body);
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            match item {
                Item::Root(chain) if expand => page.write_chain(&mut body, chain),
                Item::Root(chain) => write_message(&mut body, &page.view, &chain.root, chain.root.id),
                Item::Removed(root, reason) => {
                    body.raw("{\"@odata.type\":\"#microsoft.graph.chatMessage\",\"id\":\"");
                    body.number(*root);
                    body.raw("\",\"@removed\":{\"reason\":\"");
                    body.raw(reason);
                    body.raw("\"}}");
                }
            }
        }
        page::close(&mut body);
        Response::json(body)
    }
}

/// The time of the only supported filter, `lastModifiedDateTime gt {time}` (graph.md 4.2).
fn filter_time(filter: &str) -> Result<Time, Response> {
    let time = filter.trim().strip_prefix("lastModifiedDateTime").and_then(|rest| rest.trim().strip_prefix("gt ")).map(str::trim);
    time.and_then(Time::parse).ok_or_else(|| Response::not_supported("Filter"))
}
