//! Responses other than pages: `Retry-After`, errors and tokens.

use std::{sync::LazyLock, time::Duration};

use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};
use tap_microsoft_teams::graph::{
    Credentials, MAX_WAIT,
    fuzzing::{self, SignIn},
};
use url::Url;

use crate::place::now;

// A token and a secret that must never appear in a message.
const TOKEN: &str = "eyJ0.hidden.t0ken";
const SECRET: &str = "7~hidden+5ecret/=";
const ENCODED_SECRET: &str = "7%7Ehidden%2B5ecret%2F%3D";

/// The maximum length of a quote from a response.
const MAX_CHARS: usize = 600;

static SIGN_IN: LazyLock<SignIn> = LazyLock::new(|| {
    let credentials = Credentials {
        tenant_id: "contoso.com".to_owned(),
        client_id: "6731de76-14a6-49ae-97bc-6eba6914391e".to_owned(),
        client_secret: SECRET.to_owned().into(),
        consent: "https://login.microsoftonline.com/contoso.com/adminconsent".to_owned(),
    };
    let url = Url::parse("https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token").expect("a URL");
    SignIn::new(&credentials, &url).expect("HTTPS")
});

/// A `Retry-After` value: the tap waits exactly as requested, up to its maximum.
pub(crate) fn retry_after(value: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(value) else { return };
    let seconds = value.to_str().ok().and_then(|text| text.trim().parse::<u32>().ok());
    let wait = fuzzing::wait(value, now());
    assert!(wait.is_none_or(|wait| wait <= MAX_WAIT), "{wait:?}");
    if let Some(seconds) = seconds {
        let requested = Duration::from_secs(seconds.into());
        assert_eq!(wait, Some(requested).filter(|requested| *requested <= MAX_WAIT));
    }
}

/// The body of an error response: its message becomes one short line, without the token even if the body quotes it.
pub(crate) fn refusal(body: &[u8]) {
    assert_error_response(body);
    let Ok(Value::Object(mut response)) = serde_json::from_slice::<Value>(body) else { return };
    let Some(Value::Object(error)) = response.get_mut("error") else { return };
    quote(error, &["code", "message"], TOKEN);
    assert_error_response(Value::Object(response).to_string().as_bytes());
}

fn assert_error_response(body: &[u8]) {
    for status in [400, 401, 403, 404, 410, 429, 503] {
        let refusal = fuzzing::refusal(status, now(), body, TOKEN);
        let message = format!("{refusal} {refusal:?}");
        assert!(!message.contains(TOKEN), "{message}");
        assert!(message.starts_with(&format!("{status} ")), "{message}");
        [&refusal.code, &refusal.message].into_iter().for_each(|text| assert_short_line(text));
    }
}

/// The body of a token response: a token that is never shown, or an error without the secret even if the body quotes it.
pub(crate) fn token(body: &[u8]) {
    assert_token_response(body);
    let Ok(Value::Object(mut response)) = serde_json::from_slice::<Value>(body) else { return };
    response.insert("access_token".to_owned(), TOKEN.into());
    for secret in [SECRET, ENCODED_SECRET] {
        quote(&mut response, &["error", "error_description"], secret);
    }
    let messages = assert_token_response(Value::Object(response.clone()).to_string().as_bytes());
    // A token elsewhere in the body is not a token of ours.
    response.remove("access_token");
    assert!(!messages.contains(TOKEN) || Value::Object(response).to_string().contains(TOKEN), "{messages}");
}

/// Returns all messages about the response.
fn assert_token_response(body: &[u8]) -> String {
    let mut all = String::new();
    for status in [200, 201, 302, 400, 401, 429, 503] {
        let status = StatusCode::from_u16(status).expect("a status");
        let message = match SIGN_IN.token(status, body) {
            Ok(token) => token,
            Err(refusal) => {
                assert!(!refusal.description.is_empty(), "no description: {refusal:?}");
                [&refusal.description, &refusal.error].into_iter().for_each(|text| assert_short_line(text));
                format!("{refusal} {refusal:?}")
            }
        };
        assert!(!message.contains(SECRET) && !message.contains(ENCODED_SECRET), "{message}");
        all += &message;
    }
    all
}

fn assert_short_line(text: &str) {
    assert!(text.chars().count() <= MAX_CHARS && !text.contains(char::is_control), "{text:?}");
}

/// Adds the secret to properties of a response.
fn quote(response: &mut Map<String, Value>, names: &[&str], secret: &str) {
    for name in names {
        let text = response.get(*name).and_then(Value::as_str).unwrap_or_default();
        // At the start too, because the text may be truncated.
        let text = format!("{secret}{text}{secret}");
        response.insert((*name).to_owned(), text.into());
    }
}
