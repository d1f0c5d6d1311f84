//! What a refused sign-in can be explained by.

/// What stands in the wrong place, as far as its form tells: ids of applications are GUIDs, and values of secrets never.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mixup {
    /// The secret is an id.
    SecretIsId,
    /// The tenant's domain is where the application's id should be, and an id where the tenant should be.
    Swapped,
    /// Tenant and application have the same id.
    SameIds,
    /// The application's id is none.
    ClientIsNoId,
}

/// What a refusal can be explained by.
#[derive(Clone, Debug, Default)]
pub struct Application {
    /// What the credentials' form says of them.
    pub mixups: Vec<Mixup>,
    /// Where an administrator consents to what the application asks for.
    pub consent: String,
}
