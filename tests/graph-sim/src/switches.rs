//! Switches for what Graph does not document (graph.md, section 9 and parts of 2 to 4), so that tests can check every possible behaviour.

use serde::{Deserialize, Serialize};

use crate::journal::Class;

/// The behaviour of the tenant where Graph's documentation is silent or contradictory. All switches can be changed at any time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// A deletion moves its chain to the top of the list (graph.md 3: not documented).
    pub delete_moves_chain: bool,
    /// A deletion sets lastModifiedDateTime (graph.md 3: not documented).
    pub delete_modifies: bool,
    pub undelete_moves_chain: bool,
    pub undelete_modifies: bool,
    /// False as in 2019, when a reaction did not change its message (graph.md 3).
    pub reaction_moves_chain: bool,
    pub reaction_modifies: bool,
    /// A hard removal moves the chain to the activity of its remaining messages; if false, it does not move.
    pub removal_reorders: bool,
    pub deleted_body: DeletedBody,
    /// `from` of deleted messages is null (graph.md 3: "may be").
    pub deleted_from_null: bool,
    /// False as in 2020 and 2022, when deleted messages lost their text but deletedDateTime remained null (graph.md 3).
    pub deleted_stamp: bool,

    pub paging: Paging,
    /// The style of paths in nextLinks; none if it differs between channels.
    pub link_style: Option<LinkStyle>,
    /// Every n-th page of a list is empty and has a nextLink (graph.md 2.0). 0 for no empty pages.
    pub empty_pages: u64,
    /// If the last page of a list is full, it has a nextLink to an empty page.
    pub trailing_link: bool,
    /// Seconds of simulated time after which requests with a `$skiptoken` return 400; none for never.
    pub link_lifetime: Option<u64>,
    pub replies_order: RepliesOrder,
    /// Replies per page without `$top`; not documented (graph.md 9, question 1).
    pub replies_page: usize,
    /// Replies inlined by `$expand=replies`: 200 since 2024-10, 1,000 before (graph.md 2.5).
    pub inline_replies: usize,
    /// How Graph marks a thread whose replies are not all inlined (graph.md 2.5).
    pub overflow: Overflow,
    /// If false, `$expand=replies` returns 400 (graph.md 2.5).
    pub expands_replies: bool,
    /// lastModifiedDateTime is null in messages that have not been changed (graph.md 3).
    pub unmodified_is_null: bool,
    /// The response to a `$top` above the maximum of a route (graph.md 2.0).
    pub top_over_maximum: Excess,
    /// The lists that return 400 for `$top`, even if it is documented (graph.md 2.0).
    pub refuses_top: Vec<Class>,
    /// Channels per page of the list; 0 for all.
    pub channels_page: usize,
    /// Members per page of `allMembers`; not documented.
    pub all_members_page: usize,
    /// The members of a team accept `$top`. It is documented, but users report wrong pages (graph.md 2.4).
    pub members_take_top: bool,
    /// Group.Read.All and Group.ReadWrite.All allow reading messages, as documented. If false, they do not, as observed (graph.md 2.5).
    pub group_roles_open_messages: bool,
    /// The settings of a team in `GET /teams/{id}` with `Team.ReadBasic.All` only (graph.md 9, question 2).
    pub basic_team: BasicTeam,

    /// Reports have hashes instead of names and ids (graph.md 7.3).
    pub conceals_names: bool,

    /// The lifetime of a token in seconds of simulated time, and its `expires_in` (graph.md 1.3).
    pub token_lifetime: u64,
    /// The format of the lifetime in the response of the token endpoint.
    pub token_expiry: TokenExpiry,
    /// Tokens are not JWTs (graph.md 1.3).
    pub opaque_tokens: bool,

    pub delta: DeltaSwitches,
}

impl Default for Switches {
    fn default() -> Switches {
        Switches {
            delete_moves_chain: true,
            delete_modifies: true,
            undelete_moves_chain: true,
            undelete_modifies: true,
            reaction_moves_chain: true,
            reaction_modifies: true,
            removal_reorders: true,
            deleted_body: DeletedBody::Empty,
            deleted_from_null: false,
            deleted_stamp: true,
            paging: Paging::Position,
            link_style: None,
            empty_pages: 0,
            trailing_link: false,
            link_lifetime: None,
            replies_order: RepliesOrder::NewestFirst,
            replies_page: 20,
            inline_replies: 200,
            overflow: Overflow::CountAndLink,
            expands_replies: true,
            unmodified_is_null: false,
            top_over_maximum: Excess::Reject,
            refuses_top: Vec::new(),
            channels_page: 0,
            all_members_page: 100,
            members_take_top: true,
            group_roles_open_messages: true,
            basic_team: BasicTeam::Full,
            conceals_names: false,
            token_lifetime: 3599,
            token_expiry: TokenExpiry::Number,
            opaque_tokens: false,
            delta: DeltaSwitches::default(),
        }
    }
}

