//! What answers say beside pages: a `Retry-After`, a refusal, a token.

use std::{sync::LazyLock, time::Duration};

use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};
use tap_microsoft_teams::graph::{
    Credentials, MAX_WAIT,
    fuzzing::{self, SignIn},
};
use url::Url;

use crate::place::now;

/// A token and a secret that nobody may read.
const TOKEN: &str = "eyJ0.hidden.t0ken";
const SECRET: &str = "7~hidden+5ecret/=";
const SECRET_IN_A_FORM: &str = "7%7Ehidden%2B5ecret%2F%3D";

/// So much is told of what others wrote.
const TOLD: usize = 600;

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

/// The value of a `Retry-After`: what is waited is what is asked, and never longer than a run waits.
pub(crate) fn retry_after(value: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(value) else { return };
    let seconds = value.to_str().ok().and_then(|text| text.trim().parse::<u32>().ok());
    let wait = fuzzing::wait(value, now());
    assert!(wait.is_none_or(|wait| wait <= MAX_WAIT), "{wait:?}");
    if let Some(seconds) = seconds {
        let asked = Duration::from_secs(seconds.into());
        assert_eq!(wait, Some(asked).filter(|asked| *asked <= MAX_WAIT));
    }
}

/// The body of an answer that is no success: what it says is one short line, without the token that it may quote.
pub(crate) fn refusal(body: &[u8]) {
    assert_is_refusal(body);
    let Ok(Value::Object(mut answer)) = serde_json::from_slice::<Value>(body) else { return };
    let Some(Value::Object(error)) = answer.get_mut("error") else { return };
    quote(error, &["code", "message"], TOKEN);
    assert_is_refusal(Value::Object(answer).to_string().as_bytes());
}

fn assert_is_refusal(body: &[u8]) {
    for status in [400, 401, 403, 404, 410, 429, 503] {
        let refusal = fuzzing::refusal(status, now(), body, TOKEN);
        let said = format!("{refusal} {refusal:?}");
        assert!(!said.contains(TOKEN), "{said}");
        assert!(said.starts_with(&format!("{status} ")), "{said}");
        [&refusal.code, &refusal.message].into_iter().for_each(|said| assert_is_short_line(said));
    }
}

/// The body of an answer of the sign-in service: a token that is not said, or a reason, without the secret that it may quote.
pub(crate) fn token(body: &[u8]) {
    assert_is_answer(body);
    let Ok(Value::Object(mut answer)) = serde_json::from_slice::<Value>(body) else { return };
    answer.insert("access_token".to_owned(), TOKEN.into());
    for secret in [SECRET, SECRET_IN_A_FORM] {
        quote(&mut answer, &["error", "error_description"], secret);
    }
    let said = assert_is_answer(Value::Object(answer.clone()).to_string().as_bytes());
    // What stands elsewhere is none.
    answer.remove("access_token");
    assert!(!said.contains(TOKEN) || Value::Object(answer).to_string().contains(TOKEN), "{said}");
}

/// Gives all that is said.
fn assert_is_answer(body: &[u8]) -> String {
    let mut all = String::new();
    for status in [200, 201, 302, 400, 401, 429, 503] {
        let status = StatusCode::from_u16(status).expect("a status");
        let said = match SIGN_IN.token(status, body) {
            Ok(token) => token,
            Err(refusal) => {
                assert!(!refusal.description.is_empty(), "nothing is said: {refusal:?}");
                [&refusal.description, &refusal.error].into_iter().for_each(|said| assert_is_short_line(said));
                format!("{refusal} {refusal:?}")
            }
        };
        assert!(!said.contains(SECRET) && !said.contains(SECRET_IN_A_FORM), "{said}");
        all += &said;
    }
    all
}

fn assert_is_short_line(said: &str) {
    assert!(said.chars().count() <= TOLD && !said.contains(char::is_control), "{said:?}");
}

/// Makes texts of an answer quote what must not be said.
fn quote(answer: &mut Map<String, Value>, names: &[&str], secret: &str) {
    for name in names {
        let text = answer.get(*name).and_then(Value::as_str).unwrap_or_default();
        // Where the line begins, lest it end before.
        let text = format!("{secret}{text}{secret}");
        answer.insert((*name).to_owned(), text.into());
    }
}
