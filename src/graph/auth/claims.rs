//! The claims in an access token. Access tokens are opaque to clients (graph.md 1.3), so nothing is verified, and no request depends on the
//! claims.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;
use uuid::Uuid;

use crate::graph::Permission;

/// The claims in an access token that describe the application. A missing claim proves nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Claims {
    /// The application permissions.
    pub roles: Option<Vec<String>>,
    /// The id of the tenant, even if the configured `tenant_id` is a domain.
    pub tenant_id: Option<Uuid>,
}

impl Claims {
    /// Reads the claims if the token is a JWT: three parts, the second of which is a base64-encoded object.
    pub(in crate::graph) fn parse(token: &str) -> Self {
        let claims = payload(token).unwrap_or_default();
        let roles = claims["roles"].as_array().into_iter().flatten();
        let roles: Vec<_> = roles.filter_map(Value::as_str).map(str::to_owned).collect();
        Self {
            roles: Some(roles).filter(|roles| !roles.is_empty()),
            tenant_id: claims["tid"].as_str().and_then(|id| Uuid::try_parse(id).ok()),
        }
    }

    /// Whether the token has the permission. [`None`] if the token's permissions cannot be read.
    pub fn has_permission(&self, permission: &Permission) -> Option<bool> {
        let roles = self.roles.as_ref()?;
        Some(roles.iter().any(|role| permission.includes(role)))
    }
}

/// Decodes the payload of a JWT.
fn payload(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const MESSAGES: Permission = Permission::new(&["ChannelMessage.Read.All", "Group.Read.All"]);

    fn token(payload: impl AsRef<[u8]>) -> String {
        format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn a_readable_token_shows_the_permissions_and_the_tenant() {
        let tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47";
        let claims =
            Claims::parse(&token(json!({"roles": ["Team.ReadBasic.All", "Group.Read.All"], "tid": tenant, "appid": "x"}).to_string()));
        assert_eq!((claims.has_permission(&MESSAGES), claims.tenant_id.unwrap().to_string().as_str()), (Some(true), tenant));
        let less = Claims::parse(&token(json!({"roles": ["Team.ReadBasic.All"]}).to_string()));
        assert_eq!((less.has_permission(&MESSAGES), less.tenant_id), (Some(false), None));
    }

    #[test]
    fn an_unreadable_token_has_no_claims() {
        let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
        let payloads =
            ["", "null", "[]", "{", "{}", r#"{"roles":null}"#, r#"{"roles":"Group.Read.All"}"#, r#"{"roles":[1]}"#, "\"roles\"", &deep];
        for payload in payloads {
            assert_eq!(Claims::parse(&token(payload)), Claims::default(), "{}", &payload[..payload.len().min(40)]);
        }
        for opaque in ["", ".", "..", "EwBwA8l6BAAU", "a.b", "e30.!!!.c2ln", "e30.e30=.", "\u{1F511}.\u{1F511}.\u{1F511}"] {
            assert_eq!(Claims::parse(opaque), Claims::default(), "{opaque}");
        }
        // A role that is not a string and a tenant that is not a GUID are dropped: they could end up in a link or a log line.
        let odd = Claims::parse(&token(r#"{"roles":[1,{"a":2},"Group.Read.All"],"tid":"evil.example/?"}"#));
        assert_eq!(odd, Claims { roles: Some(vec!["Group.Read.All".to_owned()]), tenant_id: None });
    }

    proptest! {
        #[test]
        fn no_token_breaks_the_parser(header in r"\PC{0,20}", body in prop::collection::vec(any::<u8>(), 0..300), text in r"\PC{0,60}") {
            for token in [&text, &format!("{header}.{text}.{header}"), &token(&body), &format!("{header}{}", token(&body))] {
                prop_assert!(Claims::parse(token).roles.is_none_or(|roles| !roles.is_empty()));
            }
        }

        #[test]
        fn all_roles_are_parsed(roles in prop::collection::vec(r"\PC{0,30}", 1..5), more in r"\PC{0,30}") {
            let claims = Claims::parse(&token(json!({"roles": roles, "tid": more, more.as_str(): more}).to_string()));
            if more != "roles" && more != "tid" {
                prop_assert_eq!(claims.roles, Some(roles));
            }
        }
    }
}
