//! Bodies, attachments, mentions and policy violations of each kind of message.

use fastrand::Rng;

use super::{flavour::Flavour, people, view::ChannelView, words};
use crate::{encode::JsonOut, rng::Draw, tenant::Message};

const ATTACHMENT: &str = "a1b2c3d4-0000-4000-8000-";

/// Writes the rest of the body object after `"contentType":`.
pub(crate) fn write_body(out: &mut Vec<u8>, view: &ChannelView<'_>, message: &Message, rng: &mut Rng) {
    let len = match message.flavour {
        Flavour::Long => 27_000,
        _ if rng.chance(10) => 400 + rng.usize(..1_600),
        _ => 20 + rng.usize(..260),
    };
    match message.flavour {
        Flavour::SystemEvent(_) => out.raw("\"html\",\"content\":\"<systemEventMessage/>"),
        Flavour::Text | Flavour::Reacted | Flavour::NamelessUser | Flavour::Sparse => {
            out.raw("\"text\",\"content\":\"");
            words::write_text(out, rng, len);
        }
        Flavour::Mention | Flavour::TagMention => {
            out.raw("\"html\",\"content\":\"<div><at id=\\\"0\\\">");
            out.raw(if message.flavour == Flavour::Mention { "Adele" } else { "On-call" });
            out.raw("</at>&nbsp;");
            words::write_text(out, rng, len);
            out.raw("</div>");
        }
        Flavour::CardOnly => attachment_tag(out, "\"html\",\"content\":\"", message.seed),
        Flavour::AdaptiveCard | Flavour::Announcement | Flavour::CodeSnippet | Flavour::Forwarded | Flavour::Reference => {
            attachment_tag(out, "\"html\",\"content\":\"<p>", message.seed);
            words::write_text(out, rng, len);
            out.raw("</p>");
        }
        Flavour::HostedContent => {
            out.raw("\"html\",\"content\":\"<div><img src=\\\"https://graph.microsoft.com/v1.0/teams/");
            out.raw(view.team_id);
            out.raw("/channels/");
            out.raw(view.channel_id);
            out.raw("/messages/");
            out.number(message.id);
            out.raw("/hostedContents/aWQ9eF8wLXd1cy1kMS02YmI3Nzk3ZGU2MmRjODdiODA4YmQ1ZmI0OWM4NjI2ZCx0eXBlPTE=/$value\\\" width=\\\"431.0\\\" style=\\\"vertical-align:bottom\\\"></div>");
        }
        Flavour::PolicyViolation => out.raw("\"text\",\"content\":\""),
        Flavour::NonAscii => {
            out.raw("\"html\",\"content\":\"<p>漢字かな交じり文 🏴‍☠️ \\u00e9\\ud83d\\ude00 \\u2028 ");
            words::write_text(out, rng, len);
            out.raw("</p>");
        }
        _ => {
            out.raw("\"html\",\"content\":\"<p>");
            words::write_text(out, rng, len);
            out.raw("</p>");
        }
    }
    out.raw("\"}");
}

fn attachment_tag(out: &mut Vec<u8>, before: &str, seed: u32) {
    out.raw(before);
    out.raw("<attachment id=\\\"");
    attachment_id(out, seed);
    out.raw("\\\"></attachment>");
}

fn attachment_id(out: &mut Vec<u8>, seed: u32) {
    out.raw(ATTACHMENT);
    out.raw(&format!("{seed:012x}"));
}

