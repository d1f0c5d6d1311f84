//! A minimal HTTP client, and a simulator to send requests to.

use std::sync::LazyLock;

use bytes::Bytes;
use graph_sim::{GraphSim, Options, TenantSpec};
use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Request};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;
use tokio::runtime::Runtime;

pub(crate) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static CLIENT: LazyLock<Client<HttpConnector, Full<Bytes>>> = LazyLock::new(|| {
    let _guard = RUNTIME.enter();
    Client::builder(TokioExecutor::new()).pool_max_idle_per_host(2).build_http()
});

/// A response.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// `code` and `message` of an error.
    pub(crate) fn error(&self) -> (String, String) {
        let error = &self.json()["error"];
        (error["code"].as_str().unwrap().to_owned(), error["message"].as_str().unwrap().to_owned())
    }
}

/// Sends one request. The error is the text of the transport error.
pub(crate) fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Result<Reply, String> {
    let builder = headers.iter().fold(Request::builder().method(method).uri(url), |builder, (name, value)| builder.header(*name, *value));
    let request = builder.body(Full::new(Bytes::from(body.to_owned()))).unwrap();
    RUNTIME.block_on(async {
        let response = CLIENT.request(request).await.map_err(|error| format!("{error:?}"))?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| format!("{error:?}"))?.to_bytes().to_vec();
        Ok(Reply { status: parts.status.as_u16(), headers: parts.headers, body })
    })
}

/// A simulator and a token for it.
pub(crate) struct Sim {
    pub(crate) sim: GraphSim,
    pub(crate) token: String,
}

impl std::ops::Deref for Sim {
    type Target = GraphSim;

    fn deref(&self) -> &GraphSim {
        &self.sim
    }
}

impl Sim {
    pub(crate) fn new(spec: TenantSpec) -> Sim {
        Sim::with(Options::new(spec).manual_clock())
    }

    pub(crate) fn with(options: Options) -> Sim {
        let sim = GraphSim::start(options).unwrap();
        let token = new_token(&sim);
        Sim { sim, token }
    }

    /// A tenant of one team with an empty General channel. Returns the ids of the team and the channel.
    pub(crate) fn one_channel() -> (Sim, String, String) {
        let sim = Sim::new(TenantSpec::empty());
        let team = sim.with_tenant(|tenant| tenant.create_team("Team"));
        let channel = sim.read_tenant(|tenant| tenant.channel_ids(&team)[0].clone());
        (sim, team, channel)
    }

    /// The path of a channel.
    pub(crate) fn path(&self, team: &str, channel: &str, rest: &str) -> String {
        format!("/v1.0/teams/{team}/channels/{channel}{rest}")
    }

    /// Requests a path or a whole URL with the token and `Prefer`.
    pub(crate) fn get(&self, path: &str) -> Reply {
        self.try_get(path).unwrap()
    }

    pub(crate) fn try_get(&self, path: &str) -> Result<Reply, String> {
        self.get_with(path, &[("Prefer", "include-unknown-enum-members")])
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Result<Reply, String> {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.graph_url()) };
        let authorization = format!("Bearer {}", self.token);
        let headers: Vec<(&str, &str)> = headers.iter().copied().chain([("Authorization", authorization.as_str())]).collect();
        send("GET", &url, &headers, "")
    }

    /// All items of a list and the number of its pages.
    pub(crate) fn all(&self, path: &str) -> (Vec<Value>, usize) {
        let (mut items, mut pages, mut next) = (Vec::new(), 0, path.to_owned());
        loop {
            let page = self.get(&next);
            assert_eq!(page.status, 200, "{}", page.text());
            let page = page.json();
            items.extend(page["value"].as_array().unwrap().iter().cloned());
            pages += 1;
            match page["@odata.nextLink"].as_str() {
                Some(link) => next = link.to_owned(),
                None => return (items, pages),
            }
        }
    }
}

pub(crate) fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().map(|item| item["id"].as_str().unwrap()).collect()
}

/// The form of a token request.
pub(crate) fn form(sim: &GraphSim) -> String {
    let credentials = sim.credentials();
    let secret: String = credentials.client_secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!(
        "grant_type=client_credentials&client_id={}&client_secret={secret}&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default",
        credentials.client_id
    )
}

pub(crate) fn request_token(sim: &GraphSim, tenant: &str, form: &str) -> Reply {
    let url = format!("{}/{tenant}/oauth2/v2.0/token", sim.login_url());
    send("POST", &url, &[("Content-Type", "application/x-www-form-urlencoded")], form).unwrap()
}

pub(crate) fn new_token(sim: &GraphSim) -> String {
    let reply = request_token(sim, &sim.credentials().tenant_id, &form(sim));
    reply.json()["access_token"].as_str().unwrap_or_else(|| panic!("no token: {}", reply.text())).to_owned()
}
