//! The state of a stream: where the next run goes on. Documented in `docs/state.md`; what is written here is read by every later version.

use std::{collections::BTreeMap, fmt, sync::Arc};

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The version that this program writes.
pub const VERSION: u64 = 1;

/// The beginning of all times: Graph's own way to say that there is no bound.
pub const BEGINNING: DateTime<Utc> = match NaiveDate::from_ymd_opt(1, 1, 1) {
    Some(date) => date.and_time(NaiveTime::MIN).and_utc(),
    None => DateTime::<Utc>::UNIX_EPOCH,
};

/// A full refresh that was interrupted is taken up for so long; then what it has read is too old.
const FULL_REFRESH_LASTS: TimeDelta = TimeDelta::days(7);

/// What must be encoded in an id, so that a key has one meaning.
const KEY: &AsciiSet = &CONTROLS.add(b'/').add(b'%');

/// What a stream's state holds, the same in both protocols.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamState {
    version: u64,
    /// Of a stream that is read in full each time there is nothing more to say.
    #[serde(flatten)]
    channels: Option<Channels>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Channels {
    /// The tenant that was read.
    tenant: String,
    /// Written while a full refresh is under way: when it began, by Graph's clock. Only another full refresh takes up its channels.
    full: Option<Full>,
    /// Under `<team>/<channel>`, of single threads under `<team>/<channel>/<message>`; null: gone.
    channels: BTreeMap<String, Option<Arc<ChannelState>>>,
}

/// The mark of a full refresh.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
enum Full {
    Since(DateTime<Utc>),
    /// Nothing was read yet.
    Begins(bool),
}

/// Where a channel, or a thread, can go on. Absent values are written as null: some consumers merge states deeply.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ChannelState {
    /// The cursor: the newest activity that a finished walk has met.
    pub last_modified_date_time: Option<DateTime<Utc>>,
    /// Graph's clock at the first page of that walk's last pass; [`None`]: no walk has found anything yet.
    pub read_at: Option<DateTime<Utc>>,
    /// How far back the channel was read; [`None`]: to its beginning.
    pub since: Option<DateTime<Utc>>,
    /// The walk that is not finished.
    pub walk: Option<WalkState>,
    /// Where delta's next round begins, without scheme and host.
    pub delta_link: Option<String>,
    /// Graph's clock at the first page of delta's last finished round, or the time from which delta is to be opened.
    pub delta_at: Option<DateTime<Utc>>,
    /// What stands in delta's way; null if nothing does.
    #[serde(with = "or_null")]
    pub delta: DeltaState,
    /// Hashes of items that were left out, damaged or too large, and said: else every run that meets them would say them again.
    #[serde(with = "or_null")]
    pub damage: Vec<String>,
}

/// A walk that is not finished.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WalkState {
    /// The next page of the pass, without scheme and host; [`None`]: the pass begins.
    pub link: Option<String>,
    /// The newest activity on the pass's first page, as served.
    pub head: Option<DateTime<Utc>>,
    /// Graph's clock at the pass's first page.
    pub read_at: Option<DateTime<Utc>>,
    /// Where the pass stops, if it closes another.
    pub until: Option<DateTime<Utc>>,
    /// How far down the walk goes: what is older is not wanted, or was told before.
    pub floor: DateTime<Utc>,
    /// Graph's clock at the very first page of the walk.
    pub began: Option<DateTime<Utc>>,
    /// How far down another run has to look for records that one has held back, since it had emitted another version of their keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owed: Option<DateTime<Utc>>,
}

/// What is not finished of delta.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DeltaState {
    /// The round that is not finished.
    pub round: Option<RoundState>,
    /// When delta was refused for the channel.
    pub refused_at: Option<DateTime<Utc>>,
}

/// Writes a value that says nothing as null: states are large where there are many channels.
mod or_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Default + PartialEq + Serialize, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        (*value != T::default()).then_some(value).serialize(serializer)
    }

    pub(super) fn deserialize<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        Option::deserialize(deserializer).map(Option::unwrap_or_default)
    }
}

/// A round of delta that is not finished.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoundState {
    /// Its next page, without scheme and host.
    pub link: String,
    /// Graph's clock at its first page.
    pub at: DateTime<Utc>,
}

/// Why a state cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invalid {
    /// The key in the state, with its path.
    pub key: String,
    /// What is wrong with it.
    pub reason: String,
}

