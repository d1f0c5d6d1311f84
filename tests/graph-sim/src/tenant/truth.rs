//! The expected data, as Graph would return it with `Prefer: include-unknown-enum-members`, for tests to compare with.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Channel, Message, MessageId, Team, Tenant};
use crate::content::{ChannelView, write_message};

/// A message as it is now.
#[derive(Clone, Debug)]
pub struct MessageTruth<J = String> {
    pub team: String,
    pub channel: String,
    pub root: MessageId,
    pub id: MessageId,
    /// The whole object, without properties that only lists contain (`replies`, `@odata.type`).
    pub json: J,
}

impl<J> MessageTruth<J> {
    pub fn is_root(&self) -> bool {
        self.root == self.id
    }
}

impl MessageTruth {
    /// The parsed object. None if serde_json cannot parse it, for example because of a lone surrogate.
    pub fn value(&self) -> Option<Value> {
        serde_json::from_str(&self.json).ok()
    }
}

/// The data of a whole tenant, by id. The key of a message is the id of its channel and its own id.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    /// All groups that match the filter for teams, with or without a team.
    pub groups: BTreeMap<String, Value>,
    pub teams: BTreeMap<String, Value>,
    /// By team and channel.
    pub channels: BTreeMap<(String, String), Value>,
    /// By team and membership id.
    pub members: BTreeMap<(String, String), Value>,
    /// By team, channel and membership id.
    pub channel_members: BTreeMap<(String, String, String), Value>,
    /// The rows of the device usage report.
    pub device_usage: Vec<Value>,
    pub messages: BTreeMap<(String, MessageId), MessageTruth>,
    pub replies: BTreeMap<(String, MessageId), MessageTruth>,
}

impl Tenant {
    pub fn truth(&self) -> Truth {
        let mut truth = Truth { device_usage: self.device_usage(), ..Truth::default() };
        for group in self.groups() {
            truth.groups.insert(group.id.clone(), group.group_json());
        }
        for team in self.teams() {
            truth.teams.insert(team.id.clone(), team.json());
            for channel in team.channels() {
                truth.channels.insert((team.id.clone(), channel.id.clone()), channel.json(team, true));
                for member in channel.all_members(team) {
                    let key = (team.id.clone(), channel.id.clone(), member.id(self, team, channel));
                    truth.channel_members.insert(key, member.json(self, team, channel));
                }
            }
            for member in team.members() {
                truth.members.insert((team.id.clone(), member.id(self, team)), member.json(self, team));
            }
        }
        self.visit_messages(|message| {
            let table = if message.is_root() { &mut truth.messages } else { &mut truth.replies };
            let key = (message.channel.clone(), message.id);
            let json = String::from_utf8_lossy(message.json).into_owned();
            let MessageTruth { team, channel, root, id, .. } = message;
            table.insert(key, MessageTruth { team, channel, root, id, json });
        });
        truth
    }

    /// Visits every message and reply, one at a time, for tenants that are too large for [`Tenant::truth`].
    pub fn visit_messages(&self, mut visit: impl FnMut(MessageTruth<&[u8]>)) {
        let mut json = Vec::with_capacity(4096);
        for team in self.teams() {
            for channel in team.channels() {
                self.visit_channel(team, channel, &mut json, &mut visit);
            }
        }
    }

    fn visit_channel(&self, team: &Team, channel: &Channel, json: &mut Vec<u8>, visit: &mut impl FnMut(MessageTruth<&[u8]>)) {
        let view = ChannelView::new(self, team, channel).with_unknown_members(true);
        let mut visit_one = |root: MessageId, message: &Message| {
            json.clear();
            write_message(json, &view, message, root);
            visit(MessageTruth { team: team.id.clone(), channel: channel.id.clone(), root, id: message.id, json });
        };
        for chain in channel.chains.iter() {
            visit_one(chain.root.id, &chain.root);
            for reply in &chain.replies {
                visit_one(chain.root.id, reply);
            }
        }
    }

    /// One message, or none if it does not exist.
    pub fn message_truth(&self, at: &super::MessageRef) -> Option<MessageTruth> {
        let (team, channel) = self.team_of(&at.channel).zip(self.channel(&at.channel))?;
        let message = channel.chains.get(at.root)?.message(at.id)?;
        let view = ChannelView::new(self, team, channel).with_unknown_members(true);
        let mut json = Vec::new();
        write_message(&mut json, &view, message, at.root);
        let json = String::from_utf8_lossy(&json).into_owned();
        Some(MessageTruth { team: at.team.clone(), channel: at.channel.clone(), root: at.root, id: at.id, json })
    }
}
