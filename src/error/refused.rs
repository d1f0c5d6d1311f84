//! Why Graph refused a request (402, 403), from its message and from the permissions in the token.

use crate::graph::{self, Cause, Permission};

/// Maximum number of the token's permissions that a message lists.
const MAX_LISTED: usize = 8;

/// Why Graph refused a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RefusalReason {
    Licence,
    /// One of the tenant's policies forbids the request.
    Policy,
    /// The token has the required permission.
    DespitePermission(&'static Permission),
    /// A permission is not granted, has no admin consent, or is not yet in the token.
    MissingPermission(MissingPermission),
}

/// A missing permission.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MissingPermission {
    /// The permission that the request requires.
    pub required: &'static Permission,
    /// Permissions that later requests require and that, as far as is known, the token does not have.
    pub also_required: Vec<&'static Permission>,
    /// The permissions in the token, if they can be read.
    pub granted: Option<Vec<String>>,
    /// Permissions in the token that are sufficient according to Microsoft's documentation, but that Graph did not accept.
    pub insufficient: Vec<String>,
    /// Whether the token or Graph shows that the permission is missing. Otherwise it is only the most likely reason.
    pub is_certain: bool,
}

impl RefusalReason {
    /// Why Graph refused a request. The request requires the first of these permissions, and later requests require the others. [`None`] if it
    /// was not refused, or if the reason is unknown. The decision is based on Graph's response; the token is only used to explain it.
    pub fn from_error(error: &graph::Error, permissions: &[&'static Permission]) -> Option<Self> {
        let Cause::ErrorStatus(refusal) = &error.cause else { return None };
        if error.is_transient() || error.is_outage() || error.is_later_page_refusal() {
            return None;
        }
        let message = format!("{} {}", refusal.code, refusal.message).to_lowercase();
        // After these words come permission names, one of which may be `Policy.Read.All`.
        let message = message.split("api requires one of").next().unwrap_or_default();
        let mentions = |words: &[&str]| words.iter().any(|word| message.contains(word));
        match refusal.status {
            402 => Some(Self::Licence),
            403 if mentions(&["license", "licence"]) => Some(Self::Licence),
            403 if mentions(&["for your tenant", "policy", "policies", "conditional access"]) => Some(Self::Policy),
            403 => {
                let (&required, next) = permissions.split_first()?;
                let is_confirmed = mentions(&["missing role permissions", "authorization_requestdenied"]);
                let claims = refusal.claims.as_deref();
                let mut granted = claims.and_then(|claims| claims.roles.clone());
                if granted.iter().flatten().any(|role| role == required.least_privileged()) {
                    if !is_confirmed {
                        return Some(Self::DespitePermission(required));
                    }
                    // Consent was withdrawn after the token was issued.
                    granted = None;
                }
                let roles = || granted.iter().flatten();
                let insufficient = roles().filter(|role| required.includes(role)).cloned().collect();
                let also_required = next
                    .iter()
                    .copied()
                    .filter(|permission| claims.and_then(|claims| claims.has_permission(permission)) != Some(true))
                    .collect();
                let is_certain = granted.is_some() || is_confirmed;
                Some(Self::MissingPermission(MissingPermission { required, also_required, granted, insufficient, is_certain }))
            }
            _ => None,
        }
    }

    /// The reason for the refusal, and what to do about it.
    pub fn advice(&self) -> String {
        match self {
            Self::Licence => {
                "a licence is missing: an administrator can check this in the Microsoft 365 admin center under Billing > Licenses"
                    .to_owned()
            }
            Self::Policy => "the tenant does not allow this: an administrator can check the policies in the Teams admin center".to_owned(),
            Self::DespitePermission(permission) => format!(
                "Graph refused the request even though the token has {}: a tenant policy or a missing licence may be the cause; an administrator or \
                 Microsoft support can look up the request by its ids",
                permission.least_privileged()
            ),
            Self::MissingPermission(missing) => missing.advice(),
        }
    }
}

impl MissingPermission {
    fn advice(&self) -> String {
        let names: Vec<_> = [self.required].iter().chain(&self.also_required).map(|permission| permission.least_privileged()).collect();
        let missing = join_names(names.iter().copied());
        let plural = if names.len() > 1 { "s" } else { "" };
        let grant = format!("grant the application permission{plural} {missing} and admin consent; this takes effect after a few minutes");
        match self.token_summary() {
            Some(summary) => format!("{summary}, and lacks {missing}: {grant}"),
            None => grant,
        }
    }

    /// The token's permissions, as the beginning of a sentence. [`None`] if they cannot be read.
    pub fn token_summary(&self) -> Option<String> {
        if !self.insufficient.is_empty() {
            return Some(format!("the token has {}, which Graph did not accept here", join_names(plain(&self.insufficient))));
        }
        self.granted.as_ref().map(|granted| format!("the token has {}", join_names(plain(granted))))
    }
}

/// Filters out anything that does not look like a permission, because tokens are not trusted.
fn plain(roles: &[String]) -> impl Iterator<Item = &str> {
    let is_plain =
        |role: &&str| role.len() <= 100 && role.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_'));
    roles.iter().map(String::as_str).filter(is_plain)
}

fn join_names<'r>(names: impl Iterator<Item = &'r str>) -> String {
    let mut names: Vec<_> = names.collect();
    let more = names.len().saturating_sub(MAX_LISTED);
    names.truncate(MAX_LISTED);
    match names.as_slice() {
        [] => "no application permission".to_owned(),
        names if more > 0 => format!("{} and {more} more", names.join(", ")),
        [one] => (*one).to_owned(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Claims, ErrorResponse};

    static MESSAGES: Permission = Permission::new(&["ChannelMessage.Read.All", "Group.Read.All", "Group.ReadWrite.All"]);
    static TEAMS: Permission = Permission::new(&["Team.ReadBasic.All", "Group.Read.All"]);

    fn advice(status: u16, message: &str, roles: Option<&[&str]>) -> String {
        let roles = roles.map(|roles| roles.iter().map(|role| (*role).to_owned()).collect());
        let claims = Some(Box::new(Claims { roles, ..Claims::default() }));
        let cause = Cause::ErrorStatus(ErrorResponse { status, message: message.to_owned(), claims, ..ErrorResponse::default() });
        let error = graph::Error { request: String::new(), cause, attempts: 1, client_request_id: None, is_later_page: false };
        RefusalReason::from_error(&error, &[&MESSAGES, &TEAMS]).map_or_else(|| "-".to_owned(), |reason| reason.advice())
    }

    #[test]
    fn the_advice_lists_granted_and_missing_permissions() {
        let many: Vec<_> = (0..12).map(|number| format!("Role{number}.Read")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let cases = [
            advice(403, "", None),
            advice(403, "", Some(&["Team.ReadBasic.All"])),
            advice(403, "", Some(&["Group.ReadWrite.All"])),
            advice(403, "", Some(&["Group.ReadWrite.All", "Group.Read.All", "User.Read.All"])),
            advice(403, "", Some(&many)),
            advice(403, "", Some(&["red\u{1b}[31m", "a b"])),
            advice(403, "", Some(&["ChannelMessage.Read.All"])),
            advice(403, "Missing role permissions. API requires one of 'Policy.Read.All'", Some(&["X"])),
            advice(403, "Missing role permissions on the request.", Some(&["ChannelMessage.Read.All"])),
            advice(403, "User has no Office365 license", Some(&["X"])),
            advice(403, "Teams is disabled for your tenant", Some(&["X"])),
            advice(402, "", None),
            advice(404, "", None),
        ];
        insta::assert_snapshot!(cases.join("\n"));
    }
}