/// The delta function of channel messages (graph.md 4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeltaSwitches {
    /// Items per page.
    pub page: usize,
    pub top: DeltaTop,
    /// Delta reports reactions. According to users, it does not.
    pub reports_reactions: bool,
    pub reports_deletes: DeltaDeletes,
    /// Delta reports a root again when a reply is added or changed (graph.md 3).
    pub reports_replies: bool,
    /// Delta reports the hard removal of a root as `@removed`. This has not been observed for channel messages (graph.md 3).
    pub reports_removals: bool,
    /// Every n-th change is not reported. 0 to report all.
    pub skips_every: u64,
    /// Items are in random order, within and across pages (graph.md 4.1).
    pub shuffle: bool,
    /// A page starts with the last item of the previous page (graph.md 4.1: items can repeat).
    pub repeats: bool,
    /// A round starts with an empty page and a nextLink (graph.md 4.1).
    pub empty_first_page: bool,
    /// A channel without posts returns an empty page with a nextLink that returns 400 (graph.md 4.2).
    pub empty_channel_quirk: bool,
    /// The lifetime of a delta token in seconds of simulated time; none for unlimited (graph.md 9, question 4).
    pub token_lifetime: Option<u64>,
    /// The response to an expired token.
    pub expired: ExpiredToken,
}

impl Default for DeltaSwitches {
    fn default() -> DeltaSwitches {
        DeltaSwitches {
            page: 20,
            top: DeltaTop::Reject,
            reports_reactions: false,
            reports_deletes: DeltaDeletes::Item,
            reports_replies: true,
            reports_removals: false,
            skips_every: 0,
            shuffle: false,
            repeats: false,
            empty_first_page: false,
            empty_channel_quirk: true,
            token_lifetime: None,
            expired: ExpiredToken::Gone,
        }
    }
}

/// `body.content` of a deleted message (graph.md 9, question 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletedBody {
    Empty,
    Null,
    Kept,
}

/// What a page link refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paging {
    /// The activity and id of the last item. Items that move to the top in the meantime are not returned again.
    Position,
    /// The number of items so far. If items move to the top in the meantime, others are returned twice; if items are removed, others are skipped.
    Offset,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkStyle {
    /// `teams('…')/channels('19%3A…%40thread.tacv2')/messages`
    FunctionEncoded,
    /// `teams('…')/channels('19:…@thread.tacv2')/messages`
    Function,
    /// `teams/…/channels/19:…@thread.tacv2/messages`
    Slash,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RepliesOrder {
    NewestFirst,
    OldestFirst,
}

/// How a thread is marked whose replies are not all inlined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// The number of inlined replies, and a link to the others.
    CountAndLink,
    /// Only a link.
    Link,
    /// The number of all replies, without a link.
    CountOfAll,
    /// Only the number of inlined replies.
    Nothing,
    /// `CountAndLink` in every other thread, `Nothing` in the rest.
    NothingNowAndThen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Excess {
    Reject,
    Clamp,
}

/// The formats of a token lifetime. Some proxies and identity endpoints use other formats than Entra.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenExpiry {
    /// `"expires_in": 3599`
    Number,
    /// `"expires_in": "3599"`
    Text,
    /// `"expires_in": 3599.0`
    Float,
    /// Only `"expires_on"`: seconds since 1970 as a number.
    On,
    /// The same as a string.
    OnText,
}

/// How the settings objects of a team are returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BasicTeam {
    Full,
    Null,
    Absent,
}

/// `$top` on delta (graph.md 9, question 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeltaTop {
    Accept,
    Reject,
    /// Accepted, but the nextLink returns 400.
    Break,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeltaDeletes {
    /// The message with a deletedDateTime.
    Item,
    /// `@removed` with reason `changed`.
    Removed,
    Silent,
}

/// The possible responses to an expired delta token (graph.md 4.1, 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExpiredToken {
    /// 410 with a `Location` that has an empty `$deltatoken`, code `resyncRequired`.
    Gone,
    /// 404 `syncStateNotFound`.
    SyncStateNotFound,
    /// 400 `SyncStateInvalid`.
    SyncStateInvalid,
    /// 400 `resyncRequired`.
    ResyncRequired,
    /// 400 `BadRequest`: `Parameter 'DeltaToken' not supported for this request.`
    NotSupported,
}
