//! What a person can do about what Microsoft Graph or Microsoft Entra did not give.

use std::time::Duration;

use crate::graph::{self, Cause, LONGEST_WAIT, Mixup};

/// What to do about a request that failed, unless it was refused for a reason that is known.
pub(super) fn of(error: &graph::Error) -> Option<String> {
    if let Cause::SignIn(refusal) = &error.cause
        && let Some(hint) = of_sign_in(refusal)
    {
        return Some(hint);
    }
    if let Some(wait) = error.long_wait() {
        return Some(of_wait(wait));
    }
    match &error.cause {
        Cause::TooLarge(_) => Some("raise `max_page_mb`, or set `top` to fewer items a page".to_owned()),
        Cause::Transport(text) => of_way(text).map(str::to_owned),
        Cause::Refused(_) if error.is_refused_later() => Some(LATER_PAGE.to_owned()),
        Cause::Refused(refusal) if error.is_outage() => Some(of_outage(refusal.status).to_owned()),
        Cause::Refused(refusal) if !error.is_transient() => of_status(refusal.status, &error.request),
        _ => None,
    }
}

const LATER_PAGE: &str = "Graph gave the pages before this one, so neither is an id wrong nor a permission missing: run again; if it stays, \
    Microsoft's support can look it up by the request-id";

/// Whether a request failed for a reason that stays, and that other teams and channels need not have.
pub(super) fn is_of_one_parent(error: &graph::Error) -> bool {
    match &error.cause {
        // What concerns all: sign-in, licences, permissions, proxies, what applications may ask for. What is gone is left out anyway.
        Cause::Refused(_) if error.is_refused_later() => true,
        Cause::Refused(refusal) => !error.is_transient() && matches!(refusal.status, 400 | 405 | 406 | 410 | 411 | 413..=499),
        Cause::TooLarge(_) | Cause::ForeignLink(_) | Cause::EndlessPaging(_) => true,
        Cause::SignIn(_) | Cause::Transport(_) | Cause::Malformed(_) | Cause::Closed(_) => false,
    }
}

fn of_status(status: u16, request: &str) -> Option<String> {
    // Of a list of the whole tenant no id can be wrong.
    let has_ids = request.contains("/teams");
    let hint = match status {
        300..=303 | 305..=399 => "redirects are not followed, lest the token go elsewhere: look at `cloud`, `graph_url` and the proxy",
        400 if has_ids => "if the id is right, please report this",
        401 => "Graph does not accept the token: look at `cloud` and at the consent of the application",
        403 => return None,
        404 if has_ids => "look at the id; a deleted team or channel is not found either",
        407 | 511 => "a proxy wants a sign-in of its own: look at HTTPS_PROXY",
        412 => "Graph does not give this to applications: please report this",
        _ => "look at `cloud`, `graph_url` and the proxy; if they are right, please report this",
    };
    Some(hint.to_owned())
}

fn of_outage(status: u16) -> &'static str {
    match status {
        404 => {
            "a service that Graph needs had an outage: run again; if it stays, look at the id, since Graph says the same of some that are gone"
        }
        _ => "a service that Graph needs had an outage: run again; no permission is missing",
    }
}

fn of_wait(wait: Duration) -> String {
    let minutes = |time: Duration| time.as_secs().div_ceil(60);
    format!(
        "Graph asks to wait {} minutes, and a run waits {} at most: run again after that; it goes on from its state",
        minutes(wait),
        minutes(LONGEST_WAIT)
    )
}

const OUT_OF_REACH: &str = "this machine must reach that host, on port 443: look at its network, the firewall and HTTPS_PROXY";

