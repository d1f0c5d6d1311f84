//! Hints that tell users what to do about a failed request or sign-in.

use std::time::Duration;

use crate::graph::{self, Cause, MAX_WAIT, Mixup};

/// The hint for a failed request that [`RefusalReason`](super::RefusalReason) does not explain.
pub(super) fn for_request(error: &graph::Error) -> Option<String> {
    if let Cause::SignIn(failure) = &error.cause
        && let Some(hint) = for_sign_in(failure)
    {
        return Some(hint);
    }
    if let Some(wait) = error.long_wait() {
        return Some(for_long_wait(wait));
    }
    match &error.cause {
        Cause::TooLarge(_) => Some("raise `max_page_mb`, or set `top` to a smaller page size".to_owned()),
        Cause::Transport(text) => for_transport(text).map(str::to_owned),
        Cause::ErrorStatus(_) if error.is_later_page_refusal() => Some(LATER_PAGE.to_owned()),
        Cause::ErrorStatus(response) if error.is_outage() => Some(for_outage(response.status).to_owned()),
        Cause::ErrorStatus(response) if !error.is_transient() => for_status(response.status, &error.request),
        _ => None,
    }
}

const LATER_PAGE: &str = "Graph returned the pages before this one, so the id and the permission are right: run again; if the error persists, \
    Microsoft support can look up the request-id";

/// Whether a request always fails for this team or channel, while requests for others may succeed.
pub(super) fn is_specific_to_parent(error: &graph::Error) -> bool {
    match &error.cause {
        // Other statuses affect all teams and channels (sign-in, licences, permissions, proxies), and teams or channels that do not exist are skipped anyway.
        Cause::ErrorStatus(_) if error.is_later_page_refusal() => true,
        Cause::ErrorStatus(response) => !error.is_transient() && matches!(response.status, 400 | 405 | 406 | 410 | 411 | 413..=499),
        Cause::TooLarge(_) | Cause::ForeignLink(_) | Cause::EndlessPaging(_) => true,
        Cause::SignIn(_) | Cause::Transport(_) | Cause::Malformed(_) | Cause::RateLimited(_) => false,
    }
}

fn for_status(status: u16, request: &str) -> Option<String> {
    // Requests for the whole tenant contain no id.
    let has_ids = request.contains("/teams");
    let hint = match status {
        300..=303 | 305..=399 => "redirects are not followed, to protect the token: check `cloud`, `graph_url` and the proxy",
        400 if has_ids => "check the id; if it is right, please report this",
        401 => "Graph does not accept the token: check `cloud`, and that the application has admin consent",
        403 => return None,
        404 if has_ids => "check the id; the team or channel may have been deleted",
        407 | 511 => PROXY_LOGIN,
        412 => "Graph does not support this request with application permissions: please report it as a bug",
        _ => "check `cloud`, `graph_url` and the proxy; if they are right, please report this",
    };
    Some(hint.to_owned())
}

const PROXY_LOGIN: &str = "the proxy requires authentication: check HTTPS_PROXY";

fn for_outage(status: u16) -> &'static str {
    match status {
        404 => {
            "a service that Graph depends on had an outage: run again; if the error persists, check the id, because Graph returns the same error \
            for some deleted items"
        }
        _ => "a service that Graph depends on had an outage: run again; this is not a permission problem",
    }
}

fn for_long_wait(wait: Duration) -> String {
    let minutes = |time: Duration| time.as_secs().div_ceil(60);
    format!(
        "Graph told the connector to wait {} minutes, but a run waits at most {}: run again later; it resumes from its state",
        minutes(wait),
        minutes(MAX_WAIT)
    )
}

const UNREACHABLE: &str = "this machine cannot reach that host on port 443: check its network, its firewall and HTTPS_PROXY";

