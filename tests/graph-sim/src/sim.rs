//! `GraphSim`: the running simulator, and all that a test can do with it while it serves.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    sync::{Arc, Mutex, RwLock, atomic::AtomicBool, atomic::Ordering},
    time::Instant,
};

use fastrand::Rng;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::{
    clock::Clock,
    encode::guid,
    faults::{Fault, Faults, Rule},
    journal::{Class, Door, Journal, RequestInfo},
    limits::{Limiter, Limits},
    options::{Credentials, Latency, Options, Tls},
    server::{Security, Shared, Tokens, listen, lock},
    switches::Switches,
    tenant::{MessageTruth, Tenant, Truth},
};

/// A Microsoft Graph with one tenant, on ports of 127.0.0.1, until it is dropped.
pub struct GraphSim {
    shared: Arc<Shared>,
    login_url: String,
    foreign_url: String,
    ca_pem: Option<String>,
    runtime: Option<Runtime>,
}

impl GraphSim {
    /// Makes the tenant and begins to serve; needs no runtime around it.
    pub fn start(options: Options) -> io::Result<GraphSim> {
        let (security, ca_pem) = security(options.tls)?;
        let scheme = if options.tls == Tls::Off { "http" } else { "https" };
        let (graph, graph_url) = bind(scheme, options.graph_port)?;
        let (login, login_url) = bind(scheme, options.login_port)?;
        let (foreign, foreign_url) = bind(scheme, 0)?;

        let clock = Arc::new(Clock::new(options.start, options.clock_speed));
        let mut tenant = options.tenant.build(clock.clone(), options.start);
        tenant.switches = options.switches;
        let seed = options.tenant.seed;
        let credentials = Credentials {
            tenant_id: tenant.id().to_owned(),
            domain: "contoso.example".to_owned(),
            client_id: guid(seed, 0x00c1_1e47).to_string(),
            client_secret: options.client_secret,
        };
        let mut limiter = Limiter::default();
        limiter.set(options.limits);
        let shared = Arc::new(Shared {
            tenant: RwLock::new(tenant),
            clock,
            journal: Mutex::new(Journal::new(options.journal_entries)),
            faults: Mutex::new(Faults::new(seed)),
            limiter: Mutex::new(limiter),
            tokens: Mutex::new(Tokens::new(options.roles)),
            latency: Mutex::new((options.latency, Rng::with_seed(seed ^ 0x1a7e))),
            hook: Mutex::new(None),
            hooked: AtomicBool::new(false),
            credentials,
            graph_url,
            gzip: options.gzip,
            seed,
            started: Instant::now(),
        });

        let runtime = Builder::new_multi_thread().worker_threads(options.workers.max(1)).thread_name("graph-sim").enable_all().build()?;
        let within = runtime.enter();
        for (listener, door) in [(graph, Door::Graph), (login, Door::Login), (foreign, Door::Foreign)] {
            listen(listener, door, shared.clone(), security.clone())?;
        }
        drop(within);
        Ok(GraphSim { shared, login_url, foreign_url, ca_pem, runtime: Some(runtime) })
    }

    /// Scheme, host and port of Graph; paths begin with `/v1.0`.
    pub fn graph_url(&self) -> &str {
        &self.shared.graph_url
    }

    pub fn login_url(&self) -> &str {
        &self.login_url
    }

    /// A host that is neither Graph nor the login host, for links that lead astray.
    pub fn foreign_url(&self) -> &str {
        &self.foreign_url
    }

    pub fn credentials(&self) -> &Credentials {
        &self.shared.credentials
    }

    /// `{tenant_id, client_id, client_secret, graph_url, login_url}`.
    pub fn config(&self) -> Value {
        let Credentials { tenant_id, client_id, client_secret, .. } = self.credentials();
        json!({
            "tenant_id": tenant_id, "client_id": client_id, "client_secret": client_secret,
            "graph_url": self.graph_url(), "login_url": self.login_url(),
        })
    }

    /// A complete configuration that reads the whole tenant and does not wait for Graph's limits.
    pub fn config_for_everything(&self) -> Value {
        let mut config = self.config();
        for name in ["fetch_all_teams", "fetch_all_channels", "fetch_all_messages"] {
            config[name] = json!(true);
        }
        config["pace"] = json!(0);
        config
    }

