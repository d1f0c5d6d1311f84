//! A chatMessage in memory: small, since a bench holds millions; its JSON is made when it is asked for.

use serde::{Deserialize, Serialize};

use crate::{content::Flavour, time::Time};

/// The creation time in milliseconds, which Graph gives as text (graph.md 2.7).
pub type MessageId = u64;

/// One message, root or reply.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: MessageId,
    pub(crate) created: Time,
    pub(crate) modified: Time,
    /// What its text, sender and options are drawn from.
    pub(crate) seed: u32,
    pub(crate) flavour: Flavour,
    /// What few messages have.
    pub(crate) extra: Option<Box<Extra>>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Extra {
    pub(crate) edited: Option<Time>,
    pub(crate) deleted: Option<Time>,
    pub(crate) body: Option<Body>,
    pub(crate) subject: Option<Box<str>>,
    pub(crate) reactions: Vec<Reaction>,
    /// JSON that is served byte for byte instead of anything made.
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

/// Where a message stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageAt {
    /// Told, not asked: a channel's id says which team.
    #[serde(default)]
    pub team: String,
    pub channel: String,
    /// The root of its chain; its own id when it is one.
    pub root: MessageId,
    pub id: MessageId,
}

impl MessageAt {
    pub fn is_root(&self) -> bool {
        self.root == self.id
    }

    /// The id as Graph writes it.
    pub fn id_text(&self) -> String {
        self.id.to_string()
    }
}

/// A message to be posted. Its time is the clock's, or that of [`Tenant::at`](crate::Tenant::at).
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
    /// A message of a kind that the generator knows, contents drawn from its time.
    pub fn of(flavour: Flavour) -> Post {
        Post { flavour, ..Post::default() }
    }

    pub fn text(content: impl Into<Box<str>>) -> Post {
        Post { body: Some(Body { html: false, content: content.into() }), ..Post::default() }
    }

    pub fn html(content: impl Into<Box<str>>) -> Post {
        Post { body: Some(Body { html: true, content: content.into() }), ..Post::default() }
    }

    /// JSON that is served byte for byte. The simulator knows nothing of what is in it: its place in the list is that of the
    /// time of posting, its id in paths that of [`Post::id`] or the time.
    pub fn raw(json: impl Into<Box<str>>) -> Post {
        Post { raw: Some(json.into()), ..Post::default() }
    }

    /// As [`Post::raw`], after `$ID$`, `$ROOT$`, `$TIME$`, `$TEAM$` and `$CHANNEL$` have been filled in.
    pub fn template(json: impl Into<Box<str>>) -> Post {
        Post { raw: Some(json.into()), fill: true, ..Post::default() }
    }

    #[must_use]
    pub fn subject(mut self, subject: impl Into<Box<str>>) -> Post {
        self.subject = Some(subject.into());
        self
    }

    /// An id that is not the time of posting.
    #[must_use]
    pub fn id(mut self, id: MessageId) -> Post {
        self.id = Some(id);
        self
    }

    /// What sender and options are drawn from.
    #[must_use]
    pub fn seed(mut self, seed: u32) -> Post {
        self.seed = Some(seed);
        self
    }
}
