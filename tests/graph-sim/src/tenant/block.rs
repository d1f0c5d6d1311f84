//! What a parent answers when it does not want to be read: for chosen teams and channels.

use serde::{Deserialize, Serialize};

/// An error that a team or channel answers to everything below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub status: u16,
    /// Empty: the answer has no body (graph.md 5.2: a 404 with an empty body was seen).
    pub code: String,
    pub message: String,
}

impl Block {
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Block {
        Block { status, code: code.into(), message: message.into() }
    }

    /// 403 without a word on what is missing.
    pub fn forbidden() -> Block {
        Block::new(403, "Forbidden", "UnknownError")
    }

    /// The intermittent 404 of graph.md 5.2.
    pub fn not_found() -> Block {
        Block::new(404, "UnknownError", "404 page not found")
    }

    pub fn empty_not_found() -> Block {
        Block::new(404, "", "")
    }
}

/// Whether a channel has delta at all (graph.md 4.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeltaSupport {
    #[default]
    Supported,
    /// `Invalid request. Delta query is not supported by this resource.`
    NotSupported,
    /// `Parameter 'Filter' not supported for this request.`, when there is a filter.
    NoFilter,
    /// `Parameter 'DeltaToken' not supported for this request.` at once.
    NoDeltaToken,
    /// The same, unless there is a filter.
    NeedsFilter,
}
