//! Parses ids of tenants, teams, channels and messages in the forms that users copy: plain, in braces, percent-encoded, or in a link from Teams.

use percent_encoding::percent_decode_str;
use url::Host;
use uuid::Uuid;

use crate::level::{IdForm, LEVELS, Level};

/// Maximum number of decoding passes. A link inside a link is encoded twice.
const MAX_DECODINGS: usize = 4;

/// What kind of object an id identifies.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum IdOf {
    Level(&'static Level),
    /// A partition of any level that can be excluded.
    Excludable,
}

impl IdOf {
    /// Finds the id in a string; [`None`] if there is no id or it is ambiguous.
    pub(super) fn read(self, text: &str) -> Option<String> {
        let text = percent_decoded(text)?;
        let text = without_enclosing_marks(&text);
        match self {
            Self::Level(level) => match level.id_form {
                IdForm::Guid(parameter) => guid_or_link(text, parameter),
                IdForm::Thread => channel(text),
                IdForm::Message => message(text),
            },
            Self::Excludable => excludable(text),
        }
    }

    /// The values that an option with such ids accepts, for messages.
    pub(super) fn allowed(self) -> String {
        let one = match self {
            Self::Level(Level { name, example, copied_with, .. }) => {
                format!("the id of a {name}, such as {example}, or the link from \"{copied_with}\" in Teams")
            }
            Self::Excludable => {
                let names: Vec<_> = LEVELS.iter().filter(|level| level.is_excludable).map(|level| format!("of a {}", level.name)).collect();
                format!("the id {}, or a link copied from Teams", names.join(" or "))
            }
        };
        format!("{one}; use commas to separate several")
    }
}

/// Parses a tenant id or a domain.
pub(super) fn tenant(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(id) = guid(text) {
        return Some(id);
    }
    let is_label = |label: &str| !label.is_empty() && label.chars().all(|char| char.is_alphanumeric() || char == '-');
    if !text.contains('.') || !text.split('.').all(is_label) {
        return None;
    }
    match Host::parse(text).ok()? {
        Host::Domain(domain) => Some(domain),
        Host::Ipv4(_) | Host::Ipv6(_) => None,
    }
}

fn guid_or_link(text: &str, parameter: Option<&str>) -> Option<String> {
    guid(text).or_else(|| unique_id(values(text, parameter?), guid)).or_else(|| guid(before_query(text)?))
}

fn channel(text: &str) -> Option<String> {
    let in_link = || unique_id(segments(text, "channel").chain(segments(text, "message")), channel_id);
    channel_id(text).or_else(in_link).or_else(|| channel_id(before_query(text)?))
}

fn message(text: &str) -> Option<String> {
    // A link to a reply also contains the id of the root message.
    let root = || unique_id(values(text, "parentMessageId"), message_id);
    if let Some(id) = message_id(text) {
        return Some(id);
    }
    if values(text, "parentMessageId").next().is_some() {
        return root();
    }
    let in_link = || unique_id(segments(text, "message").filter_map(|channel| segment_after(text, channel)), message_id);
    in_link().or_else(|| message_id(before_query(text)?))
}

fn excludable(text: &str) -> Option<String> {
    // A message cannot be excluded, and it is unclear whether its channel is meant.
    if segments(text, "message").next().is_some() {
        return None;
    }
    channel(text).or_else(|| if segments(text, "channel").next().is_some() { None } else { guid_or_link(text, Some("groupId")) })
}

fn guid(text: &str) -> Option<String> {
    Uuid::try_parse(text).ok().map(|id| id.to_string())
}

/// `19:…@thread.tacv2`, `19:…@thread.skype`.
fn channel_id(text: &str) -> Option<String> {
    let (kind, rest) = text.split_once(':')?;
    let (name, thread) = rest.split_once('@')?;
    let is_kind = !kind.is_empty() && kind.chars().all(|char| char.is_ascii_digit());
    let is_name = !name.is_empty() && name.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_'));
    let is_thread =
        !thread.is_empty() && thread.split('.').all(|part| !part.is_empty() && part.chars().all(|char| char.is_ascii_alphanumeric()));
    (is_kind && is_name && is_thread).then(|| text.to_owned())
}

/// Message ids are creation times in milliseconds.
fn message_id(text: &str) -> Option<String> {
    (!text.is_empty() && text.len() <= 20 && text.chars().all(|char| char.is_ascii_digit())).then(|| text.to_owned())
}

/// Removes percent-encoding; [`None`] if it is invalid or nested too deeply.
fn percent_decoded(text: &str) -> Option<String> {
    let mut text = text.trim().to_owned();
    for _ in 0..MAX_DECODINGS {
        let decoded = percent_decode_str(&text).decode_utf8().ok()?;
        if decoded == text {
            return Some(text);
        }
        text = decoded.into_owned();
    }
    None
}

