//! Lists of small objects: their pages, and the options of the first page, which apply to all pages.

use serde_json::{Value, json};

use crate::server::{
    context::Context,
    link::{PageToken, Position},
    page::{self, Head},
    query::Query,
    response::Response,
};

/// A list whose page tokens contain the index of an item, so that deletions do not shift the following items.
pub(crate) struct List {
    /// The path of its links, to which its tokens are bound.
    pub(crate) path: String,
    pub(crate) context: String,
    pub(crate) counted: bool,
}

impl List {
    /// The page of the token. `items` are in order, with their indexes.
    pub(crate) fn page(
        &self,
        ctx: &Context<'_>,
        token: &PageToken,
        items: impl Iterator<Item = (usize, Value)>,
    ) -> Result<Response, Response> {
        let Position::Offset(start) = token.position else { return Err(Response::bad_request("The provided skip token is not valid.")) };
        let size = if ctx.empty_page { 0 } else { token.top };
        let mut rest = items.skip_while(|(index, _)| (*index as u64) < start);
        let page: Vec<String> = rest.by_ref().take(size).map(|(_, item)| item.to_string()).collect();
        let end = (page.len() == token.top && ctx.tenant.switches.trailing_link).then_some(i64::MAX as u64);
        let next = rest.next().map(|(index, _)| index as u64).or(end);
        let next = if ctx.loops_back { Some(0) } else { next };
        let next_link = next.map(|index| {
            let token = token.moved(Position::Offset(index), ctx.now).seal(&self.path);
            format!("{}{}?$skiptoken={token}", ctx.base, self.path)
        });
        let mut body = Vec::new();
        Head { context: &self.context, count: self.counted.then_some(page.len()), next_link, delta_link: None }.open(&mut body);
        body.extend_from_slice(page.join(",").as_bytes());
        page::close(&mut body);
        Ok(Response::json(body))
    }
}

/// The page token of a request to the list at `path`, and the options of its first page. `max` is the largest `$top`.
pub(crate) fn begin(ctx: &Context<'_>, path: &str, options: &[&str], default: usize, max: usize) -> Result<(PageToken, Query), Response> {
    if let Some(text) = ctx.query.token("$skiptoken")? {
        let token = PageToken::from_skip_token(text, path, ctx.tenant, ctx.now)?;
        let query = Query::parse(&token.memo);
        return Ok((token, query));
    }
    ctx.query.only(options)?;
    let top = ctx.query.top(default, max, ctx.tenant.switches.top_over_maximum)?;
    let token = PageToken { top, memo: ctx.query.text.clone(), ..PageToken::new(Position::Offset(0), ctx.now) };
    Ok((token, ctx.query.clone()))
}

/// The selected properties, or all if `select` is empty.
pub(crate) fn selected(item: Value, select: &[String]) -> Value {
    if select.is_empty() {
        return item;
    }
    select.iter().map(|name| (name.clone(), item.get(name).cloned().unwrap_or(Value::Null))).collect()
}

/// One object, after its `@odata.context`.
pub(crate) fn entity(ctx: &Context<'_>, what: &str, object: Value) -> Response {
    let mut annotated = json!({ "@odata.context": ctx.metadata(what) });
    if let (Value::Object(properties), Value::Object(own)) = (&mut annotated, object) {
        properties.extend(own);
    }
    Response::value(&annotated)
}
