//! What a plan says: numbers with how sure they are, ready to be serialised.

use serde::Serialize;

use crate::streams::{Mode, Stream};

/// What a run with a configuration and a state would do. Nothing is known that the channels were not asked for: `looked_at` says how much
/// was, and each number that is estimated has a range.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Teams that are read.
    pub teams: u64,
    /// Groups that are listed as teams and have none, as far as they were looked at.
    pub groups_without_team: u64,
    /// Channels whose messages are read.
    pub channels: About,
    /// The selected streams.
    pub streams: Vec<StreamPlan>,
    /// Requests that the run needs.
    pub requests: Requests,
    /// How long it takes, in seconds.
    pub seconds: Seconds,
    /// The limit that decides how long.
    pub decided_by: DecidedBy,
    /// Bytes of all answers, decompressed.
    pub bytes_of_answers: About,
    /// The channels that were looked at, those with most requests first.
    pub longest: Vec<ChannelPlan>,
    /// What is refused or missing: the run would say so, and read the rest.
    pub refused: Vec<String>,
    /// What would make the run fail or end incomplete.
    pub failed: Vec<String>,
    /// How much the plan rests on.
    pub looked_at: LookedAt,
    /// What the plan takes for granted.
    pub assumes: Vec<&'static str>,
}

/// A number that is estimated: it is likely (19 of 20 times, as far as what was seen tells) not outside this range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct About {
    /// The estimate.
    pub about: u64,
    /// The least.
    pub from: u64,
    /// The most.
    pub to: u64,
}

/// A time that is estimated, in seconds; as [`About`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Seconds {
    /// The estimate.
    pub about: f64,
    /// The least.
    pub from: f64,
    /// The most.
    pub to: f64,
}

/// A stream.
#[derive(Clone, Debug, Serialize)]
pub struct StreamPlan {
    /// Its name.
    pub name: &'static str,
    /// full_refresh or incremental.
    pub mode: &'static str,
    /// Records.
    pub records: About,
    /// Bytes of the records as JSON, without what a protocol puts around them.
    pub bytes: About,
}

/// Requests, by what Graph counts them against.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Requests {
    /// All of them.
    pub total: About,
    /// For a token.
    pub token: u64,
    /// Lists of groups.
    pub groups: u64,
    /// Single teams.
    pub teams: u64,
    /// Lists of channels.
    pub channels: u64,
    /// Lists of members.
    pub members: u64,
    /// Pages of messages, each with the replies that fit.
    pub messages: u64,
    /// Pages of threads that do not fit.
    pub replies: u64,
    /// Pages of delta.
    pub delta: u64,
    /// Single teams and channels that earlier runs have read and that are not listed.
    pub not_listed: u64,
}

/// A limit of Graph, of the configuration, or of the answers' time.
#[derive(Clone, Debug, Serialize)]
pub struct DecidedBy {
    /// `one_channel`, `one_team`, `messages`, `replies`, `members`, `channels`, `teams`, `groups`, or `all` (`requests_per_second`, or the requests in
    /// flight).
    pub limit: &'static str,
    /// The team, if it is one team or channel that decides.
    pub team: Option<String>,
    /// What it is called, if that is known.
    pub team_name: Option<String>,
    /// The channel, if it is one channel that decides.
    pub channel: Option<String>,
    /// What it is called, if that is known.
    pub channel_name: Option<String>,
    /// The requests that count against the limit.
    pub requests: u64,
}

/// A channel that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct ChannelPlan {
    /// Its team.
    pub team: String,
    /// What its team is called, if that is known.
    pub team_name: Option<String>,
    /// Its id.
    pub channel: String,
    /// What it is called, if that is known.
    pub channel_name: Option<String>,
    /// Records of `messages`.
    pub messages: u64,
    /// Records of `message_replies`.
    pub replies: u64,
    /// Requests: pages of messages and of threads, and of delta.
    pub requests: About,
    /// How long they take at least, in seconds.
    pub seconds: u64,
    /// Pages that were looked at.
    pub pages: u64,
}

/// What the plan was made from.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LookedAt {
    /// Requests that the plan itself took, one for a token included.
    pub requests: u64,
    /// Teams whose channels were listed, of all that have to be.
    pub teams: Share,
    /// Channels the first page of which was looked at, of all.
    pub channels: Share,
    /// Pages behind the first ones.
    pub further_pages: u64,
}

/// Some of all.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Share {
    /// So many.
    pub of_them: u64,
    /// Of so many.
    pub all: u64,
}

impl About {
    /// Of an estimate and its standard error, and never less than what was seen.
    pub(super) fn new(about: f64, error: f64, least: f64) -> Self {
        let whole = |number: f64| number.max(0.0).round() as u64;
        Self { about: whole(about), from: whole((about - 2.0 * error).max(least)), to: whole(about + 2.0 * error) }
    }

    /// What is known.
    pub(super) fn exactly(number: u64) -> Self {
        Self { about: number, from: number, to: number }
    }

    /// Whether it is not estimated.
    pub fn is_exact(&self) -> bool {
        self.from == self.to
    }
}

/// How a plan calls a mode. A stream without a cursor is read in full whatever is asked.
pub(super) fn mode(stream: &Stream, mode: Mode) -> &'static str {
    match (stream.mode(), mode) {
        (Mode::Incremental, Mode::Incremental) => "incremental",
        _ => "full_refresh",
    }
}