/// The key of a channel, or of a thread: its ids, from the team's down.
pub fn key(ids: &[&str]) -> String {
    let ids: Vec<_> = ids.iter().map(|id| utf8_percent_encode(id, KEY).to_string()).collect();
    ids.join("/")
}

/// The ids that make a key.
pub fn ids(key: &str) -> impl Iterator<Item = String> {
    key.split('/').map(|id| percent_decode_str(id).decode_utf8_lossy().into_owned())
}

impl StreamState {
    /// The state of a stream that is read in full each time.
    pub fn of_snapshot() -> Self {
        Self { version: VERSION, channels: None }
    }

    /// The state of a stream of channels that were not read yet.
    pub fn of_channels(tenant: &str) -> Self {
        Self { version: VERSION, channels: Some(Channels { tenant: tenant.to_owned(), full: None, channels: BTreeMap::new() }) }
    }

    /// The state with which an incremental run begins.
    ///
    /// # Errors
    /// If what was written is of another version or tenant, or damaged: the key is named.
    pub fn begin_incremental(written: &Value, tenant: &str) -> Result<Self, Invalid> {
        // What a full refresh has read so far may be thrown away by the destination.
        Ok(Some(Self::read(written, tenant)?).filter(|state| !state.is_full()).unwrap_or_else(|| Self::of_channels(tenant)))
    }

    /// The state with which a full refresh begins: what another one that was interrupted has read, or nothing.
    pub fn begin_full_refresh(written: &Value, tenant: &str, now: DateTime<Utc>) -> Self {
        let mut state = Self::read(written, tenant).unwrap_or_else(|_| Self::of_channels(tenant));
        if let Some(own) = &mut state.channels {
            match own.full {
                Some(Full::Since(mark)) if now - mark < FULL_REFRESH_LASTS => {
                    own.channels.retain(|_, channel| channel.as_ref().is_some_and(|channel| channel.is_of_full_refresh(mark)));
                }
                _ => (own.full, own.channels) = (Some(Full::Begins(true)), BTreeMap::new()),
            }
        }
        state
    }

    /// Takes the state of a stream of channels that an earlier run wrote; nothing usable means that none was.
    fn read(written: &Value, tenant: &str) -> Result<Self, Invalid> {
        let mut state = Self::of_channels(tenant);
        let written = match written {
            Value::Null => return Ok(state),
            Value::Object(written) => written,
            _ => return Err(Invalid::new("", "it is not an object")),
        };
        match written.get("version") {
            // Some tools rewrite numbers as floats.
            Some(version) if version.as_f64() == Some(VERSION as f64) => {}
            Some(version) => {
                let reason =
                    format!("it is {version}; this program reads {VERSION}: use the program that wrote it, or start without a state");
                return Err(Invalid::new("version", reason));
            }
            // `{}`, and the markers that platforms write for streams without a cursor.
            None if !written.contains_key("channels") => return Ok(state),
            None => return Err(Invalid::new("version", "it is missing")),
        }
        if let Some(Value::String(of)) = written.get("tenant")
            && !of.eq_ignore_ascii_case(tenant)
        {
            let reason = format!("the state is of {of}, the configuration names {tenant}: name the tenant alike, or start without a state");
            return Err(Invalid::new("tenant", reason));
        }
        let no_channels = Map::new();
        let channels = match written.get("channels") {
            None | Some(Value::Null) => &no_channels,
            Some(Value::Object(channels)) => channels,
            Some(_) => return Err(Invalid::new("channels", "it is not an object")),
        };
        if let Some(own) = &mut state.channels {
            own.full = written.get("full").and_then(|full| Full::deserialize(full).ok()).filter(|full| *full != Full::Begins(false));
            for (key, channel) in channels.iter().filter(|(_, channel)| !channel.is_null()) {
                own.channels.insert(key.clone(), Some(Arc::new(ChannelState::read(key, channel)?)));
            }
        }
        Ok(state)
    }

    /// What is known of a channel.
    pub fn channel(&self, key: &str) -> Option<&ChannelState> {
        self.channels.as_ref()?.channels.get(key)?.as_deref()
    }