/// What to do where no answer came, by the words of those who were to bring it.
fn of_way(text: &str) -> Option<&'static str> {
    let ways = [
        ("dns error", "this machine cannot look the name up: look at its network, and at HTTPS_PROXY if there is a proxy"),
        ("expired", "look at the clock of this machine; if it is right, at whoever opens TLS on the way, such as a proxy"),
        ("not valid yet", "look at the clock of this machine"),
        ("certificate", "whoever opens TLS on the way, such as a proxy, needs its CA in the file that SSL_CERT_FILE names"),
        ("proxy", "look at HTTPS_PROXY, and at what the proxy lets through"),
        ("tunnel", "look at HTTPS_PROXY, and at what the proxy lets through"),
        ("no answer within", OUT_OF_REACH),
        ("cannot connect", OUT_OF_REACH),
    ];
    // What a host is called says nothing: it may be a `proxy` as well.
    let said = text.split(' ').filter(|word| !word.contains("://")).collect::<Vec<_>>().join(" ");
    ways.into_iter().find(|(words, _)| said.contains(words)).map(|(_, hint)| hint)
}

/// What to do about the sign-in errors that a client secret can meet (graph.md 1.4).
fn of_sign_in(refusal: &graph::SignInRefusal) -> Option<String> {
    let Some(status) = refusal.status else { return of_way(&refusal.description).map(str::to_owned) };
    refusal.codes.iter().find_map(|&code| of_code(code, refusal)).or(of_sign_in_status(status).map(str::to_owned))
}

fn of_sign_in_status(status: u16) -> Option<&'static str> {
    match status {
        300..=303 | 305..=399 => {
            Some("redirects are not followed, lest the secret go elsewhere: look at `cloud`, `login_url` and the proxy")
        }
        403 | 404 => Some("look at `cloud`, `login_url` and the proxy: this is no sign-in service"),
        407 | 511 => Some("a proxy wants a sign-in of its own: look at HTTPS_PROXY"),
        _ => None,
    }
}

fn of_code(code: u64, refusal: &graph::SignInRefusal) -> Option<String> {
    let graph::Application { mixups, consent } = &*refusal.application;
    match code {
        7_000_229 => Some(format!(
            "the application is not in this tenant yet: an administrator of the tenant consents to it at {consent}; if it was, look under \
            Enterprise applications whether it was deleted"
        )),
        _ => of_plain_code(code, mixups).map(str::to_owned),
    }
}

/// What Microsoft Entra says of certificates and federated tokens: it is not sent by us, but something on the way may send it.
const OF_OTHER_KINDS: &[u64] = &[
    700_027, 700_024, 700_021, 700_023, 50_027, 5_002_723, 5_002_738, 5_002_741, 5_002_730, 1_000_502, 7_000_274, 7_000_214, 7_000_277,
    700_030, 50_012, 50_013, 50_032, 70_021, 700_211, 700_212, 700_213, 7_002_137, 7_002_138, 70_025, 700_222, 700_226, 7_002_206, 700_223,
    700_238, 7_000_272, 50_166, 90_061, 51_000, 392_200, 392_204, 500_181,
];

const SIGN_IN_OF_ANOTHER_KIND: &str = "Microsoft Entra speaks of a certificate or of a federated token, and a client secret was sent: look at \
    `login_url` and the proxy, or make a new client secret for the application and put its value into `client_secret`";

