//! Sign-in: credentials, tokens and permissions.

pub(super) mod application;
pub(super) mod claims;
pub(super) mod grant;
pub(super) mod permission;
pub(super) mod token;

pub use application::{Application, Mixup};
pub use claims::Claims;
pub use permission::Permission;
pub use token::Credentials;