/// The hint for a failed connection, chosen by words in the message from the HTTP or TLS library.
fn for_transport(text: &str) -> Option<&'static str> {
    let hints = [
        ("dns error", "this machine cannot resolve the host name: check its network, and HTTPS_PROXY if there is a proxy"),
        ("expired", "check this machine's clock; if it is right, check for a proxy that intercepts TLS"),
        ("not valid yet", "check this machine's clock"),
        ("certificate", "if a proxy intercepts TLS, add its CA certificate to the file that SSL_CERT_FILE points to"),
        ("proxy", "check HTTPS_PROXY, and which hosts the proxy allows"),
        ("tunnel", "check HTTPS_PROXY, and which hosts the proxy allows"),
        ("no response within", UNREACHABLE),
        ("cannot connect", UNREACHABLE),
    ];
    // Host names are ignored, because they may contain words such as `proxy`.
    let message = text.split(' ').filter(|word| !word.contains("://")).collect::<Vec<_>>().join(" ");
    hints.into_iter().find(|(words, _)| message.contains(words)).map(|(_, hint)| hint)
}

/// The hint for a failed sign-in with a client secret (graph.md 1.4).
fn for_sign_in(failure: &graph::SignInFailure) -> Option<String> {
    let Some(status) = failure.status else { return for_transport(&failure.description).map(str::to_owned) };
    failure.codes.iter().find_map(|&code| for_code(code, failure)).or(for_sign_in_status(status).map(str::to_owned))
}

fn for_sign_in_status(status: u16) -> Option<&'static str> {
    match status {
        300..=303 | 305..=399 => Some("redirects are not followed, to protect the client secret: check `cloud`, `login_url` and the proxy"),
        403 | 404 => Some("this host is not the Microsoft sign-in service: check `cloud`, `login_url` and the proxy"),
        407 | 511 => Some(PROXY_LOGIN),
        _ => None,
    }
}

fn for_code(code: u64, failure: &graph::SignInFailure) -> Option<String> {
    let graph::Application { mixups, consent } = &*failure.application;
    match code {
        7_000_229 => Some(format!(
            "the application is not in this tenant: a tenant administrator can add it by granting consent at {consent}; if it was there \
            before, an administrator may have deleted it under Enterprise applications"
        )),
        _ => fixed_hint_for_code(code, mixups).map(str::to_owned),
    }
}

/// Codes about certificates and federated tokens. This program sends neither, but a proxy or gateway may.
const OTHER_CREDENTIALS: &[u64] = &[
    700_027, 700_024, 700_021, 700_023, 50_027, 5_002_723, 5_002_738, 5_002_741, 5_002_730, 1_000_502, 7_000_274, 7_000_214, 7_000_277,
    700_030, 50_012, 50_013, 50_032, 70_021, 700_211, 700_212, 700_213, 7_002_137, 7_002_138, 70_025, 700_222, 700_226, 7_002_206, 700_223,
    700_238, 7_000_272, 50_166, 90_061, 51_000, 392_200, 392_204, 500_181,
];

