//! A chatMessage in memory. It is small, since benches have millions of them; its JSON is generated on request.

use serde::{Deserialize, Serialize};

use crate::{content::Flavour, time::Time};

/// The creation time in milliseconds, which Graph writes as a string (graph.md 2.7).
pub type MessageId = u64;

/// A root message or a reply.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: MessageId,
    pub(crate) created: Time,
    pub(crate) modified: Time,
    /// Its text, sender and optional properties are drawn from this seed.
    pub(crate) seed: u32,
    pub(crate) flavour: Flavour,
    /// Properties that few messages have.
    pub(crate) extra: Option<Box<Extra>>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Extra {
    pub(crate) edited: Option<Time>,
    pub(crate) deleted: Option<Time>,
    pub(crate) body: Option<Body>,
    pub(crate) subject: Option<Box<str>>,
    pub(crate) reactions: Vec<Reaction>,
    /// JSON that is served byte for byte instead of generated JSON.
    pub(crate) raw: Option<Box<str>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) html: bool,
    pub(crate) content: Box<str>,
}

#[derive(Clone, Debug)]
pub(crate) struct Reaction {
    pub(crate) kind: Box<str>,
    pub(crate) user: u32,
    pub(crate) at: Time,
}

impl Message {
    pub(crate) fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    pub(crate) fn edited(&self) -> Option<Time> {
        self.extra.as_ref()?.edited
    }

    pub(crate) fn deleted(&self) -> Option<Time> {
        self.extra.as_ref()?.deleted
    }

    pub(crate) fn raw(&self) -> Option<&str> {
        self.extra.as_ref()?.raw.as_deref()
    }
}

/// The location of a message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageRef {
    /// Returned by the simulator, but ignored in requests, since the channel id determines the team.
    #[serde(default)]
    pub team: String,
    pub channel: String,
    /// The id of its root message; its own id if it is a root.
    pub root: MessageId,
    pub id: MessageId,
}

impl MessageRef {
    pub fn is_root(&self) -> bool {
        self.root == self.id
    }

    /// The id as Graph writes it.
    pub fn id_text(&self) -> String {
        self.id.to_string()
    }
}

/// A message to post. Its time is the time of the clock, or of [`Tenant::at`](crate::Tenant::at).
#[derive(Clone, Debug, Default)]
pub struct Post {
    pub(crate) flavour: Flavour,
    pub(crate) seed: Option<u32>,
    pub(crate) id: Option<MessageId>,
    pub(crate) body: Option<Body>,
    pub(crate) subject: Option<Box<str>>,
    pub(crate) raw: Option<Box<str>>,
    pub(crate) fill: bool,
}

impl Post {
    /// A message of one of the kinds of the generator.
    pub fn generated(flavour: Flavour) -> Post {
        Post { flavour, ..Post::default() }
    }

    pub fn text(content: impl Into<Box<str>>) -> Post {
        Post { body: Some(Body { html: false, content: content.into() }), ..Post::default() }
    }

    pub fn html(content: impl Into<Box<str>>) -> Post {
        Post { body: Some(Body { html: true, content: content.into() }), ..Post::default() }
    }

    /// JSON that is served byte for byte. The simulator does not read it: its position in the list follows from the time of posting, and
    /// its id in paths is [`Post::id`] or that time.
    pub fn raw(json: impl Into<Box<str>>) -> Post {
        Post { raw: Some(json.into()), ..Post::default() }
    }

    /// Like [`Post::raw`], but replaces `$ID$`, `$ROOT$`, `$TIME$`, `$TEAM$` and `$CHANNEL$` first.
    pub fn template(json: impl Into<Box<str>>) -> Post {
        Post { raw: Some(json.into()), fill: true, ..Post::default() }
    }

    #[must_use]
    pub fn subject(mut self, subject: impl Into<Box<str>>) -> Post {
        self.subject = Some(subject.into());
        self
    }

    /// Sets an id other than the time of posting.
    #[must_use]
    pub fn id(mut self, id: MessageId) -> Post {
        self.id = Some(id);
        self
    }

    /// Sets the seed of the sender and the optional properties.
    #[must_use]
    pub fn seed(mut self, seed: u32) -> Post {
        self.seed = Some(seed);
        self
    }
}
