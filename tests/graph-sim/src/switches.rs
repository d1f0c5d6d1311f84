//! Switches for what graph.md leaves open (section 9 and the "not documented" of 2 to 4), so that nothing is proved by a guess.

use serde::{Deserialize, Serialize};

use crate::journal::Class;

/// How the tenant behaves where Graph's documents are silent or disagree. All can be changed while the simulator serves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switches {
    /// A deletion moves its chain to the top of the list (graph.md 3: not documented).
    pub delete_moves_chain: bool,
    /// A deletion sets lastModifiedDateTime (graph.md 3: not documented).
    pub delete_modifies: bool,
    pub undelete_moves_chain: bool,
    pub undelete_modifies: bool,
    /// False: the time of 2019, when a reaction left its message alone (graph.md 3).
    pub reaction_moves_chain: bool,
    pub reaction_modifies: bool,
    /// A hard removal leaves the chain at the place of what remains; false: where it stood.
    pub removal_reorders: bool,
    pub deleted_body: DeletedBody,
    /// `from` of deleted messages is null (graph.md 3: "may be").
    pub deleted_from_null: bool,
    /// False: deleted messages lose their text, but deletedDateTime stays null, as in 2020 and 2022 (graph.md 3).
    pub deleted_stamp: bool,

    pub paging: Paging,
    /// How the paths of nextLinks are spelled; none: differs from channel to channel.
    pub link_style: Option<LinkStyle>,
    /// Every n-th page of a list is empty and has a nextLink (graph.md 2.0); 0: none is.
    pub empty_pages: u64,
    /// A list whose last page is full ends with a nextLink to an empty page.
    pub trailing_link: bool,
    /// Seconds of simulated time after which a `$skiptoken` answers 400; none: never.
    pub link_lifetime: Option<u64>,
    pub replies_order: RepliesOrder,
    /// Replies on a page when nothing is asked; not documented (graph.md 9, question 1).
    pub replies_page: usize,
    /// Replies inlined by `$expand=replies`: 200 since 2024-10, 1,000 before (graph.md 2.5).
    pub inline_replies: usize,
    /// How a thread is marked of which not all replies are inlined (graph.md 2.5).
    pub overflow: Overflow,
    /// False: `$expand=replies` gets 400 (graph.md 2.5).
    pub expands_replies: bool,
    /// lastModifiedDateTime is null in messages that were never changed (graph.md 3).
    pub unmodified_is_null: bool,
    /// What `$top` beyond a route's maximum gets (graph.md 2.0).
    pub top_over_maximum: Excess,
    /// The lists that answer 400 to `$top`, whatever their documents say (graph.md 2.0).
    pub refuses_top: Vec<Class>,
    /// Channels on one page of the list; 0: all.
    pub channels_page: usize,
    /// Members of a channel on one page of `allMembers`; not documented.
    pub all_members_page: usize,
    /// `$top` on the members of a team: documented, and reported as paging wrongly (graph.md 2.4).
    pub members_take_top: bool,
    /// Group.Read.All and Group.ReadWrite.All open messages, as Microsoft's tables say; false: they do not, as was seen (graph.md 2.5).
    pub group_roles_open_messages: bool,
    /// What `GET /teams/{id}` shows with `Team.ReadBasic.All` alone (graph.md 9, question 2).
    pub basic_team: BasicTeam,

    /// Reports have hashes in place of names and ids (graph.md 7.3).
    pub conceals_names: bool,

    /// Seconds of simulated time that a token lives, and its `expires_in` (graph.md 1.3).
    pub token_lifetime: u64,
    /// How the token endpoint writes that lifetime.
    pub token_expiry: TokenExpiry,
    /// Tokens that are no JWT (graph.md 1.3).
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
    /// Items on a page.
    pub page: usize,
    pub top: DeltaTop,
    /// By all reports a reaction does not show in delta.
    pub tells_reactions: bool,
    pub tells_deletes: DeltaDeletes,
    /// A root comes again when a reply arrives or changes (graph.md 3).
    pub tells_replies: bool,
    /// A hard removal of a root shows as `@removed`; no channel message has been seen to (graph.md 3).
    pub tells_removals: bool,
    /// Every n-th change is forgotten in silence; 0: none is.
    pub forgets_every: u64,
    /// Items come in no order, within pages and over pages (graph.md 4.1).
    pub shuffle: bool,
    /// A page begins with the last item of the page before (graph.md 4.1: items can repeat).
    pub repeats: bool,
    /// A round begins with an empty page and a nextLink (graph.md 4.1).
    pub empty_first_page: bool,
    /// A channel without posts answers an empty page with a nextLink that gets 400 (graph.md 4.2).
    pub empty_channel_quirk: bool,
    /// Seconds of simulated time that a delta token lives; none: for ever (graph.md 9, question 4).
    pub token_lifetime: Option<u64>,
    /// What a token that has ended gets.
    pub ended: EndedToken,
}

impl Default for DeltaSwitches {
    fn default() -> DeltaSwitches {
        DeltaSwitches {
            page: 20,
            top: DeltaTop::Reject,
            tells_reactions: false,
            tells_deletes: DeltaDeletes::Item,
            tells_replies: true,
            tells_removals: false,
            forgets_every: 0,
            shuffle: false,
            repeats: false,
            empty_first_page: false,
            empty_channel_quirk: true,
            token_lifetime: None,
            ended: EndedToken::Gone,
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

/// What a page's link remembers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paging {
    /// The activity and id of the last item served: what moves up meanwhile is not met again.
    Position,
    /// How many items were served: what moves up meanwhile pushes others onto the next page again, removals hide some.
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

/// What marks a thread of which not all replies are inlined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// A count of the inlined replies, and a link to the others.
    CountAndLink,
    /// A link alone.
    Link,
    /// A count of all replies, and no link.
    CountOfAll,
    /// A count of the inlined replies alone.
    Nothing,
    /// As `CountAndLink` in every other thread, as `Nothing` in the others.
    NothingNowAndThen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Excess {
    Reject,
    Clamp,
}

/// The forms in which a lifetime is met: proxies and identity endpoints write others than Entra.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenExpiry {
    /// `"expires_in": 3599`
    Number,
    /// `"expires_in": "3599"`
    Text,
    /// `"expires_in": 3599.0`
    Float,
    /// `"expires_on"` alone: seconds since 1970 as a number.
    On,
    /// The same as a text.
    OnText,
}

/// The settings objects of a team.
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
    /// Taken, but the nextLink then answers 400.
    Break,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeltaDeletes {
    /// The message with its deletedDateTime.
    Item,
    /// `@removed` with reason `changed`.
    Removed,
    Silent,
}

/// The answers to a delta token that is no longer taken (graph.md 4.1, 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedToken {
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