/// Removes surrounding braces, brackets or quotes.
fn without_enclosing_marks(text: &str) -> &str {
    let text = text.trim();
    let pairs = [('{', '}'), ('<', '>'), ('"', '"'), ('\'', '\'')];
    pairs.into_iter().find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close)).unwrap_or(text).trim()
}

/// The values of a query parameter, anywhere in the string.
fn values<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = &'t str> {
    let parameters = text.split(['?', '&', '#']).filter_map(|part| part.split_once('='));
    parameters.filter(move |(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// The segments after `/l/{kind}/`.
fn segments<'t>(text: &'t str, kind: &'t str) -> impl Iterator<Item = &'t str> {
    let mut parts = text.split('/').peekable();
    let mut is_link = false;
    std::iter::from_fn(move || {
        loop {
            let part = parts.next()?;
            let was_link = std::mem::replace(&mut is_link, part == "l");
            if was_link
                && part.eq_ignore_ascii_case(kind)
                && let Some(segment) = parts.peek()
            {
                return Some(without_query(segment));
            }
        }
    })
}

/// The segment that follows another segment.
fn segment_after<'t>(text: &'t str, segment: &str) -> Option<&'t str> {
    let mut parts = text.split('/').skip_while(|part| *part != segment).skip(1);
    parts.next().map(without_query)
}

fn before_query(text: &str) -> Option<&str> {
    let (before, _) = text.split_once(['?', '&'])?;
    Some(before.trim())
}

fn without_query(segment: &str) -> &str {
    segment.split(['?', '&', '#']).next().unwrap_or_default()
}

