//! Facts about the configured application that explain a refused sign-in.

/// A mistake in the credentials that can be recognized from their format: application ids are GUIDs, and secret values never are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mixup {
    /// `client_secret` is a GUID.
    SecretIsId,
    /// `client_id` is a domain, and `tenant_id` a GUID.
    Swapped,
    /// `tenant_id` and `client_id` are the same GUID.
    SameIds,
    /// `client_id` is not a GUID.
    ClientIdIsNotAGuid,
}

/// Facts about the configured application that explain a refused sign-in.
#[derive(Clone, Debug, Default)]
pub struct Application {
    pub mixups: Vec<Mixup>,
    /// The URL at which an administrator grants consent.
    pub consent: String,
}