    /// The keys of what is known.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.channels.iter().flat_map(|own| &own.channels).filter(|(_, channel)| channel.is_some()).map(|(key, _)| key.as_str())
    }

    /// Takes note of a channel; [`None`]: it is gone.
    pub fn set(&mut self, key: String, channel: Option<ChannelState>) {
        let Some(own) = &mut self.channels else { return };
        if let (Some(Full::Begins(true)), Some(began)) = (own.full, channel.as_ref().and_then(ChannelState::began)) {
            // Other channels may have begun a moment before.
            own.full = Some(Full::Since(began - TimeDelta::seconds(2)));
        }
        own.channels.insert(key, channel.map(Arc::new));
    }

    /// Whether it was written in the midst of a full refresh.
    pub fn is_full(&self) -> bool {
        self.channels.as_ref().is_some_and(|own| own.full.is_some())
    }

    /// The full refresh is no longer under way.
    pub fn end_full_refresh(&mut self) {
        if let Some(own) = &mut self.channels {
            own.full = None;
        }
    }
}

impl ChannelState {
    /// Graph's clock when its walk began, or when it was read last.
    fn began(&self) -> Option<DateTime<Utc>> {
        self.walk.as_ref().map_or(self.read_at, |walk| walk.began)
    }

    /// Whether the full refresh that began at the mark has read it: states that were merged deeply hold older channels too.
    fn is_of_full_refresh(&self, mark: DateTime<Utc>) -> bool {
        let is_first_walk = self.walk.is_none() || self.read_at.is_none();
        is_first_walk && self.began().is_some_and(|began| began >= mark)
    }

    fn read(key: &str, written: &Value) -> Result<Self, Invalid> {
        let path = |below: &str| format!("channels.{key}{}{below}", if below.is_empty() { "" } else { "." });
        let state: Self = serde_path_to_error::deserialize(written).map_err(|error| {
            let below = error.path().to_string();
            Invalid::new(path(if below == "." { "" } else { &below }), error.inner().to_string())
        })?;
        let walk = state.walk.as_ref();
        if walk.is_some_and(|walk| walk.link.is_some() && (walk.read_at.is_none() || walk.began.is_none())) {
            return Err(Invalid::new(path("walk"), "it has a `link` without `readAt` and `began`"));
        }
        let links = [
            ("walk.link", walk.and_then(|walk| walk.link.as_ref())),
            ("deltaLink", state.delta_link.as_ref()),
            ("delta.round.link", state.delta.round.as_ref().map(|round| &round.link)),
        ];
        let astray = links.into_iter().find(|(_, link)| link.is_some_and(|link| !leads_below(link, key)));
        if let Some((name, _)) = astray {
            return Err(Invalid::new(path(name), "the link does not lead to this channel"));
        }
        Ok(state)
    }
}

/// Whether a link, without scheme and host, is one of the channel's messages: `/v1.0/teams('T')/channels('C')/messages...`, or with slashes.
pub fn leads_below(link: &str, key: &str) -> bool {
    let path = link.split(['?', '#']).next().unwrap_or_default();
    let Some(parts) = parts(path) else { return false };
    let mut ids = ids(key);
    let (team, channel) = (ids.next().unwrap_or_default(), ids.next().unwrap_or_default());
    let expected = ["v1.0", "teams", &team, "channels", &channel, "messages"];
    let leads = parts.len() >= expected.len() && parts.iter().zip(expected).all(|(part, expected)| part.eq_ignore_ascii_case(expected));
    leads && !parts.iter().any(|part| part.contains("..")) && !link.contains(char::is_control)
}

/// The names and ids of a path, each decoded by itself, since an encoded slash parts nothing; [`None`] if it is no path.
fn parts(path: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    for segment in path.strip_prefix('/')?.split('/') {
        let segment = percent_decode_str(segment).decode_utf8().ok()?;
        match segment.strip_suffix("')").and_then(|keyed| keyed.split_once("('")) {
            Some((name, id)) => parts.extend([name.to_owned(), id.to_owned()]),
            None => parts.push(segment.into_owned()),
        }
    }
    Some(parts)
}

impl Invalid {
    fn new(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { key: key.into(), reason: reason.into() }
    }
}

impl std::error::Error for Invalid {}