pub(crate) fn write_attachments(out: &mut Vec<u8>, message: &Message, rng: &mut Rng) {
    let (kind, content, url, name) = match message.flavour {
        Flavour::Reference => (
            "reference",
            "null",
            "\"https://contoso.sharepoint.example/sites/x/Shared%20Documents/Bericht%20%C3%BC.docx\"",
            "\"Bericht ü.docx\"",
        ),
        Flavour::AdaptiveCard | Flavour::CardOnly => (
            "application/vnd.microsoft.card.adaptive",
            r#""{\r\n  \"type\": \"AdaptiveCard\",\r\n  \"body\": [{\"type\": \"TextBlock\", \"text\": \"Build \\\"42\\\" – grün\"}],\r\n  \"version\": \"1.4\"\r\n}""#,
            "null",
            "null",
        ),
        Flavour::Announcement => (
            "application/vnd.microsoft.card.announcement",
            r#""{\r\n  \"title\": \"Ankündigung\",\r\n  \"cardImageType\": \"colorTheme\"\r\n}""#,
            "null",
            "null",
        ),
        Flavour::CodeSnippet => (
            "application/vnd.microsoft.card.codesnippet",
            r#""{\r\n  \"language\": \"Rust\",\r\n  \"codeSnippetUrl\": \"https://graph.microsoft.com/v1.0/…/hostedContents/x/$value\"\r\n}""#,
            "null",
            "null",
        ),
        Flavour::Forwarded => (
            "forwardedMessageReference",
            r#""{\"originalMessageId\":\"1616990032035\",\"originalMessageContent\":\"<p>as I said<\/p>\",\"originalConversationId\":\"19:x@unq.gbl.spaces\",\"originalSentDateTime\":\"2024-01-02T03:04:05.6+00:00\",\"originalMessageSender\":{\"application\":null,\"user\":null}}""#,
            "null",
            "null",
        ),
        Flavour::Connector => {
            ("application/vnd.microsoft.teams.card.o365connector", r#""{\"title\":\"JIRA-1\",\"sections\":[]}""#, "null", "null")
        }
        _ => {
            out.raw("[]");
            return;
        }
    };
    out.raw("[{\"id\":\"");
    attachment_id(out, message.seed);
    out.raw("\",\"contentType\":\"");
    out.raw(kind);
    for (property, value) in [("\",\"contentUrl\":", url), (",\"content\":", content), (",\"name\":", name)] {
        out.raw(property);
        out.raw(value);
    }
    // Some payloads have no `teamsAppId`, which was added later.
    out.raw(if rng.chance(50) { ",\"thumbnailUrl\":null,\"teamsAppId\":null}]" } else { ",\"thumbnailUrl\":null}]" });
}

pub(crate) fn write_mentions(out: &mut Vec<u8>, view: &ChannelView<'_>, flavour: Flavour, rng: &mut Rng) {
    match flavour {
        Flavour::Mention => {
            out.raw("[{\"id\":0,\"mentionText\":\"Adele\",\"mentioned\":{\"application\":null,\"device\":null,\"conversation\":null,\"user\":{\"@odata.type\":\"#microsoft.graph.teamworkUserIdentity\",\"id\":\"");
            out.guid(people::id(view.seed, rng.u32(..people::AUTHORS)));
            out.raw("\",\"displayName\":\"Adele Vance\",\"userIdentityType\":\"aadUser\"}}}]");
        }
        Flavour::TagMention => out.raw(
            "[{\"id\":0,\"mentionText\":\"On-call\",\"mentioned\":{\"application\":null,\"device\":null,\"user\":null,\"conversation\":null,\"tag\":{\"id\":\"MjQzMmI1N2I\",\"displayName\":\"On-call\"}}}]",
        ),
        _ => out.raw("[]"),
    }
}

pub(crate) fn write_policy_violation(out: &mut Vec<u8>, flavour: Flavour) {
    out.raw(match flavour {
        Flavour::PolicyViolation => {
            r#"{"dlpAction":"notifySender,blockAccess","justificationText":null,"userAction":"none","verdictDetails":"allowFalsePositiveOverride,allowOverrideWithJustification","policyTip":{"generalText":"This item is protected by a policy.","complianceUrl":"https://contoso.example/policy","matchedConditionDescriptions":["Credit Card Number"]}}"#
        }
        _ => "null",
    });
}
