//! Ids of tenants, teams, channels and messages in the forms in which people copy them: bare, in braces, encoded, or inside a link of Teams.

use percent_encoding::percent_decode_str;
use url::Host;
use uuid::Uuid;

use crate::level::{IdForm, LEVELS, Level};

/// A text is decoded at most so often: links inside of links are encoded twice.
const DECODED: usize = 4;

/// What an id is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum IdOf {
    Level(&'static Level),
    /// Any level that can be left out.
    Excludable,
}

impl IdOf {
    /// The id in a text; [`None`] if it is not certain which one is meant.
    pub(super) fn read(self, text: &str) -> Option<String> {
        let text = decoded(text)?;
        let text = bare(&text);
        match self {
            Self::Level(level) => match level.form {
                IdForm::Guid(parameter) => of_guid(text, parameter),
                IdForm::Thread => channel(text),
                IdForm::Message => message(text),
            },
            Self::Excludable => parent(text),
        }
    }

    /// What an option with such ids takes.
    pub(super) fn allowed(self) -> String {
        let one = match self {
            Self::Level(Level { name, example, copied_with, .. }) => {
                format!("the id of a {name}, such as {example}, or the link that Teams copies with {copied_with}")
            }
            Self::Excludable => {
                let names: Vec<_> = LEVELS.iter().filter(|level| level.is_excludable).map(|level| format!("of a {}", level.name)).collect();
                format!("the id {}, or the link that Teams copies for it", names.join(" or "))
            }
        };
        format!("{one}; several are separated by commas")
    }
}

/// The id of a tenant, or one of its domains.
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

fn of_guid(text: &str, parameter: Option<&str>) -> Option<String> {
    guid(text).or_else(|| only(values(text, parameter?), guid)).or_else(|| guid(beginning(text)?))
}

fn channel(text: &str) -> Option<String> {
    let of_link = || only(segments(text, "channel").chain(segments(text, "message")), channel_id);
    channel_id(text).or_else(of_link).or_else(|| channel_id(beginning(text)?))
}

fn message(text: &str) -> Option<String> {
    // A reply's link names the root as well.
    let root = || only(values(text, "parentMessageId"), message_id);
    if let Some(id) = message_id(text) {
        return Some(id);
    }
    if values(text, "parentMessageId").next().is_some() {
        return root();
    }
    let of_link = || only(segments(text, "message").filter_map(|channel| after(text, channel)), message_id);
    of_link().or_else(|| message_id(beginning(text)?))
}

fn parent(text: &str) -> Option<String> {
    // A message cannot be left out, and it is not certain that its channel is meant.
    if segments(text, "message").next().is_some() {
        return None;
    }
    channel(text).or_else(|| if segments(text, "channel").next().is_some() { None } else { of_guid(text, Some("groupId")) })
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

/// The time of its creation in milliseconds.
fn message_id(text: &str) -> Option<String> {
    (!text.is_empty() && text.len() <= 20 && text.chars().all(|char| char.is_ascii_digit())).then(|| text.to_owned())
}

/// A text without its percent-encoding.
fn decoded(text: &str) -> Option<String> {
    let mut text = text.trim().to_owned();
    for _ in 0..DECODED {
        let decoded = percent_decode_str(&text).decode_utf8().ok()?;
        if decoded == text {
            return Some(text);
        }
        text = decoded.into_owned();
    }
    None
}

/// A text without the marks that stand around it.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let pairs = [('{', '}'), ('<', '>'), ('"', '"'), ('\'', '\'')];
    pairs.into_iter().find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close)).unwrap_or(text).trim()
}

/// The values of a parameter, in whatever query of the text.
fn values<'t>(text: &'t str, name: &'t str) -> impl Iterator<Item = &'t str> {
    let parameters = text.split(['?', '&', '#']).filter_map(|part| part.split_once('='));
    parameters.filter(move |(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// The segments that follow `/l/{kind}/` in a text.
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
                return Some(end(segment));
            }
        }
    })
}

/// The segment after that one.
fn after<'t>(text: &'t str, segment: &str) -> Option<&'t str> {
    let mut parts = text.split('/').skip_while(|part| *part != segment).skip(1);
    parts.next().map(end)
}

/// The text before its query, if it has one and no path.
fn beginning(text: &str) -> Option<&str> {
    let (beginning, _) = text.split_once(['?', '&'])?;
    Some(beginning.trim())
}

fn end(segment: &str) -> &str {
    segment.split(['?', '&', '#']).next().unwrap_or_default()
}

