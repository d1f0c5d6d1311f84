//! The list of all streams. Catalogs, schemas, selection and reading are derived from their declarations.

mod channel_members;
mod channels;
mod lookup;
mod members;
mod message_replies;
mod messages;
mod per_stream;
mod record;
mod set;
mod stream;
mod team_device_usage_report;
mod teams;

pub use channel_members::{CHANNEL_MEMBERS, ChannelMember};
pub use channels::{CHANNEL_READ, CHANNELS, Channel, channel};
pub use members::{MEMBERS, Member};
pub use message_replies::{MESSAGE_REPLIES, Reply, replies};
pub use messages::{Body, CHANNEL_MESSAGE_READ, MAX_TOP, MESSAGES, Message, delta, message, messages_with_replies, root_messages};
pub use per_stream::PerStream;
pub use set::StreamSet;
pub use stream::{DiscoveredParents, List, MessageKind, Mode, Read, Selected, Stream};
pub use team_device_usage_report::{TEAM_DEVICE_USAGE_REPORT, TeamDeviceUsage};
pub use teams::{GROUP_READ, TEAM_READ, TEAMS, Team, group_ids, group_names, groups, team};
pub(crate) use teams::{properties, properties_of_group};

/// All streams, parents first.
pub static STREAMS: &[&Stream] = &[&TEAMS, &CHANNELS, &MEMBERS, &MESSAGES, &MESSAGE_REPLIES, &CHANNEL_MEMBERS, &TEAM_DEVICE_USAGE_REPORT];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn every_target_accepts_the_names() {
        for stream in STREAMS {
            let columns: Vec<_> = stream.columns().names().collect();
            for name in columns.iter().copied().chain([stream.name]) {
                assert!(name.len() < 50 && name.chars().all(|char| char.is_ascii_alphanumeric() || char == '_'), "{name}");
            }
            let lower: HashSet<_> = columns.iter().map(|name| name.to_lowercase()).collect();
            assert_eq!(lower.len(), columns.len(), "{}", stream.name);
        }
    }

    #[test]
    fn keys_and_cursors_are_columns_and_keys_are_never_null() {
        for stream in STREAMS {
            for key in stream.primary_key {
                assert_eq!(stream.schema()["properties"][key]["type"], "string", "{}.{key}", stream.name);
            }
            if let Some(cursor) = stream.cursor {
                assert_eq!(stream.schema()["properties"][cursor]["format"], "date-time", "{}.{cursor}", stream.name);
            }
        }
    }

    #[test]
    fn every_property_has_a_description_and_is_nullable_unless_it_is_an_id_or_a_key() {
        fn check(schema: &Value, path: &str, keys: &[&str]) {
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                let path = format!("{path}.{name}");
                assert!(property["description"].as_str().is_some_and(|text| text.ends_with('.')), "{path} has no description");
                if property["type"] != "string" {
                    assert_eq!(property["type"][1], "null", "{path}");
                } else {
                    assert!(name.ends_with("id") || keys.contains(&&**name), "{path}");
                }
                for forbidden in ["$ref", "anyOf", "oneOf", "enum", "additionalProperties"] {
                    assert!(property.get(forbidden).is_none(), "{path} has {forbidden}");
                }
                check(property, &path, &[]);
            }
        }
        for stream in STREAMS {
            check(stream.schema(), stream.name, stream.primary_key);
        }
    }
}
