//! The HTTP server: listeners, the steps of a request (clock, hook, faults, limits, token, permission), and the routes.

mod context;
mod link;
mod listen;
mod login;
mod page;
mod permission;
mod pipeline;
mod query;
mod response;
mod routes;
#[cfg(feature = "tls")]
mod tls;
mod transport;

pub(crate) use link::next_link_serial;
pub(crate) use listen::{Security, listen};
pub(crate) use login::Tokens;
pub(crate) use pipeline::{Shared, lock};
pub(crate) use routes::default_roles;
#[cfg(feature = "tls")]
pub(crate) use tls::Authority;