    /// The certificate of the throwaway CA, unless it is [`Tls::Off`].
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// The tenant to oneself: to read it and to change it.
    pub fn with_tenant<R>(&self, act: impl FnOnce(&mut Tenant) -> R) -> R {
        act(&mut self.shared.tenant_mut())
    }

    /// The tenant beside the requests that are being answered.
    pub fn read_tenant<R>(&self, look: impl FnOnce(&Tenant) -> R) -> R {
        look(&self.shared.tenant())
    }

    /// Everything that is true, for small tenants.
    pub fn truth(&self) -> Truth {
        self.shared.tenant().truth()
    }

    /// Every message and reply, one at a time.
    pub fn visit_messages(&self, visit: impl FnMut(MessageTruth<&[u8]>)) {
        self.shared.tenant().visit_messages(visit);
    }

    pub fn switches(&self, set: impl FnOnce(&mut Switches)) {
        set(&mut self.shared.tenant_mut().switches);
    }

    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Enforces limits from now on, or no longer.
    pub fn limits(&self, limits: impl Into<Option<Limits>>) {
        lock(&self.shared.limiter).set(limits.into());
    }

    pub fn latency(&self, latency: Latency) {
        lock(&self.shared.latency).0 = latency;
    }

    /// Orders a fault. Rules are tried in the order they were given.
    pub fn inject(&self, rule: Rule) {
        lock(&self.shared.faults).add(rule);
    }

    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
    }

    /// How many requests a rule befell.
    pub fn faults_applied(&self) -> u64 {
        lock(&self.shared.faults).applied()
    }

    /// Calls `hook` before each request to Graph is answered: what it changes, that very answer shows, and what fault it
    /// returns befalls that request. It has the tenant to itself and must not call this handle.
    pub fn on_request(&self, hook: impl FnMut(&RequestInfo, &mut Tenant) -> Option<Fault> + Send + 'static) {
        *lock(&self.shared.hook) = Some(Box::new(hook));
        self.shared.hooked.store(true, Ordering::SeqCst);
    }

    pub fn clear_hook(&self) {
        self.shared.hooked.store(false, Ordering::SeqCst);
        *lock(&self.shared.hook) = None;
    }

    /// A copy of what was asked so far.
    pub fn journal(&self) -> Journal {
        lock(&self.shared.journal).clone()
    }

    /// Requests of a class so far.
    pub fn count(&self, class: Class) -> u64 {
        lock(&self.shared.journal).count(class)
    }

    /// Forgets what was asked; counts begin at 0.
    pub fn clear_journal(&self) {
        lock(&self.shared.journal).clear();
    }

    /// Every token given so far gets 401 from now on.
    pub fn expire_tokens(&self) {
        lock(&self.shared.tokens).expire();
    }

    /// The application permissions of tokens yet to be given (graph.md 1.3: issued ones keep theirs).
    pub fn set_roles(&self, roles: &[&str]) {
        lock(&self.shared.tokens).roles = roles.iter().map(|&role| role.to_owned()).collect();
    }
}

impl Drop for GraphSim {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Does not wait, so that a simulator may be dropped within another runtime.
            runtime.shutdown_background();
        }
    }
}

impl std::fmt::Debug for GraphSim {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("GraphSim").field("graph_url", &self.graph_url()).field("login_url", &self.login_url).finish_non_exhaustive()
    }
}

fn bind(scheme: &str, port: u16) -> io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let url = format!("{scheme}://{}", listener.local_addr()?);
    Ok((listener, url))
}

#[cfg(feature = "tls")]
fn security(tls: Tls) -> io::Result<(Security, Option<String>)> {
    if tls == Tls::Off {
        return Ok((Security::Plain, None));
    }
    let authority = crate::server::Authority::new(tls)?;
    Ok((Security::Tls(authority.acceptor), Some(authority.ca_pem)))
}

#[cfg(not(feature = "tls"))]
fn security(tls: Tls) -> io::Result<(Security, Option<String>)> {
    match tls {
        Tls::Off => Ok((Security::Plain, None)),
        Tls::On | Tls::Expired | Tls::OtherName => {
            Err(io::Error::new(io::ErrorKind::Unsupported, "graph-sim was built without its feature `tls`"))
        }
    }
}