impl fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key.as_str() {
            "" => formatter.write_str(&self.reason),
            key => write!(formatter, "`{key}`: {}", self.reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn full() -> StreamState {
        let mut state = StreamState::of_channels("contoso.com");
        let walk = WalkState {
            link: Some("/v1.0/teams('t')/channels('19:c@thread.tacv2')/messages?$skiptoken=x".into()),
            head: Some(time("2026-11-20T10:00:00.123Z")),
            read_at: Some(time("2026-11-20T10:01:00Z")),
            until: Some(time("2026-11-20T09:00:00Z")),
            floor: time("2026-11-19T09:00:00.000000001Z"),
            began: Some(time("2026-11-20T09:00:00Z")),
            owed: None,
        };
        let idle = ChannelState {
            last_modified_date_time: Some(time("2026-11-20T10:00:00.123Z")),
            read_at: Some(time("2026-11-20T10:01:00Z")),
            since: Some(time("2024-01-01T00:00:00Z")),
            delta_link: Some("/v1.0/teams/t/channels/19%3Ac%40thread.tacv2/messages/delta?$deltatoken=y".into()),
            delta_at: Some(time("2026-11-20T10:00:00Z")),
            ..ChannelState::default()
        };
        state.set("t/19:c@thread.tacv2".into(), Some(ChannelState { walk: Some(walk), ..idle.clone() }));
        let round = RoundState {
            link: "/v1.0/teams/t/channels/19:d@thread.tacv2/messages/delta?$skiptoken=z".into(),
            at: time("2026-11-20T10:02:00Z"),
        };
        let delta = DeltaState { round: Some(round), refused_at: Some(time("2026-11-20T10:03:00Z")) };
        state.set("t/19:d@thread.tacv2".into(), Some(ChannelState { delta_link: None, delta, ..idle.clone() }));
        state.set("t/19:c@thread.tacv2/1616963377068".into(), Some(ChannelState { delta_link: None, delta_at: None, ..idle }));
        state.set("t/19:gone@thread.tacv2".into(), None);
        state
    }

    #[test]
    fn the_form_of_a_state_does_not_change() {
        insta::assert_json_snapshot!(full());
        insta::assert_json_snapshot!(StreamState::of_snapshot());
    }

    #[test]
    fn a_state_that_was_written_is_read_again_without_what_is_gone() {
        let read = StreamState::read(&serde_json::to_value(full()).unwrap(), "CONTOSO.com").unwrap();
        assert_eq!(read.keys().collect::<Vec<_>>(), ["t/19:c@thread.tacv2", "t/19:c@thread.tacv2/1616963377068", "t/19:d@thread.tacv2"]);
        let channel = |state: &StreamState| state.channel("t/19:c@thread.tacv2").cloned();
        assert_eq!(channel(&read), channel(&full()));
    }

    #[test]
    fn what_cannot_be_used_is_named_by_its_key() {
        let mut said = String::new();
        for written in [
            json!([]),
            json!({"version": 2}),
            json!({"channels": {}}),
            json!({"version": 1, "tenant": "fabrikam.com"}),
            json!({"version": 1, "channels": []}),
            json!({"version": 1, "channels": {"t/c": 5}}),
            json!({"version": 1, "channels": {"t/c": {"readAt": "soon"}}}),
            json!({"version": 1, "channels": {"t/c": {"deltaLink": "https://evil.example/v1.0/teams/t/channels/c/messages/delta"}}}),
            json!({"version": 1, "channels": {"t/c": {"deltaLink": "/v1.0/teams/t/channels/other/messages/delta"}}}),
            json!({"version": 1, "channels": {"t/c": {"delta": {"round": {"link": "/v1.0/users", "at": "2026-11-20T10:00:00Z"}}}}}),
            json!({"version": 1, "channels": {"t/c": {"walk": {"link": "/v1.0/teams/t/channels/c/messages?x", "floor": -1}}}}),
            json!({"version": 1, "channels": {"t/c": {"walk": {"link": "/v1.0/teams/t/channels/c/messages?x",
                "floor": "2026-11-20T10:00:00Z"}}}}),
        ] {
            said += &format!("{written}\n    {}\n", StreamState::read(&written, "contoso.com").unwrap_err());
        }
        insta::assert_snapshot!(said);
    }

    #[test]
    fn nothing_usable_means_that_nothing_was_read() {
        for written in [
            json!(null),
            json!({}),
            json!({"__ab_no_cursor_state_message": true}),
            json!({"version": 1}),
            json!({"version": 1, "channels": null}),
        ] {
            assert_eq!(StreamState::read(&written, "t").unwrap(), StreamState::of_channels("t"), "{written}");
        }
    }

    #[test]
    fn a_full_refresh_takes_up_what_the_same_one_has_read() {
        let now = time("2026-11-20T12:00:00Z");
        let channel = |read_at: &str| Some(ChannelState { read_at: Some(time(read_at)), ..ChannelState::default() });
        let mut state = StreamState::begin_full_refresh(&Value::Null, "t", now);
        assert!(state.is_full());
        state.set("t/new".to_owned(), channel("2026-11-20T11:00:00Z"));
        // As a deep merge leaves it: channels of an earlier state among those of this one.
        state.set("t/old".to_owned(), channel("2026-11-19T11:00:00Z"));
        let open =
            WalkState { began: Some(time("2026-11-20T11:00:01Z")), ..full().channel("t/19:c@thread.tacv2").unwrap().walk.clone().unwrap() };
        state.set("t/open".to_owned(), Some(ChannelState { walk: Some(open.clone()), ..ChannelState::default() }));
        state.set("t/of a walk before".to_owned(), Some(ChannelState { walk: Some(open), ..channel("2026-11-20T11:30:00Z").unwrap() }));
        let written = serde_json::to_value(&state).unwrap();
        let resumed = |now| StreamState::begin_full_refresh(&written, "t", now);
        // The links of this test lead elsewhere: only then is the whole state no longer taken.
        assert_eq!(resumed(now).keys().count(), 0);
        let mut plain = written.clone();
        for key in ["t/open", "t/of a walk before"] {
            plain["channels"][key]["walk"]["link"] = Value::Null;
        }
        let resumed = |now| StreamState::begin_full_refresh(&plain, "t", now);
        assert_eq!(resumed(now).keys().collect::<Vec<_>>(), ["t/new", "t/open"]);
        assert_eq!(resumed(now + TimeDelta::days(8)).keys().count(), 0);
        assert!(StreamState::begin_incremental(&plain, "t").unwrap().keys().next().is_none());
        state.end_full_refresh();
        let ended = serde_json::to_value(&state).unwrap();
        assert_eq!(StreamState::begin_full_refresh(&ended, "t", now).keys().count(), 0);
    }

    #[test]
    fn links_lead_to_their_own_channel_only() {
        let key = "a-b/19:c@thread.tacv2";
        for good in [
            "/v1.0/teams('A-B')/channels('19:c@thread.tacv2')/messages?$skiptoken=x",
            "/v1.0/teams('a-b')/channels('19%3Ac%40thread.tacv2')/messages/microsoft.graph.delta()?$deltatoken=../x",
            "/v1.0/teams/a-b/channels/19:c@thread.tacv2/messages/delta?$deltatoken=x",
        ] {
            assert!(leads_below(good, key), "{good}");
        }
        for bad in [
            "v1.0/teams/a-b/channels/19:c@thread.tacv2/messages",
            "/v1.0/teams/a-b/channels/19:c@thread.tacv2/members",
            "/beta/teams/a-b/channels/19:c@thread.tacv2/messages",
            "/v1.0/teams/a-b/channels/19:c@thread.tacv2/messages/../members",
            "//evil/v1.0/teams/a-b/channels/19:c@thread.tacv2/messages",
            "//v1.0/teams/a-b/channels/19:c@thread.tacv2/messages",
            "/v1.0/teams%2Fa-b/channels/19:c@thread.tacv2/messages",
            "/v1.0/teams(a-b)/channels'19:c@thread.tacv2/messages",
            "",
        ] {
            assert!(!leads_below(bad, key), "{bad}");
        }
    }

    #[test]
    fn a_channel_takes_few_bytes() {
        let mut state = full();
        let key = format!("{}/19:{}@thread.tacv2", "a".repeat(36), "b".repeat(32));
        let before = serde_json::to_string(&state).unwrap().len();
        let mut idle = state.channel("t/19:c@thread.tacv2").cloned().unwrap();
        idle.walk = None;
        let link = idle.delta_link.as_ref().unwrap().len();
        state.set(key, Some(idle));
        let bytes = serde_json::to_string(&state).unwrap().len() - before - link;
        assert!(bytes <= 300, "{bytes}");
    }
}
