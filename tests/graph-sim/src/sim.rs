//! `GraphSim`: the handle of a running simulator, with everything that a test can do while it serves.

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
    journal::{Class, Host, Journal, RequestInfo},
    limits::{Limiter, Limits},
    options::{Credentials, Latency, Options, Tls},
    server::{Security, Shared, Tokens, listen, lock},
    switches::Switches,
    tenant::{MessageTruth, Tenant, Truth},
};

/// Serves Microsoft Graph with one tenant on ports of 127.0.0.1 until it is dropped.
pub struct GraphSim {
    shared: Arc<Shared>,
    login_url: String,
    foreign_url: String,
    ca_pem: Option<String>,
    runtime: Option<Runtime>,
}

impl GraphSim {
    /// Generates the tenant and starts to serve. The caller needs no async runtime.
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
        let guard = runtime.enter();
        for (listener, host) in [(graph, Host::Graph), (login, Host::Login), (foreign, Host::Foreign)] {
            listen(listener, host, shared.clone(), security.clone())?;
        }
        drop(guard);
        Ok(GraphSim { shared, login_url, foreign_url, ca_pem, runtime: Some(runtime) })
    }

    /// Scheme, host and port of Graph. Paths start with `/v1.0`.
    pub fn graph_url(&self) -> &str {
        &self.shared.graph_url
    }

    pub fn login_url(&self) -> &str {
        &self.login_url
    }

    /// A host that is neither Graph nor the sign-in service, for links that lead away from Graph.
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

    /// The certificate of the throwaway CA; none with [`Tls::Off`].
    pub fn ca_pem(&self) -> Option<&str> {
        self.ca_pem.as_deref()
    }

    /// Changes the tenant. No request is handled meanwhile.
    pub fn with_tenant<R>(&self, change: impl FnOnce(&mut Tenant) -> R) -> R {
        change(&mut self.shared.tenant_mut())
    }

    /// Reads the tenant while requests are being handled.
    pub fn read_tenant<R>(&self, read: impl FnOnce(&Tenant) -> R) -> R {
        read(&self.shared.tenant())
    }

    /// The whole tenant as Graph would return it now; for small tenants.
    pub fn truth(&self) -> Truth {
        self.shared.tenant().truth()
    }

    /// Visits every message and reply, one at a time.
    pub fn visit_messages(&self, visit: impl FnMut(MessageTruth<&[u8]>)) {
        self.shared.tenant().visit_messages(visit);
    }

    pub fn switches(&self, set: impl FnOnce(&mut Switches)) {
        set(&mut self.shared.tenant_mut().switches);
    }

    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Starts to enforce limits, or stops with `None`.
    pub fn limits(&self, limits: impl Into<Option<Limits>>) {
        lock(&self.shared.limiter).set(limits.into());
    }

    pub fn latency(&self, latency: Latency) {
        lock(&self.shared.latency).0 = latency;
    }

    /// Adds a fault. The first rule that matches a request applies.
    pub fn inject(&self, rule: Rule) {
        lock(&self.shared.faults).add(rule);
    }

    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
    }

    /// The number of requests that a rule was applied to.
    pub fn faults_applied(&self) -> u64 {
        lock(&self.shared.faults).applied()
    }

    /// Calls `hook` before the response to each Graph request is generated. The response reflects the hook's changes to the tenant, and a
    /// fault that it returns applies to that request. The hook must not call this handle.
    pub fn on_request(&self, hook: impl FnMut(&RequestInfo, &mut Tenant) -> Option<Fault> + Send + 'static) {
        *lock(&self.shared.hook) = Some(Box::new(hook));
        self.shared.hooked.store(true, Ordering::SeqCst);
    }

    pub fn clear_hook(&self) {
        self.shared.hooked.store(false, Ordering::SeqCst);
        *lock(&self.shared.hook) = None;
    }

    /// A copy of the journal.
    pub fn journal(&self) -> Journal {
        lock(&self.shared.journal).clone()
    }

    /// The number of requests of a class so far.
    pub fn count(&self, class: Class) -> u64 {
        lock(&self.shared.journal).count(class)
    }

    /// Clears the entries and counts of the journal.
    pub fn clear_journal(&self) {
        lock(&self.shared.journal).clear();
    }

    /// Requests with a token that was issued so far return 401 from now on.
    pub fn expire_tokens(&self) {
        lock(&self.shared.tokens).expire();
    }

    /// Sets the application permissions of new tokens. Issued tokens keep theirs (graph.md 1.3).
    pub fn set_roles(&self, roles: &[&str]) {
        lock(&self.shared.tokens).roles = roles.iter().map(|&role| role.to_owned()).collect();
    }
}

impl Drop for GraphSim {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Does not block, so that a simulator can be dropped inside another runtime.
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
