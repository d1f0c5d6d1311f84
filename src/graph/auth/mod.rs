//! Signing in: the token, what it may do, and what an application must be permitted.

pub(super) mod application;
pub(super) mod claims;
pub(super) mod grant;
pub(super) mod permission;
pub(super) mod token;

pub use application::{Application, Mixup};
pub use claims::Claims;
pub use permission::Permission;
pub use token::Credentials;
