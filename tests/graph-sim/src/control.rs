//! The control API: the methods of the handle over HTTP and JSON, for users and for tests in other languages.

use std::{convert::Infallible, io, net::TcpListener, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, Response, StatusCode, body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    Block, ChangeError, DeltaSupport, GraphSim, Limits, MemberKind, Membership, MessageRef, MessageTruth, Post, Switches, Tenant, Time,
};

/// Serves the control API on `listener`. Must run inside a tokio runtime.
pub async fn serve(sim: Arc<GraphSim>, listener: TcpListener) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        let sim = sim.clone();
        let service = service_fn(move |request| {
            let sim = sim.clone();
            async move { Ok::<_, Infallible>(respond(&sim, request).await) }
        });
        tokio::spawn(async move { Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await });
    }
}

async fn respond(sim: &GraphSim, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, 64 << 20).collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let (status, body) = match handle(sim, parts.method.as_str(), parts.uri.path(), &body) {
        Ok(body) => (StatusCode::OK, body),
        Err(refusal) => (StatusCode::BAD_REQUEST, json!({ "error": refusal }).to_string().into_bytes()),
    };
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    response
}

/// Handles one request. The error says why the request is invalid.
pub fn handle(sim: &GraphSim, method: &str, path: &str, body: &[u8]) -> Result<Vec<u8>, String> {
    let value = match (method, path) {
        ("GET", "/truth") => return truth(sim),
        ("GET", "/journal") => serde_json::to_value(sim.journal()).map_err(describe)?,
        ("GET", "/config") => sim.config(),
        ("GET", "/tree") => sim.read_tenant(tree),
        ("GET", "/switches") => serde_json::to_value(sim.read_tenant(|tenant| tenant.switches.clone())).map_err(describe)?,
        ("GET", "/clock") => clock(sim),
        ("POST", "/switches") => set_switches(sim, parse(body)?)?,
        ("POST", "/clock") => set_clock(sim, &parse(body)?)?,
        ("POST", "/changes") => change(sim, parse(body)?)?,
        _ => {
            command(sim, method, path, body)?;
            json!({})
        }
    };
    Ok(value.to_string().into_bytes())
}

/// Handles requests whose response is empty.
fn command(sim: &GraphSim, method: &str, path: &str, body: &[u8]) -> Result<(), String> {
    match (method, path) {
        ("DELETE", "/journal") => sim.clear_journal(),
        ("POST", "/faults") => sim.inject(parse(body)?),
        ("DELETE", "/faults") => sim.clear_faults(),
        ("POST", "/limits") => sim.limits(parse::<Option<Limits>>(body)?),
        ("POST", "/latency") => sim.latency(parse(body)?),
        ("POST", "/tokens/expire") => sim.expire_tokens(),
        ("POST", "/roles") => {
            let roles: Vec<String> = parse(body)?;
            sim.set_roles(&roles.iter().map(String::as_str).collect::<Vec<_>>());
        }
        _ => return Err(format!("unknown request {method} {path}; see the README.md of graph-sim for all requests")),
    }
    Ok(())
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    serde_json::from_slice(body).map_err(describe)
}

fn describe(error: impl ToString) -> String {
    error.to_string()
}

/// The whole tenant. Messages are copied byte for byte, even those that are not valid JSON.
fn truth(sim: &GraphSim) -> Result<Vec<u8>, String> {
    let truth = sim.truth();
    let pairs = |table: std::collections::BTreeMap<(String, String), Value>| -> Vec<Value> {
        table.into_iter().map(|((team, id), value)| json!({ "team": team, "id": id, "value": value })).collect()
    };
    let channel_members = truth.channel_members.into_iter();
    let channel_members: Vec<Value> =
        channel_members.map(|((team, channel, id), value)| json!({ "team": team, "channel": channel, "id": id, "value": value })).collect();
    let rest = json!({
        "groups": truth.groups, "teams": truth.teams, "channels": pairs(truth.channels), "members": pairs(truth.members),
        "channel_members": channel_members, "device_usage": truth.device_usage,
    });
    let mut out = rest.to_string().into_bytes();
    out.pop();
    for (name, table) in [("messages", truth.messages), ("replies", truth.replies)] {
        let items: Vec<String> = table.into_values().map(|message| message_json(&message)).collect();
        out.extend_from_slice(format!(",\"{name}\":[{}]", items.join(",")).as_bytes());
    }
    out.push(b'}');
    Ok(out)
}