/// The one id that all of these are.
fn only<'t>(mut texts: impl Iterator<Item = &'t str>, read: impl Fn(&str) -> Option<String>) -> Option<String> {
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

    fn of_team() -> String {
        format!("https://teams.microsoft.com/l/team/{ENCODED}/conversations?groupId={TEAM}&tenantId={TENANT}")
    }

    fn of_channel() -> String {
        format!("https://teams.microsoft.com/l/channel/{ENCODED}/R%26D%2F%3F%3D?groupId={TEAM}&tenantId={TENANT}")
    }

    fn of_reply() -> String {
        format!(
            "https://teams.microsoft.com/l/message/{ENCODED}/1616963399999?tenantId={TENANT}&groupId={TEAM}&parentMessageId=1616963377068\
             &teamName=A%20team&channelName=General&createdTime=1616963399999"
        )
    }

    /// A link to the page that opens the application.
    fn launcher(link: &str) -> String {
        let path = link.trim_start_matches("https://teams.microsoft.com");
        let encoded: String = url::form_urlencoded::byte_serialize(format!("/_#{path}").as_bytes()).collect();
        format!("https://teams.microsoft.com/dl/launcher/launcher.html?url={encoded}&type=channel")
    }

    #[test]
    fn a_team_is_found_in_all_that_people_copy() {
        let forms = [
            TEAM.to_owned(),
            TEAM.to_uppercase(),
            TEAM.replace('-', ""),
            format!("{{{TEAM}}}"),
            format!(" \"{TEAM}\" "),
            format!("%7B{TEAM}%7D"),
            format!("{TEAM}&tenantId={TENANT}"),
            format!("groupId={TEAM}&tenantId={TENANT}"),
            format!("<{}>", of_team()),
            of_team(),
            of_channel(),
            of_reply(),
            launcher(&of_team()),
        ];
        for form in forms {
            assert_eq!(IdOf::Level(&TEAM_LEVEL).read(&form).as_deref(), Some(TEAM), "{form}");
        }
    }

    #[test]
    fn a_channel_is_found_in_all_that_people_copy() {
        let forms = [
            CHANNEL.to_owned(),
            ENCODED.to_owned(),
            ENCODED.replace('%', "%25"),
            format!("{{{CHANNEL}}}"),
            format!("{ENCODED}?groupId={TEAM}"),
            of_channel(),
            of_reply(),
            of_channel().replace(ENCODED, CHANNEL),
            launcher(&of_channel()),
        ];
        for form in forms {
            assert_eq!(IdOf::Level(&CHANNEL_LEVEL).read(&form).as_deref(), Some(CHANNEL), "{form}");
        }
        for id in ["19:Abc-_1@thread.tacv2", "19:0123@thread.skype"] {
            assert_eq!(IdOf::Level(&CHANNEL_LEVEL).read(id).as_deref(), Some(id));
        }
    }

    #[test]
    fn a_thread_is_that_of_its_root() {
        let of_root = of_reply().replace("1616963399999", "1616963377068").replace("&parentMessageId=1616963377068", "");
        for form in ["1616963377068".to_owned(), "1616963377068?context=x".to_owned(), of_root, of_reply(), launcher(&of_reply())] {
            assert_eq!(IdOf::Level(&MESSAGE_LEVEL).read(&form).as_deref(), Some("1616963377068"), "{form}");
        }
    }

    #[test]
    fn teams_and_channels_can_be_left_out_by_their_links() {
        for (form, id) in [(of_team(), TEAM), (of_channel(), CHANNEL), (TEAM.to_owned(), TEAM), (ENCODED.to_owned(), CHANNEL)] {
            assert_eq!(IdOf::Excludable.read(&form).as_deref(), Some(id), "{form}");
        }
    }

    #[test]
    fn what_is_not_certain_is_no_id() {
        let two = format!("groupId={TEAM}&groupId={TENANT}");
        for form in
            ["Sales", "", "..", "a/../b", "1616963377068", CHANNEL, &two, &format!("{TEAM}/../users"), &format!("tenantId={TENANT}")]
        {
            assert_eq!(IdOf::Level(&TEAM_LEVEL).read(form), None, "{form}");
        }
        let chat = "https://teams.microsoft.com/l/chat/19:meeting@thread.v2/0";
        for form in
            ["General", TEAM, &of_team(), chat, "19:4a95f7d8", "19:@thread.tacv2", &format!("{CHANNEL}/../../x"), "19:a/b@thread.tacv2"]
        {
            assert_eq!(IdOf::Level(&CHANNEL_LEVEL).read(form), None, "{form}");
        }
        let conflicting = format!("{}&parentMessageId=2", of_reply());
        for form in ["", "-1", "1e5", "١٢٣", &of_channel(), &conflicting] {
            assert_eq!(IdOf::Level(&MESSAGE_LEVEL).read(form), None, "{form}");
        }
        for form in ["Sales", &of_reply(), "1616963377068"] {
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
        fn whatever_is_written_gives_a_clean_id_or_none(
            text in prop_oneof![
                any::<String>(),
                r"(\PC|[./\\?#%&={}:@0-9]){0,40}",
                r"(https://teams\.microsoft\.com)?(/_#)?/l/(team|channel|message)/(19(:|%3a|%253a))?[a-f0-9./%]{0,9}(@|%40)?thread\.tacv2(/[0-9.%]{0,9}){0,3}\?(groupId|parentMessageId|tenantId)=[0-9a-f./%-]{0,40}",
            ],
        ) {
            for kind in [IdOf::Level(&TEAM_LEVEL), IdOf::Level(&CHANNEL_LEVEL), IdOf::Level(&MESSAGE_LEVEL), IdOf::Excludable] {
                if let Some(id) = kind.read(&text) {
                    let is_clean = id.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | ':' | '@' | '.'));
                    prop_assert!(is_clean && !id.is_empty() && !id.contains(".."), "{text:?} gives {id:?}");
                    prop_assert_eq!(kind.read(&id), Some(id));
                }
            }
            if let Some(id) = tenant(&text) {
                let is_clean = id.chars().all(|char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.'));
                prop_assert!(is_clean && !id.is_empty() && !id.contains(".."), "{text:?} gives {id:?}");
            }
        }
    }
}
