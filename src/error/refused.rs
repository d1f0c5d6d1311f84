//! Why Graph refused a request (402, 403): by its own words, and by what the token says about the application.

use crate::graph::{self, Cause, Permission};

/// The most permissions of a token that a sentence lists.
const LISTED: usize = 8;

/// Why Graph refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refused {
    /// A licence is missing.
    Licence,
    /// A policy of the tenant forbids it.
    Policy,
    /// The token has the permission that the request takes.
    InSpiteOf(&'static Permission),
    /// A permission is not granted, not consented to, or not yet in the token.
    Lacks(Lacks),
}

/// A permission that is missing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lacks {
    /// What the request takes.
    pub wants: &'static Permission,
    /// What the next requests take, and the token does not have, or does not tell.
    pub behind: Vec<&'static Permission>,
    /// What the token has, if it tells that.
    pub has: Option<Vec<String>>,
    /// Permissions of the token that open the request by Microsoft's tables, and did not.
    pub instead: Vec<String>,
    /// Whether the token or Graph says so. Otherwise it is the likeliest reason.
    pub is_certain: bool,
}

impl Refused {
    /// Why a request was refused that takes the first of these permissions, and the next requests the others; [`None`] if it was not, or
    /// nobody knows. Graph's answer decides, the token explains.
    pub fn of(error: &graph::Error, permissions: &[&'static Permission]) -> Option<Self> {
        let Cause::Refused(refusal) = &error.cause else { return None };
        if error.is_transient() || error.is_outage() || error.is_refused_later() {
            return None;
        }
        let said = format!("{} {}", refusal.code, refusal.message).to_lowercase();
        // What follows are names of permissions, and `Policy.Read.All` is one.
        let said = said.split("api requires one of").next().unwrap_or_default();
        let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
        match refusal.status {
            402 => Some(Self::Licence),
            403 if says(&["license", "licence"]) => Some(Self::Licence),
            403 if says(&["for your tenant", "policy", "policies", "conditional access"]) => Some(Self::Policy),
            403 => {
                let (&wants, behind) = permissions.split_first()?;
                let graph_says = says(&["missing role permissions", "authorization_requestdenied"]);
                let claims = refusal.claims.as_deref();
                let mut has = claims.and_then(|claims| claims.roles.clone());
                if has.iter().flatten().any(|role| role == wants.least()) {
                    if !graph_says {
                        return Some(Self::InSpiteOf(wants));
                    }
                    // The consent was withdrawn since the token was made.
                    has = None;
                }
                let roles = || has.iter().flatten();
                let instead = roles().filter(|role| wants.is_given_by(role)).cloned().collect();
                let behind =
                    behind.iter().copied().filter(|permission| claims.and_then(|claims| claims.has(permission)) != Some(true)).collect();
                let is_certain = has.is_some() || graph_says;
                Some(Self::Lacks(Lacks { wants, behind, has, instead, is_certain }))
            }
            _ => None,
        }
    }

    /// Why, and what to do about it.
    pub fn advice(&self) -> String {
        match self {
            Self::Licence => {
                "a licence is missing: the administrator of the tenant finds it in the Microsoft 365 admin center, under Billing > \
                 Licenses"
                    .to_owned()
            }
            Self::Policy => {
                "the tenant does not allow it, by a policy or altogether: its administrator can tell, in the Teams admin center".to_owned()
            }
            Self::InSpiteOf(permission) => format!(
                "Graph refuses although the token has {}: a policy or a licence of the tenant may be in the way; its administrator, or \
                 Microsoft's support, can look the request up by its ids",
                permission.least()
            ),
            Self::Lacks(lacks) => lacks.advice(),
        }
    }
}

impl Lacks {
    fn advice(&self) -> String {
        let names: Vec<_> = [self.wants].iter().chain(&self.behind).map(|permission| permission.least()).collect();
        let missing = listed(names.iter().copied());
        let plural = if names.len() > 1 { "s" } else { "" };
        let grant = format!("grant the application permission{plural} {missing} and admin consent; it takes some minutes to count");
        match self.held() {
            Some(held) => format!("{held}, and lacks {missing}: {grant}"),
            None => grant,
        }
    }

    /// What the token has, as the beginning of a sentence; [`None`] if it does not tell.
    pub fn held(&self) -> Option<String> {
        if !self.instead.is_empty() {
            return Some(format!("the token has {}, with which Graph refuses this", listed(plain(&self.instead))));
        }
        self.has.as_ref().map(|has| format!("the token has {}", listed(plain(has))))
    }
}

/// Names of permissions: a token is made by others, and may hold anything.
fn plain(roles: &[String]) -> impl Iterator<Item = &str> {
    let is_plain =
        |role: &&str| role.len() <= 100 && role.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '.' | '-' | '_'));
    roles.iter().map(String::as_str).filter(is_plain)
}

fn listed<'r>(names: impl Iterator<Item = &'r str>) -> String {
    let mut names: Vec<_> = names.collect();
    let more = names.len().saturating_sub(LISTED);
    names.truncate(LISTED);
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
    use crate::graph::{Claims, Refusal};

    static MESSAGES: Permission = Permission::new(&["ChannelMessage.Read.All", "Group.Read.All", "Group.ReadWrite.All"]);
    static TEAMS: Permission = Permission::new(&["Team.ReadBasic.All", "Group.Read.All"]);

    fn advice(status: u16, message: &str, roles: Option<&[&str]>) -> String {
        let roles = roles.map(|roles| roles.iter().map(|role| (*role).to_owned()).collect());
        let claims = Some(Box::new(Claims { roles, ..Claims::default() }));
        let cause = Cause::Refused(Refusal { status, message: message.to_owned(), claims, ..Refusal::default() });
        let error = graph::Error { request: String::new(), cause, attempts: 1, client_request_id: None, is_later_page: false };
        Refused::of(&error, &[&MESSAGES, &TEAMS]).map_or_else(|| "-".to_owned(), |refused| refused.advice())
    }

    #[test]
    fn the_advice_names_what_the_token_has_and_what_is_missing() {
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
