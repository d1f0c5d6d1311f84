//! System events: every kind of eventDetail in section 3 of graph.md.

use fastrand::Rng;

use super::{people, view::ChannelView};
use crate::{encode::JsonOut, rng::Draw, time::Time};

/// The kinds, named as in `#microsoft.graph.{name}EventMessageDetail`.
pub const SYSTEM_EVENTS: [&str; 34] = [
    "teamCreated",
    "teamRenamed",
    "teamDescriptionUpdated",
    "teamArchived",
    "teamUnarchived",
    "teamJoiningEnabled",
    "teamJoiningDisabled",
    "channelAdded",
    "channelDeleted",
    "channelRenamed",
    "channelDescriptionUpdated",
    "channelSetAsFavoriteByDefault",
    "channelUnsetAsFavoriteByDefault",
    "membersAdded",
    "membersDeleted",
    "membersJoined",
    "membersLeft",
    "conversationMemberRoleUpdated",
    "teamsAppInstalled",
    "teamsAppRemoved",
    "teamsAppUpgraded",
    "tabUpdated",
    "messagePinned",
    "messageUnpinned",
    "chatRenamed",
    "meetingPolicyUpdated",
    "callStarted",
    "callEnded",
    "callRecording",
    "callTranscript",
    // Not in the CSDL, to check that clients accept unknown kinds.
    "somethingNew",
    "tabAdded",
    "tabRemoved",
    "channelModerated",
];

/// Writes the eventDetail object of the kind with this index.
pub(crate) fn write_event(out: &mut Vec<u8>, view: &ChannelView<'_>, kind: u8, rng: &mut Rng, at: Time) {
    let name = SYSTEM_EVENTS[usize::from(kind) % SYSTEM_EVENTS.len()];
    out.raw("{\"@odata.type\":\"#microsoft.graph.");
    out.raw(name);
    out.raw("EventMessageDetail\",");
    out.raw(&own_properties(view, name, rng, at));
    if name != "callTranscript" {
        out.raw(",\"initiator\":");
        write_initiator(out, view, rng);
    }
    out.push(b'}');
}

fn write_initiator(out: &mut Vec<u8>, view: &ChannelView<'_>, rng: &mut Rng) {
    if rng.chance(20) {
        out.raw(
            "{\"device\":null,\"user\":null,\"application\":{\"@odata.type\":\"#microsoft.graph.teamworkApplicationIdentity\",\"id\":\"",
        );
        out.guid(people::id(view.seed, 9_000));
        out.raw("\",\"displayName\":null,\"applicationIdentityType\":\"aadApplication\"}}");
        return;
    }
    out.raw("{\"application\":null,\"device\":null,\"user\":");
    write_user(out, view, rng.u32(..people::AUTHORS));
    out.push(b'}');
}

fn write_user(out: &mut Vec<u8>, view: &ChannelView<'_>, user: u32) {
    out.raw("{\"@odata.type\":\"#microsoft.graph.teamworkUserIdentity\",\"id\":\"");
    out.guid(people::id(view.seed, user));
    // Events usually have no names of users.
    out.raw("\",\"displayName\":null,\"userIdentityType\":\"aadUser\",\"tenantId\":\"");
    out.raw(view.tenant_id);
    out.raw("\"}");
}

fn own_properties(view: &ChannelView<'_>, name: &str, rng: &mut Rng, at: Time) -> String {
    let (team, channel) = (view.team_id, view.channel_id);
    let number = rng.u32(..);
    let call = format!("\"callId\":\"{number:08x}-call\"");
    match name {
        "teamCreated" => format!(r#""teamId":"{team}","teamDisplayName":"Team ☃","teamDescription":null"#),
        "teamRenamed" => format!(r#""teamId":"{team}","teamDisplayName":"New \"name\"""#),
        "teamDescriptionUpdated" => format!(r#""teamId":"{team}","teamDescription":"""#),
        "teamArchived" | "teamUnarchived" | "teamJoiningEnabled" | "teamJoiningDisabled" => format!(r#""teamId":"{team}""#),
        "channelAdded" | "channelDeleted" | "channelRenamed" => {
            format!(r#""channelId":"{channel}","channelDisplayName":"Ideen & Wünsche""#)
        }
        "channelDescriptionUpdated" => format!(r#""channelId":"{channel}","channelDescription":null"#),
        "channelSetAsFavoriteByDefault" | "channelUnsetAsFavoriteByDefault" => format!(r#""channelId":"{channel}""#),
        "membersAdded" => format!(r#""visibleHistoryStartDateTime":"0001-01-01T00:00:00Z","members":{}"#, members(view, rng)),
        "membersDeleted" | "membersJoined" | "membersLeft" => format!(r#""members":{}"#, members(view, rng)),
        "conversationMemberRoleUpdated" => format!(r#""conversationMemberRoles":["owner"],"conversationMemberUser":{}"#, user(view, rng)),
        "teamsAppInstalled" | "teamsAppRemoved" | "teamsAppUpgraded" => {
            format!(r#""teamsAppId":"{number:08x}","teamsAppDisplayName":"Praise""#)
        }
        "tabUpdated" | "tabAdded" | "tabRemoved" => format!(r#""tabId":"{number:08x}""#),
        "messagePinned" | "messageUnpinned" => format!(r#""eventDateTime":"{at}""#),
        "chatRenamed" => format!(r#""chatId":"{channel}","chatDisplayName":null"#),
        "meetingPolicyUpdated" => format!(r#""meetingChatId":"{channel}","meetingChatEnabled":false"#),
        "callStarted" => format!(r#"{call},"callEventType":"call""#),
        "callEnded" => format!(
            r#"{call},"callEventType":"meeting","callDuration":"PT{}M{}S","callParticipants":[{{"participant":{{"application":null,"device":null,"user":{}}}}}]"#,
            number % 90,
            number % 60,
            user(view, rng)
        ),
        "callRecording" => format!(
            r#"{call},"callRecordingDisplayName":"Meeting-{number}.mp4","callRecordingUrl":"https://contoso.example/{number}","callRecordingDuration":"PT1H2.5S","callRecordingStatus":"{}","meetingOrganizer":{{"application":null,"device":null,"user":{}}}"#,
            rng.pick(&["success", "failure", "initial", "chunkFinished"]),
            user(view, rng)
        ),
        "callTranscript" => format!(
            r#"{call},"callTranscriptICalUid":"{number:032X}","meetingOrganizer":{{"application":null,"device":null,"user":{}}}"#,
            user(view, rng)
        ),
        _ => format!(r#""unheardOf":{{"number":{number},"list":[1,null,"ü"]}}"#),
    }
}

fn members(view: &ChannelView<'_>, rng: &mut Rng) -> String {
    let list: Vec<String> = (0..=rng.u64(..3)).map(|_| user(view, rng)).collect();
    format!("[{}]", list.join(","))
}

fn user(view: &ChannelView<'_>, rng: &mut Rng) -> String {
    let mut json = Vec::new();
    write_user(&mut json, view, rng.u32(..people::AUTHORS));
    String::from_utf8_lossy(&json).into_owned()
}
