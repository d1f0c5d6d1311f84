//! Errors that chosen teams and channels return, and how far channels support delta.

use serde::{Deserialize, Serialize};

/// The error that a team or channel returns for all requests below it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub status: u16,
    /// If empty, the response has no body (graph.md 5.2: a 404 with an empty body was observed).
    pub code: String,
    pub message: String,
}

impl Block {
    pub fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Block {
        Block { status, code: code.into(), message: message.into() }
    }

    /// A 403 that does not name the missing permission.
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

/// Whether a channel supports delta (graph.md 4.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeltaSupport {
    #[default]
    Supported,
    /// All requests return `Invalid request. Delta query is not supported by this resource.`
    NotSupported,
    /// Requests with a filter return `Parameter 'Filter' not supported for this request.`
    NoFilter,
    /// All requests return `Parameter 'DeltaToken' not supported for this request.`
    NoDeltaToken,
    /// The same error for requests without options, such as a filter.
    NeedsFilter,
}