fn message_json(message: &MessageTruth) -> String {
    let MessageTruth { team, channel, root, id, json } = message;
    format!(r#"{{"team":"{team}","channel":"{channel}","root":{root},"id":{id},"value":{json}}}"#)
}

/// Teams and channels with their ids and sizes. `long_threads` has the reply counts of threads whose replies are not all inlined.
fn tree(tenant: &Tenant) -> Value {
    let channel = |channel: &crate::Channel| {
        let long: Vec<usize> = channel.reply_counts().filter(|replies| *replies > tenant.switches.inline_replies).collect();
        json!({
            "id": channel.id, "displayName": channel.display_name,
            "roots": channel.root_count(), "replies": channel.reply_counts().sum::<usize>(), "long_threads": long,
        })
    };
    let teams = tenant.teams().map(
        |team| json!({ "id": team.id, "displayName": team.display_name, "channels": team.channels().map(channel).collect::<Vec<_>>() }),
    );
    teams.collect()
}

/// Sets the switches in `changes`; the others keep their values.
fn set_switches(sim: &GraphSim, changes: Value) -> Result<Value, String> {
    let mut all = serde_json::to_value(sim.read_tenant(|tenant| tenant.switches.clone())).map_err(describe)?;
    merge(&mut all, changes);
    let switches: Switches = serde_json::from_value(all.clone()).map_err(describe)?;
    sim.switches(|current| *current = switches);
    Ok(all)
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            from.into_iter().for_each(|(name, value)| merge(into.entry(name).or_insert(Value::Null), value))
        }
        (into, from) => *into = from,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockChange {
    set: Option<String>,
    /// In seconds.
    advance: Option<f64>,
    speed: Option<f64>,
}

fn set_clock(sim: &GraphSim, change: &ClockChange) -> Result<Value, String> {
    if let Some(text) = &change.set {
        sim.clock().set(Time::parse(text).ok_or_else(|| format!("invalid time: {text}"))?);
    }
    if let Some(seconds) = change.advance {
        sim.clock().advance(Duration::try_from_secs_f64(seconds).map_err(describe)?);
    }
    if let Some(speed) = change.speed {
        sim.clock().set_speed(speed);
    }
    Ok(clock(sim))
}

fn clock(sim: &GraphSim) -> Value {
    json!({ "now": sim.clock().now().to_string(), "speed": sim.clock().speed() })
}

/// A change to the tenant, made at `time` or else at the time of the clock.
#[derive(Deserialize)]
struct TenantChange {
    time: Option<String>,
    #[serde(flatten)]
    operation: Operation,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Operation {
    Post {
        channel: String,
        #[serde(flatten)]
        content: Content,
    },
    Reply {
        message: MessageRef,
        #[serde(flatten)]
        content: Content,
    },
    Edit {
        message: MessageRef,
        text: String,
    },
    SetRaw {
        message: MessageRef,
        raw: Option<String>,
    },
    ReplaceRaw {
        message: MessageRef,
        raw: String,
    },
    React {
        message: MessageRef,
        kind: String,
    },
    Unreact {
        message: MessageRef,
    },
    Delete {
        message: MessageRef,
    },
    Undelete {
        message: MessageRef,
    },
    Remove {
        message: MessageRef,
    },
    PostCorpus {
        channel: String,
    },
    CreateTeam {
        name: String,
    },
    CreateGroupWithoutTeam {
        name: String,
    },
    RenameTeam {
        team: String,
        name: String,
    },
    DeleteTeam {
        team: String,
    },
    CreateChannel {
        team: String,
        name: String,
        #[serde(default)]
        membership: Membership,
    },
    RenameChannel {
        channel: String,
        name: String,
    },
    DeleteChannel {
        channel: String,
    },
    SetMembership {
        channel: String,
        membership: Membership,
    },
    AddMember {
        team: String,
        #[serde(default)]
        kind: MemberKind,
        #[serde(default)]
        roles: Vec<String>,
    },
    RemoveMember {
        team: String,
        member: String,
    },
    AddChannelMember {
        channel: String,
        #[serde(default)]
        roles: Vec<String>,
    },
    RemoveChannelMember {
        channel: String,
        member: String,
    },
    SetTeamProperty {
        team: String,
        name: String,
        value: Value,
    },
    SetChannelProperty {
        channel: String,
        name: String,
        value: Value,
    },
    BlockTeam {
        team: String,
        block: Option<Block>,
    },
    BlockChannel {
        channel: String,
        block: Option<Block>,
    },
    DeltaSupport {
        channel: String,
        support: DeltaSupport,
    },
    ExpireDelta {
        channel: Option<String>,
    },
    ExpireLinks,
}

#[derive(Deserialize)]
struct Content {
    text: Option<String>,
    html: Option<String>,
    raw: Option<String>,
    template: Option<String>,
    subject: Option<String>,
}

impl Content {
    /// Without content, the content is drawn from the seed.
    fn post(self) -> Post {
        let post = match (self.text, self.html, self.raw, self.template) {
            (Some(text), ..) => Post::text(text),
            (_, Some(html), ..) => Post::html(html),
            (_, _, Some(raw), _) => Post::raw(raw),
            (_, _, _, Some(template)) => Post::template(template),
            _ => Post::default(),
        };
        match self.subject {
            Some(subject) => post.subject(subject),
            None => post,
        }
    }
}

fn change(sim: &GraphSim, change: TenantChange) -> Result<Value, String> {
    let time = change.time.map(|text| Time::parse(&text).ok_or_else(|| format!("invalid time: {text}"))).transpose()?;
    let result = sim.with_tenant(|tenant| match time {
        Some(time) => tenant.at(time, |tenant| change.operation.apply(tenant)),
        None => change.operation.apply(tenant),
    });
    result.map_err(describe)
}

impl Operation {
    fn apply(self, tenant: &mut Tenant) -> Result<Value, ChangeError> {
        let message = |at: MessageRef| json!({ "message": at });
        let id = |id: String| json!({ "id": id });
        let done = |()| json!({});
        match self {
            Operation::Post { channel, content } => tenant.post(&channel, content.post()).map(message),
            Operation::Reply { message: at, content } => tenant.reply(&at, content.post()).map(message),
            Operation::Edit { message, text } => tenant.edit(&message, &text).map(done),
            Operation::SetRaw { message, raw } => tenant.set_raw(&message, raw.as_deref()).map(done),
            Operation::ReplaceRaw { message, raw } => tenant.replace_raw(&message, raw).map(done),
            Operation::React { message, kind } => tenant.react(&message, &kind).map(done),
            Operation::Unreact { message } => tenant.unreact(&message).map(done),
            Operation::Delete { message } => tenant.delete(&message).map(done),
            Operation::Undelete { message } => tenant.undelete(&message).map(done),
            Operation::Remove { message } => tenant.remove(&message).map(done),
            Operation::PostCorpus { channel } => tenant
                .post_corpus(&channel)
                .map(|posted| posted.into_iter().map(|(name, at)| json!({ "name": name, "message": at })).collect()),
            Operation::CreateTeam { name } => Ok(id(tenant.create_team(&name))),
            Operation::CreateGroupWithoutTeam { name } => Ok(id(tenant.create_group_without_team(&name))),
            Operation::RenameTeam { team, name } => tenant.rename_team(&team, &name).map(done),
            Operation::DeleteTeam { team } => tenant.delete_team(&team).map(done),
            Operation::CreateChannel { team, name, membership } => tenant.create_channel(&team, &name, membership).map(id),
            Operation::RenameChannel { channel, name } => tenant.rename_channel(&channel, &name).map(done),
            Operation::DeleteChannel { channel } => tenant.delete_channel(&channel).map(done),
            Operation::SetMembership { channel, membership } => tenant.set_membership(&channel, membership).map(done),
            Operation::AddMember { team, kind, roles } => {
                tenant.add_member(&team, kind, &roles.iter().map(String::as_str).collect::<Vec<_>>()).map(id)
            }
            Operation::RemoveMember { team, member } => tenant.remove_member(&team, &member).map(done),
            Operation::AddChannelMember { channel, roles } => {
                tenant.add_channel_member(&channel, &roles.iter().map(String::as_str).collect::<Vec<_>>()).map(id)
            }
            Operation::RemoveChannelMember { channel, member } => tenant.remove_channel_member(&channel, &member).map(done),
            Operation::SetTeamProperty { team, name, value } => tenant.set_team_property(&team, &name, value).map(done),
            Operation::SetChannelProperty { channel, name, value } => tenant.set_channel_property(&channel, &name, value).map(done),
            Operation::BlockTeam { team, block } => tenant.block_team(&team, block).map(done),
            Operation::BlockChannel { channel, block } => tenant.block_channel(&channel, block).map(done),
            Operation::DeltaSupport { channel, support } => tenant.set_delta_support(&channel, support).map(done),
            Operation::ExpireDelta { channel: Some(channel) } => tenant.expire_delta(&channel).map(done),
            Operation::ExpireDelta { channel: None } => {
                tenant.expire_all_delta();
                Ok(json!({}))
            }
            Operation::ExpireLinks => {
                tenant.expire_links();
                Ok(json!({}))
            }
        }
    }
}