fn fixed_hint_for_code(code: u64, mixups: &[Mixup]) -> Option<&'static str> {
    let is = |mixup| mixups.contains(&mixup);
    Some(match code {
        7_000_215 if is(Mixup::SecretIsId) => {
            "`client_secret` is an ID, but must be the value of a secret: create a new one in the Entra admin center under App \
            registrations > Certificates & secrets, and copy its value"
        }
        7_000_215 => {
            "`client_secret` must be the value of a secret of this application, not its ID: create a new one in the Entra admin center \
            under App registrations > Certificates & secrets, and copy its value"
        }
        7_000_222 => {
            "the client secret has expired: create a new one in the Entra admin center under App registrations > Certificates & secrets, \
            and set `client_secret` to its value"
        }
        90_002 | 900_023 | 50_059 | 700_016 | 700_011 if is(Mixup::Swapped) => {
            "`tenant_id` and `client_id` are swapped: `client_id` is the Application (client) ID, which is never a domain"
        }
        90_002 | 900_023 | 50_059 | 700_016 | 700_011 if is(Mixup::SameIds) => {
            "`tenant_id` and `client_id` are the same: copy Directory (tenant) ID and Application (client) ID from the Overview page of the \
            app registration"
        }
        700_016 | 700_011 if is(Mixup::ClientIdIsNotAGuid) => {
            "`client_id` must be a GUID: copy the Application (client) ID from the Overview page of the app registration"
        }
        700_016 | 700_011 => {
            "the application does not exist in this tenant: compare `client_id` and `tenant_id` with the Application (client) ID and \
            Directory (tenant) ID on the Overview page of the app registration"
        }
        70_001 | 7_000_112 => {
            "the application is disabled or missing in this tenant: check `client_id`, and in the Entra admin center under Enterprise \
            applications > Properties set 'Enabled for users to sign-in' to 'Yes'"
        }
        90_002 | 900_023 | 50_059 => {
            "the tenant does not exist in this cloud: check `cloud`, and `tenant_id`, which is the Directory (tenant) ID of the app \
            registration or a domain of the tenant"
        }
        500_011 | 90_038 | 900_382 | 900_432 => {
            "the tenant is in another cloud: set `cloud` to `global`, `us_gov`, `us_gov_dod` or `china`"
        }
        53_003 => {
            "a Conditional Access policy blocks the application: an administrator can find it in the Entra admin center under Sign-in logs > \
            Service principal sign-ins, and can exclude the application"
        }
        7_000_216 | 7_000_218 => "Entra received no `client_secret`: check its value and the proxy",
        700_025 => {
            "a public client cannot have a client secret: in the Entra admin center under App registrations > Authentication, set 'Allow \
            public client flows' to 'No'"
        }
        7_000_232 => {
            "`client_id` is the id of a managed identity, which has no client secret: register an application, and use its ids and its secret"
        }
        5_000_224 | 5_000_225 => {
            "the tenant is blocked or was deleted: check `tenant_id`; if it is right, ask the tenant's administrator or Microsoft support"
        }
        code if OTHER_CREDENTIALS.contains(&code) => {
            "Microsoft Entra reports a problem with a certificate or federated token, but a client secret was sent: check `login_url` and \
            the proxy, or create a new client secret"
        }
        70_011 | 900_144 | 90_014 => "check `cloud`, `login_url` and the proxy; if they are right, please report this",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Error codes from Microsoft's documentation and from public issues, for each kind of application credential (graph.md 1.4).
    const CODES: &[u64] = &[
        // Secrets.
        7_000_215, 7_000_222, 7_000_216, 7_000_218, 7_000_229, 7_000_232, 700_025, 700_016, 700_011, 70_001, 7_000_112, 90_002, 900_023,
        50_059, 500_011, 90_038, 900_382, 900_432, 53_003, 5_000_224, 5_000_225, 70_011, 900_144, 90_014, // Certificates.
        700_027, 700_024, 700_021, 700_023, 50_027, 5_002_723, 5_002_738, 5_002_741, 5_002_730, 1_000_502, 7_000_274, 7_000_214, 7_000_277,
        700_030, 50_012, 50_013, 50_032, // Federated tokens.
        70_021, 700_211, 700_212, 700_213, 7_002_137, 7_002_138, 70_025, 700_222, 700_226, 7_002_206, 700_223, 700_238, 7_000_272, 50_166,
        90_061, 51_000,
    ];

    #[test]
    fn a_host_name_does_not_affect_the_hint() {
        for host in ["https://proxy.example", "https://expired-certificate.example:8443", "https://dns-error.tunnel.example"] {
            assert_eq!(for_transport(&format!("{host}: cannot connect: client error (Connect): tcp connect error")), Some(UNREACHABLE));
            assert_eq!(for_transport(&format!("the sign-in service {host}: the request failed: connection error")), None);
        }
        assert!(
            for_transport("https://graph.example: cannot connect: tunnel error: unsuccessful")
                .unwrap()
                .contains("which hosts the proxy allows")
        );
    }

    #[test]
    fn every_sign_in_code_has_a_hint() {
        for &code in CODES {
            let failure = graph::SignInFailure { status: Some(400), codes: vec![code], ..Default::default() };
            assert!(for_sign_in(&failure).is_some(), "AADSTS{code}");
        }
        assert_eq!(for_sign_in(&graph::SignInFailure { status: Some(400), codes: vec![1], ..Default::default() }), None);
    }
}