fn of_plain_code(code: u64, mixups: &[Mixup]) -> Option<&'static str> {
    let is = |mixup| mixups.contains(&mixup);
    Some(match code {
        7_000_215 if is(Mixup::SecretIsId) => {
            "what `client_secret` has is an id, and it must have the value of a secret: under App registrations > the application > \
            Certificates & secrets, make a new client secret and copy its value, which is shown once"
        }
        7_000_215 => {
            "`client_secret` must be the value of a secret of this application, not its id: under App registrations > the application > \
            Certificates & secrets, make a new client secret and copy its value, which is shown once"
        }
        7_000_222 => {
            "the client secret has expired: under App registrations > the application > Certificates & secrets, make a new one and put its \
            value into `client_secret`"
        }
        90_002 | 900_023 | 50_059 | 700_016 | 700_011 if is(Mixup::Swapped) => {
            "`tenant_id` and `client_id` are swapped: `client_id` is the Application (client) ID, which is never a domain"
        }
        90_002 | 900_023 | 50_059 | 700_016 | 700_011 if is(Mixup::SameIds) => {
            "`tenant_id` and `client_id` are the same: the overview of the app registration has both, as Directory (tenant) ID and \
            Application (client) ID"
        }
        700_016 | 700_011 if is(Mixup::ClientIsNoId) => {
            "`client_id` must be the Application (client) ID, a GUID, as the overview of the app registration has it"
        }
        700_016 | 700_011 => {
            "there is no such application in this tenant: look at `client_id` and `tenant_id`; the overview of the app registration has both, \
            as Application (client) ID and Directory (tenant) ID"
        }
        70_001 | 7_000_112 => {
            "the application is disabled in this tenant, or unknown to it: look at `client_id`, and under Enterprise applications > the \
            application > Properties, where Enabled for users to sign-in must be Yes"
        }
        90_002 | 900_023 | 50_059 => {
            "there is no such tenant in this cloud: look at `tenant_id`, which is the Directory (tenant) ID of the app registration's overview \
            (not its client ID) or a domain of the tenant, and at `cloud`"
        }
        500_011 | 90_038 | 900_382 | 900_432 => {
            "look at `cloud` (`global`, `us_gov`, `us_gov_dod`, `china`): the tenant lives in another one"
        }
        53_003 => {
            "a Conditional Access policy of the tenant blocks the application: its administrator sees which one under Sign-in logs > Service \
            principal sign-ins, and can let the application through"
        }
        7_000_216 | 7_000_218 => "`client_secret` did not arrive: look at its value and at the proxy",
        700_025 => {
            "the application is registered as a public client, which may have no secret: under App registrations > the application > \
            Authentication, set Allow public client flows to No"
        }
        7_000_232 => {
            "`client_id` is the id of a managed identity, which has no client secret: register an application, and take its ids and its secret"
        }
        5_000_224 | 5_000_225 => {
            "the tenant is blocked or was deleted, as Microsoft does with tenants that nobody uses: its administrator or Microsoft's support \
            can say why; if it is another tenant that is meant, look at `tenant_id`"
        }
        code if OF_OTHER_KINDS.contains(&code) => SIGN_IN_OF_ANOTHER_KIND,
        70_011 | 900_144 | 90_014 => "look at `cloud`, `login_url` and the proxy; if they are right, please report this",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Microsoft's pages and public issues have these for the kinds of credentials that an application can have (graph.md 1.4).
    const CODES: &[u64] = &[
        // A secret.
        7_000_215, 7_000_222, 7_000_216, 7_000_218, 7_000_229, 7_000_232, 700_025, 700_016, 700_011, 70_001, 7_000_112, 90_002, 900_023,
        50_059, 500_011, 90_038, 900_382, 900_432, 53_003, 5_000_224, 5_000_225, 70_011, 900_144, 90_014, // A certificate.
        700_027, 700_024, 700_021, 700_023, 50_027, 5_002_723, 5_002_738, 5_002_741, 5_002_730, 1_000_502, 7_000_274, 7_000_214, 7_000_277,
        700_030, 50_012, 50_013, 50_032, // A federated token.
        70_021, 700_211, 700_212, 700_213, 7_002_137, 7_002_138, 70_025, 700_222, 700_226, 7_002_206, 700_223, 700_238, 7_000_272, 50_166,
        90_061, 51_000,
    ];

    #[test]
    fn the_name_of_a_host_is_no_reason() {
        for host in ["https://proxy.example", "https://expired-certificate.example:8443", "https://dns-error.tunnel.example"] {
            assert_eq!(of_way(&format!("{host}: cannot connect: client error (Connect): tcp connect error")), Some(OUT_OF_REACH));
            assert_eq!(of_way(&format!("the sign-in service {host}: the request failed: connection error")), None);
        }
        assert!(
            of_way("https://graph.example: cannot connect: tunnel error: unsuccessful").unwrap().contains("what the proxy lets through")
        );
    }

    #[test]
    fn every_code_of_a_sign_in_has_a_hint() {
        for &code in CODES {
            let refusal = graph::SignInRefusal { status: Some(400), codes: vec![code], ..Default::default() };
            assert!(of_sign_in(&refusal).is_some(), "AADSTS{code}");
        }
        assert_eq!(of_sign_in(&graph::SignInRefusal { status: Some(400), codes: vec![1], ..Default::default() }), None);
    }
}