/// The id, if all strings contain the same one.
fn unique_id<'t>(mut texts: impl Iterator<Item = &'t str>, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let first = read(texts.next()?)?;
    texts.all(|text| read(text).as_ref() == Some(&first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::level::{CHANNEL as CHANNEL_LEVEL, MESSAGE as MESSAGE_LEVEL, TEAM as TEAM_LEVEL};

    const TEAM: &str = "02bd9fd6-8f93-4758-87c3-1fb73740a315";
    const CHANNEL: &str = "19:4a95f7d8db4c4e7fae857bcebe0623e6@thread.tacv2";
    const ENCODED: &str = "19%3a4a95f7d8db4c4e7fae857bcebe0623e6%40thread.tacv2";
    const TENANT: &str = "11111111-2222-3333-4444-555555555555";

    fn team_link() -> String {
        format!("https://teams.microsoft.com/l/team/{ENCODED}/conversations?groupId={TEAM}&tenantId={TENANT}")
    }

    fn channel_link() -> String {
        format!("https://teams.microsoft.com/l/channel/{ENCODED}/R%26D%2F%3F%3D?groupId={TEAM}&tenantId={TENANT}")
    }

    fn reply_link() -> String {
        format!(
            "https://teams.microsoft.com/l/message/{ENCODED}/1616963399999?tenantId={TENANT}&groupId={TEAM}&parentMessageId=1616963377068\
             &teamName=A%20team&channelName=General&createdTime=1616963399999"
        )
    }

    /// A link to the page that opens the Teams application.
    fn launcher(link: &str) -> String {
        let path = link.trim_start_matches("https://teams.microsoft.com");
        let encoded: String = url::form_urlencoded::byte_serialize(format!("/_#{path}").as_bytes()).collect();
        format!("https://teams.microsoft.com/dl/launcher/launcher.html?url={encoded}&type=channel")
    }

    #[test]
    fn a_team_id_is_found_in_all_forms() {
        let forms = [
            TEAM.to_owned(),
            TEAM.to_uppercase(),
            TEAM.replace('-', ""),
            format!("{{{TEAM}}}"),
            format!(" \"{TEAM}\" "),
            format!("%7B{TEAM}%7D"),
            format!("{TEAM}&tenantId={TENANT}"),
            format!("groupId={TEAM}&tenantId={TENANT}"),
            format!("<{}>", team_link()),
            team_link(),
            channel_link(),
            reply_link(),
            launcher(&team_link()),
        ];
        for form in forms {
            assert_eq!(IdOf::Level(&TEAM_LEVEL).read(&form).as_deref(), Some(TEAM), "{form}");
        }
    }

    #[test]
    fn a_channel_id_is_found_in_all_forms() {
        let forms = [
            CHANNEL.to_owned(),
            ENCODED.to_owned(),
            ENCODED.replace('%', "%25"),
            format!("{{{CHANNEL}}}"),
            format!("{ENCODED}?groupId={TEAM}"),
            channel_link(),
            reply_link(),
            channel_link().replace(ENCODED, CHANNEL),
            launcher(&channel_link()),
        ];
        for form in forms {
            assert_eq!(IdOf::Level(&CHANNEL_LEVEL).read(&form).as_deref(), Some(CHANNEL), "{form}");
        }
        for id in ["19:Abc-_1@thread.tacv2", "19:0123@thread.skype"] {
            assert_eq!(IdOf::Level(&CHANNEL_LEVEL).read(id).as_deref(), Some(id));
        }
    }

    #[test]
    fn a_message_id_is_that_of_the_root_message() {
        let root_link = reply_link().replace("1616963399999", "1616963377068").replace("&parentMessageId=1616963377068", "");
        for form in ["1616963377068".to_owned(), "1616963377068?context=x".to_owned(), root_link, reply_link(), launcher(&reply_link())] {
            assert_eq!(IdOf::Level(&MESSAGE_LEVEL).read(&form).as_deref(), Some("1616963377068"), "{form}");
        }
    }

    #[test]
    fn teams_and_channels_can_be_excluded_by_links() {
        for (form, id) in [(team_link(), TEAM), (channel_link(), CHANNEL), (TEAM.to_owned(), TEAM), (ENCODED.to_owned(), CHANNEL)] {
            assert_eq!(IdOf::Excludable.read(&form).as_deref(), Some(id), "{form}");
        }
    }

    #[test]
    fn an_ambiguous_string_is_not_an_id() {
        let two = format!("groupId={TEAM}&groupId={TENANT}");
        for form in
            ["Sales", "", "..", "a/../b", "1616963377068", CHANNEL, &two, &format!("{TEAM}/../users"), &format!("tenantId={TENANT}")]
        {
            assert_eq!(IdOf::Level(&TEAM_LEVEL).read(form), None, "{form}");
        }
        let chat = "https://teams.microsoft.com/l/chat/19:meeting@thread.v2/0";
        for form in
            ["General", TEAM, &team_link(), chat, "19:4a95f7d8", "19:@thread.tacv2", &format!("{CHANNEL}/../../x"), "19:a/b@thread.tacv2"]
        {
            assert_eq!(IdOf::Level(&CHANNEL_LEVEL).read(form), None, "{form}");
        }
        let conflicting = format!("{}&parentMessageId=2", reply_link());
        for form in ["", "-1", "1e5", "١٢٣", &channel_link(), &conflicting] {
            assert_eq!(IdOf::Level(&MESSAGE_LEVEL).read(form), None, "{form}");
        }
        for form in ["Sales", &reply_link(), "1616963377068"] {
            assert_eq!(IdOf::Excludable.read(form), None, "{form}");
        }
    }

    #[test]
    fn a_tenant_is_an_id_or_a_domain() {
        assert_eq!(tenant(&format!(" {{{}}} ", TENANT)).as_deref(), Some(TENANT));
        for (written, domain) in [("contoso.onmicrosoft.com", "contoso.onmicrosoft.com"), ("Müller.example", "xn--mller-kva.example")] {
            assert_eq!(tenant(written).as_deref(), Some(domain));
        }
        for none in
            ["", "common", "a/../b", "..", "not a tenant", "127.0.0.1", "contoso..com", ".com", "a.b?c", "a%2e.b", "https://contoso.com"]
        {
            assert_eq!(tenant(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn any_text_results_in_a_valid_id_or_none(
            text in prop_oneof![
                any::<String>(),
                r"(\PC|[./\\?#%&={}:@0-9]){0,40}",
                r"(https://teams\.microsoft\.com)?(/_#)?/l/(team|channel|message)/(19(:|%3a|%253a))?[a-f0-9./%]{0,9}(@|%40)?thread\.tacv2(/[0-9.%]{0,9}){0,3}\?(groupId|parentMessageId|tenantId)=[0-9a-f./%-]{0,40}",
            ],
        ) {
            for kind in [IdOf::Level(&TEAM_LEVEL), IdOf::Level(&CHANNEL_LEVEL), IdOf::Level(&MESSAGE_LEVEL), IdOf::Excludable] {
                if let Some(id) = kind.read(&text) {
                    let is_clean = id.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | ':' | '@' | '.'));
                    prop_assert!(is_clean && !id.is_empty() && !id.contains(".."), "{text:?} results in {id:?}");
                    prop_assert_eq!(kind.read(&id), Some(id));
                }
            }
            if let Some(id) = tenant(&text) {
                let is_clean = id.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.'));
                prop_assert!(is_clean && !id.is_empty() && !id.contains(".."), "{text:?} results in {id:?}");
            }
        }
    }
}
