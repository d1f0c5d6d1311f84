//! The token endpoint, tokens and permissions.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use graph_sim::{Class, Fault, GraphSim, Options, Rule, TenantSpec};
use serde_json::{Value, json};

use crate::client::{Sim, form, new_token, request_token, send};

fn sim() -> GraphSim {
    GraphSim::start(Options::new(TenantSpec::uniform(1, 1, 3)).manual_clock()).unwrap()
}

/// graph.md 1.3: also, the response must not be cached.
#[test]
fn a_token_response_has_the_documented_fields() {
    let sim = sim();
    let reply = request_token(&sim, &sim.credentials().tenant_id, &form(&sim));
    let body = reply.json();
    assert_eq!((&body["token_type"], &body["expires_in"], &body["ext_expires_in"]), (&json!("Bearer"), &json!(3599), &json!(3599)));
    assert_eq!(reply.header("cache-control"), "no-store, no-cache");
    // A verified domain is accepted instead of the tenant id (graph.md 1.2).
    assert_eq!(request_token(&sim, "contoso.example", &form(&sim)).status, 200);
}

/// graph.md 1.4
#[test]
fn invalid_requests_return_their_aadsts_code() {
    let sim = sim();
    let tenant = sim.credentials().tenant_id.clone();
    let form = form(&sim);
    let without = |name: &str| form.split('&').filter(|pair| !pair.starts_with(name)).collect::<Vec<_>>().join("&");
    let with = |name: &str, value: &str| format!("{}&{name}={value}", without(name));
    let other = "00000000-0000-4000-8000-000000000000";
    for (tenant, form, status, code, error) in [
        (tenant.as_str(), with("client_secret", "wrong"), 401, 7_000_215, "invalid_client"),
        (&tenant, with("client_id", other), 400, 700_016, "unauthorized_client"),
        (other, form.clone(), 400, 90002, "invalid_request"),
        ("nonsense", form.clone(), 400, 900_023, "invalid_request"),
        (&tenant, without("client_secret"), 401, 7_000_218, "invalid_client"),
        (&tenant, without("scope"), 400, 900_144, "invalid_request"),
        (&tenant, with("scope", "https://graph.microsoft.com/User.Read"), 400, 70011, "invalid_scope"),
        (&tenant, with("scope", "https://vault.example/.default"), 400, 500_011, "invalid_resource"),
        (&tenant, with("grant_type", "password"), 400, 70003, "unsupported_grant_type"),
    ] {
        let reply = request_token(&sim, tenant, &form);
        let body = reply.json();
        assert_eq!((reply.status, &body["error_codes"], &body["error"]), (status, &json!([code]), &json!(error)));
        let text = body["error_description"].as_str().unwrap();
        assert!(text.starts_with(&format!("AADSTS{code}: ")) && text.contains("\r\nTrace ID: "), "{text}");
    }
}

/// graph.md 1.4: errors that no request causes, including a throttled endpoint, whose `Retry-After` is unknown (open point 9).
#[test]
fn aadsts_errors_can_be_injected() {
    let sim = sim();
    for (code, status) in [(7_000_222, 401), (53003, 400), (90055, 429), (90033, 503)] {
        sim.inject(Rule::new(Fault::Aadsts(code)).class(Class::Token).times(1));
        let reply = request_token(&sim, &sim.credentials().tenant_id, &form(&sim));
        assert_eq!((reply.status, &reply.json()["error_codes"]), (status, &json!([code])));
        assert_eq!(reply.header("retry-after"), "");
    }
    assert_eq!(request_token(&sim, &sim.credentials().tenant_id, &form(&sim)).status, 200);
}

/// graph.md 1.3: the claim is absent if there are no roles. A token need not be a JWT.
#[test]
fn a_token_keeps_the_roles_that_it_was_issued_with() {
    let sim = Sim::new(TenantSpec::uniform(1, 1, 3));
    let claims = |token: &str| -> Value {
        let encoded = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap()
    };
    assert_eq!(claims(&sim.token)["roles"].as_array().unwrap().len(), 8);
    sim.set_roles(&[]);
    assert_eq!(sim.get("/v1.0/groups").status, 200, "the old token keeps its roles");
    let bare = new_token(&sim);
    assert!(claims(&bare).get("roles").is_none());
    sim.switches(|switches| switches.opaque_tokens = true);
    assert!(!new_token(&sim).contains('.'));
}

/// graph.md 5.2: 403 with the message of the Teams back end or of the directory.
#[test]
fn missing_permissions_are_named() {
    let options = Options::new(TenantSpec::uniform(1, 1, 3)).manual_clock().roles(&["Team.ReadBasic.All"]);
    let sim = Sim::with(options);
    let team = sim.read_tenant(|tenant| tenant.team_ids()[0].clone());
    let reply = sim.get(&format!("/v1.0/teams/{team}/members"));
    let message = "Missing role permissions on the request. API requires one of 'TeamMember.Read.All, TeamMember.ReadWrite.All'. \
                   Roles on the request 'Team.ReadBasic.All'. Resource specific consent grants on the request ''.";
    assert_eq!((reply.status, reply.error()), (403, ("Forbidden".to_owned(), message.to_owned())));
    let reply = sim.get("/v1.0/groups");
    assert_eq!((reply.status, reply.error().0.as_str()), (403, "Authorization_RequestDenied"));
    assert_eq!(sim.get(&format!("/v1.0/teams/{team}")).status, 200);
}

/// graph.md 1.3, 5.2: missing and malformed tokens have their own messages.
#[test]
fn tokens_expire() {
    let mut sim = Sim::new(TenantSpec::uniform(1, 1, 3));
    let expired = "CompactToken validation failed with reason code: 80049228.";
    sim.clock().advance(Duration::from_secs(3598));
    assert_eq!(sim.get("/v1.0/groups").status, 200);
    sim.clock().advance(Duration::from_secs(1));
    assert_eq!(sim.get("/v1.0/groups").error(), ("InvalidAuthenticationToken".to_owned(), expired.to_owned()));
    sim.token = new_token(&sim);
    assert_eq!(sim.get("/v1.0/groups").status, 200);
    sim.expire_tokens();
    assert_eq!(sim.get("/v1.0/groups").error().1, expired);
    sim.token = "nonsense".to_owned();
    assert_eq!(sim.get("/v1.0/groups").error().1, "CompactToken parsing failed with error code: 80049217");
    let bare = send("GET", &format!("{}/v1.0/groups", sim.graph_url()), &[], "").unwrap();
    assert_eq!((bare.status, bare.error().1.as_str()), (401, "Access token is empty."));
}

#[test]
fn the_journal_shows_which_host_received_a_token() {
    let sim = Sim::new(TenantSpec::uniform(1, 1, 3));
    sim.get_with(&format!("{}/v1.0/groups", sim.foreign_url()), &[]).unwrap();
    let journal = sim.journal();
    let hosts: Vec<_> = journal.entries().map(|entry| (entry.host, entry.authorized)).collect();
    assert_eq!(hosts, [(graph_sim::Host::Login, false), (graph_sim::Host::Foreign, true)]);
}
