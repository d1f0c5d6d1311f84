//! Writes a chatMessage as JSON (graph.md 2.7), property by property, directly to the buffer of the page.

use fastrand::Rng;

use super::{body, events, flavour::Flavour, people, view::ChannelView};
use crate::{
    encode::JsonOut,
    rng::{Draw, mix},
    switches::DeletedBody,
    tenant::{Body, Message, MessageId, Reaction},
    time::Time,
};

/// Kinds of reactions: emoji and the old names (graph.md 2.7).
const REACTIONS: [&str; 8] = ["👍", "❤️", "😆", "like", "heart", "surprised", "🎉", "angry"];

/// Writes the whole object.
pub(crate) fn write_message(out: &mut Vec<u8>, view: &ChannelView<'_>, message: &Message, root: MessageId) {
    if let Some(raw) = message.raw() {
        out.raw(raw);
        return;
    }
    Writer { out, view, message, root, rng: Rng::with_seed(mix(view.seed, u64::from(message.seed))) }.write();
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    view: &'a ChannelView<'a>,
    message: &'a Message,
    root: MessageId,
    rng: Rng,
}

impl Writer<'_> {
    fn write(mut self) {
        let author = self.rng.u32(..people::AUTHORS);
        self.out.push(b'{');
        if self.view.typed {
            self.out.raw("\"@odata.type\":\"#microsoft.graph.chatMessage\",");
        }
        self.identity();
        self.times();
        self.labels();
        self.from(author);
        self.body();
        self.collections();
        self.unknown();
        self.out.push(b'}');
    }

    fn identity(&mut self) {
        let out = &mut *self.out;
        out.raw("\"id\":\"");
        out.number(self.message.id);
        out.raw("\",\"replyToId\":");
        if self.message.id == self.root {
            out.raw("null");
        } else {
            out.push(b'"');
            out.number(self.root);
            out.push(b'"');
        }
        out.raw(",\"etag\":\"");
        out.number(u64::try_from(self.message.modified.millis()).unwrap_or(0));
        // Without the `Prefer` header, Graph returns `unknownFutureValue` for this kind (graph.md 2.0, 3).
        out.raw(match self.message.flavour {
            Flavour::SystemEvent(_) if self.view.unknown_members => "\",\"messageType\":\"systemEventMessage\"",
            Flavour::SystemEvent(_) => "\",\"messageType\":\"unknownFutureValue\"",
            _ => "\",\"messageType\":\"message\"",
        });
    }

    fn times(&mut self) {
        let deleted = self.message.deleted().filter(|_| self.view.deleted_stamp);
        let is_modified = self.message.modified != self.message.created || !self.view.unmodified_is_null;
        for (name, time) in [
            (",\"createdDateTime\":", Some(self.message.created)),
            (",\"lastModifiedDateTime\":", Some(self.message.modified).filter(|_| is_modified)),
            (",\"lastEditedDateTime\":", self.message.edited()),
            (",\"deletedDateTime\":", deleted),
        ] {
            self.out.raw(name);
            self.out.maybe_time(time);
        }
    }

    fn labels(&mut self) {
        let sparse = self.message.flavour == Flavour::Sparse;
        let out = &mut *self.out;
        match &self.message.extra {
            Some(extra) if extra.subject.is_some() => {
                out.raw(",\"subject\":");
                out.string(extra.subject.as_deref().unwrap_or_default());
            }
            _ => out.raw(match self.rng.u64(..8) {
                0 => ",\"subject\":\"\"",
                1 if self.message.id == self.root => ",\"subject\":\"Wochenbericht & mehr\"",
                _ => ",\"subject\":null",
            }),
        }
        if !sparse {
            out.raw(",\"summary\":null,\"chatId\":null,\"policyViolation\":");
            body::write_policy_violation(out, self.message.flavour);
        }
        out.raw(match self.message.flavour {
            Flavour::Urgent => ",\"importance\":\"urgent\",\"locale\":\"en-us\"",
            Flavour::Announcement => ",\"importance\":\"high\",\"locale\":\"en-us\"",
            _ => ",\"importance\":\"normal\",\"locale\":\"en-us\"",
        });
        out.raw(",\"webUrl\":\"");
        out.raw(&self.view.web_url);
        out.number(self.message.id);
        out.raw(&self.view.web_query);
        out.number(self.message.id);
        out.raw("&parentMessageId=");
        out.number(self.root);
        out.raw("\",\"channelIdentity\":{\"teamId\":\"");
        out.raw(self.view.team_id);
        out.raw("\",\"channelId\":\"");
        out.raw(self.view.channel_id);
        out.raw("\"}");
        if let Flavour::SystemEvent(kind) = self.message.flavour {
            out.raw(",\"eventDetail\":");
            events::write_event(out, self.view, kind, &mut self.rng, self.message.created);
        } else if !sparse {
            out.raw(",\"eventDetail\":null");
        }
    }

    fn from(&mut self, author: u32) {
        let deleted = self.message.deleted().is_some() && self.view.deleted_from_null;
        self.out.raw(",\"from\":");
        match self.message.flavour {
            _ if deleted => self.out.raw("null"),
            Flavour::SystemEvent(_) | Flavour::GoneUser => self.out.raw("null"),
            Flavour::Bot => self.application("Polly", "bot"),
            Flavour::Connector => self.application("Jira Cloud", "office365Connector"),
            _ => self.user(author),
        }
    }

    fn application(&mut self, name: &str, kind: &str) {
        let out = &mut *self.out;
        out.raw("{\"device\":null,\"user\":null,\"conversation\":null,\"application\":{\"@odata.type\":\"#microsoft.graph.teamworkApplicationIdentity\",\"id\":\"");
        out.guid(people::id(self.view.seed, 9_001));
        out.raw("\",\"displayName\":");
        out.string(name);
        out.raw(",\"applicationIdentityType\":");
        out.string(kind);
        out.raw("}}");
    }

    fn user(&mut self, author: u32) {
        let out = &mut *self.out;
        // Some payloads have `conversation`, `@odata.type` and `tenantId`, others do not (graph.md 2.7).
        let variety = author % 4;
        out.raw(if variety == 0 {
            "{\"application\":null,\"device\":null,\"conversation\":null,\"user\":{"
        } else {
            "{\"application\":null,\"device\":null,\"user\":{"
        });
        if variety != 1 {
            out.raw("\"@odata.type\":\"#microsoft.graph.teamworkUserIdentity\",");
        }
        out.raw("\"id\":\"");
        out.guid(people::id(self.view.seed, author));
        out.raw("\",\"displayName\":");
        if self.message.flavour == Flavour::NamelessUser {
            out.raw("null")
        } else {
            people::write_name(out, author)
        }
        out.raw(match self.message.flavour {
            // `unknownFutureValue` without the `Prefer` header.
            Flavour::EmailUser if self.view.unknown_members => ",\"userIdentityType\":\"emailUser\"",
            Flavour::EmailUser => ",\"userIdentityType\":\"unknownFutureValue\"",
            _ => ",\"userIdentityType\":\"aadUser\"",
        });
        if variety != 2 {
            out.raw(",\"tenantId\":\"");
            out.raw(self.view.tenant_id);
            out.push(b'"');
        }
        out.raw("}}");
    }

    fn body(&mut self) {
        self.out.raw(",\"body\":{\"contentType\":");
        let extra = self.message.extra.as_deref();
        if self.message.deleted().is_some() && self.view.deleted_body != DeletedBody::Kept {
            self.out.raw(if self.view.deleted_body == DeletedBody::Null {
                "\"html\",\"content\":null}"
            } else {
                "\"html\",\"content\":\"\"}"
            });
        } else if let Some(Body { html, content }) = extra.and_then(|extra| extra.body.as_ref()) {
            self.out.raw(if *html { "\"html\",\"content\":" } else { "\"text\",\"content\":" });
            self.out.string(content);
            self.out.push(b'}');
        } else {
            body::write_body(self.out, self.view, self.message, &mut self.rng);
        }
    }

    fn collections(&mut self) {
        let flavour = self.message.flavour;
        self.out.raw(",\"attachments\":");
        body::write_attachments(self.out, self.message, &mut self.rng);
        self.out.raw(",\"mentions\":");
        body::write_mentions(self.out, self.view, flavour, &mut self.rng);
        let mut reactions: Vec<Reaction> = match flavour {
            Flavour::Reacted => (0..=self.rng.u64(..3)).map(|_| self.drawn_reaction()).collect(),
            _ => Vec::new(),
        };
        reactions.extend(self.message.extra.iter().flat_map(|extra| extra.reactions.iter().cloned()));
        self.out.raw(",\"reactions\":[");
        if flavour == Flavour::CustomReaction {
            self.out.raw("{\"reactionType\":\"custom\",\"displayName\":\"party parrot\",\"reactionContentUrl\":\"https://graph.microsoft.com/v1.0/…/hostedContents/aWQ9/$value\",\"createdDateTime\":");
            self.out.time(self.message.modified);
            self.out.raw(",\"user\":{\"application\":null,\"device\":null,\"user\":null}}");
            if !reactions.is_empty() {
                self.out.push(b',');
            }
        }
        for (index, reaction) in reactions.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.reaction(reaction);
        }
        self.out.push(b']');
        // Absent before about 2023 (graph.md 2.7).
        if flavour != Flavour::Sparse {
            self.out.raw(",\"messageHistory\":[");
            for (index, reaction) in reactions.iter().enumerate() {
                self.out.raw(if index > 0 { ",{\"modifiedDateTime\":" } else { "{\"modifiedDateTime\":" });
                self.out.time(reaction.at);
                self.out.raw(",\"actions\":\"reactionAdded\",\"reaction\":");
                self.reaction(reaction);
                self.out.push(b'}');
            }
            self.out.push(b']');
        }
    }

    fn drawn_reaction(&mut self) -> Reaction {
        let span = self.message.modified.since(self.message.created).as_millis() as u64;
        let at = Time::from_millis(self.message.created.millis() + self.rng.u64(..span + 1) as i64);
        Reaction { kind: self.rng.pick(&REACTIONS).into(), user: self.rng.u32(..people::AUTHORS), at }
    }

    fn reaction(&mut self, reaction: &Reaction) {
        let out = &mut *self.out;
        out.raw("{\"reactionType\":");
        out.string(&reaction.kind);
        out.raw(",\"displayName\":null,\"reactionContentUrl\":null,\"createdDateTime\":");
        out.time(reaction.at);
        out.raw(
            ",\"user\":{\"application\":null,\"device\":null,\"user\":{\"@odata.type\":\"#microsoft.graph.teamworkUserIdentity\",\"id\":\"",
        );
        out.guid(people::id(self.view.seed, reaction.user));
        out.raw("\",\"displayName\":null,\"userIdentityType\":\"aadUser\"}}}");
    }

    fn unknown(&mut self) {
        match self.message.flavour {
            Flavour::Unknown => self.out.raw(
                ",\"onBehalfOf\":null,\"sentiment\":{\"score\":0.25,\"big\":12345678901234567890,\"tags\":[\"ü\",null,true]},\"isPinned\":false,\"hostedContents@odata.context\":\"…\"",
            ),
            Flavour::Sparse => {}
            _ if self.rng.chance(3) => self.out.raw(",\"onBehalfOf\":null"),
            _ => {}
        }
    }
}
