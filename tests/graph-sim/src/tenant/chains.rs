//! The chains of a channel, ordered by activity, with efficient paging from a position and efficient moves.

use std::collections::{BTreeSet, HashMap};

use super::message::{Message, MessageId};
use crate::time::Time;

/// A root message with its replies.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    pub(crate) root: Message,
    /// Oldest first.
    pub(crate) replies: Vec<Message>,
    /// The sort key of the list (graph.md 2.5).
    pub(crate) activity: Time,
}

impl Chain {
    /// The newest lastModifiedDateTime in the chain.
    fn newest(&self) -> Time {
        self.replies.iter().map(|reply| reply.modified).fold(self.root.modified, Time::max)
    }

    pub(crate) fn message(&self, id: MessageId) -> Option<&Message> {
        if id == self.root.id {
            return Some(&self.root);
        }
        self.replies.binary_search_by_key(&id, |reply| reply.id).ok().map(|index| &self.replies[index])
    }

    pub(crate) fn message_mut(&mut self, id: MessageId) -> Option<&mut Message> {
        if id == self.root.id {
            return Some(&mut self.root);
        }
        let index = self.replies.binary_search_by_key(&id, |reply| reply.id).ok()?;
        Some(&mut self.replies[index])
    }
}

/// The chains of one channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chains {
    by_root: HashMap<MessageId, Chain>,
    order: BTreeSet<(Time, MessageId)>,
    newest_id: MessageId,
}

impl Chains {
    pub(crate) fn len(&self) -> usize {
        self.by_root.len()
    }

    pub(crate) fn reply_counts(&self) -> impl Iterator<Item = usize> {
        self.by_root.values().map(|chain| chain.replies.len())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_root.is_empty()
    }

    pub(crate) fn get(&self, root: MessageId) -> Option<&Chain> {
        self.by_root.get(&root)
    }

    pub(crate) fn get_mut(&mut self, root: MessageId) -> Option<&mut Chain> {
        self.by_root.get_mut(&root)
    }

    /// Newest activity first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Chain> {
        self.resolve(self.order.iter().rev())
    }

    /// The chains after a position, newest activity first.
    pub(crate) fn after(&self, activity: Time, root: MessageId) -> impl Iterator<Item = &Chain> {
        self.resolve(self.order.range(..(activity, root)).rev())
    }

    fn resolve<'a>(&'a self, keys: impl Iterator<Item = &'a (Time, MessageId)>) -> impl Iterator<Item = &'a Chain> {
        keys.filter_map(|(_, root)| self.by_root.get(root))
    }

    /// Adds a new root without replies.
    pub(crate) fn insert(&mut self, root: Message, activity: Time) {
        self.note_id(root.id);
        self.order.insert((activity, root.id));
        self.by_root.insert(root.id, Chain { root, replies: Vec::new(), activity });
    }

    /// Adds a generated chain.
    pub(crate) fn insert_chain(&mut self, root: Message, replies: Vec<Message>) {
        let mut chain = Chain { activity: Time::MIN, root, replies };
        chain.activity = chain.newest();
        self.note_id(chain.root.id);
        if let Some(last) = chain.replies.last() {
            self.note_id(last.id);
        }
        self.order.insert((chain.activity, chain.root.id));
        self.by_root.insert(chain.root.id, chain);
    }

    /// Adds a reply in order, and moves the chain up to the time of the reply.
    pub(crate) fn insert_reply(&mut self, root: MessageId, reply: Message) {
        self.note_id(reply.id);
        let modified = reply.modified;
        if let Some(chain) = self.by_root.get_mut(&root) {
            let index = chain.replies.partition_point(|other| other.id < reply.id);
            chain.replies.insert(index, reply);
        }
        self.rise(root, modified);
    }

    /// Moves a chain up to `activity`, unless its activity is newer.
    pub(crate) fn rise(&mut self, root: MessageId, activity: Time) {
        if self.by_root.get(&root).is_some_and(|chain| chain.activity < activity) {
            self.move_to(root, activity);
        }
    }

    fn move_to(&mut self, root: MessageId, activity: Time) {
        if let Some(chain) = self.by_root.get_mut(&root) {
            self.order.remove(&(chain.activity, root));
            chain.activity = activity;
            self.order.insert((activity, root));
        }
    }

    /// Removes a message, and the whole chain of a root.
    pub(crate) fn remove(&mut self, root: MessageId, id: MessageId, reorder: bool) {
        if root == id {
            if let Some(chain) = self.by_root.remove(&root) {
                self.order.remove(&(chain.activity, root));
            }
            return;
        }
        if let Some(chain) = self.by_root.get_mut(&root) {
            chain.replies.retain(|reply| reply.id != id);
            let newest = chain.newest();
            if reorder {
                self.move_to(root, newest);
            }
        }
    }

    /// `requested`, or the next id that no message of the channel has.
    pub(crate) fn free_id(&self, requested: MessageId) -> MessageId {
        let mut id = requested;
        while id <= self.newest_id && self.by_root.values().any(|chain| chain.message(id).is_some()) {
            id += 1;
        }
        id
    }

    fn note_id(&mut self, id: MessageId) {
        self.newest_id = self.newest_id.max(id);
    }
}
