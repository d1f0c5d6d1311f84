//! Microsoft Graph over HTTP: requests in, pages out. Knows nothing of streams, protocols or configuration files.

mod answer;
mod bodies;
mod claims;
mod client;
mod counts;
mod date;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod grant;
mod http;
mod link;
mod pace;
mod page;
mod pages;
mod permission;
mod rates;
mod request;
mod retry;
mod rounds;
mod text;
mod token;
mod turns;

pub use bodies::Held;
pub use claims::Claims;
pub use client::{Endpoints, GraphClient, Limits, Pace, WorkEvent};
pub use counts::{ClassCounts, Counts};
pub use date::{AnswerDate, SKEW};
pub use error::{Cause, Error, Refusal, SignInRefusal};
pub use http::{NoClient, unusable_certificates};
pub use link::{Host, Link};
pub use pace::Class;
pub use page::{Item, Page, Removal};
pub use pages::Pages;
pub use permission::Permission;
pub use rates::{Budget, Rates};
pub use request::Request;
pub use retry::{LONGEST_WAIT, Verdict};
pub use text::Cleaned;
pub use token::{Application, Credentials, Mixup};
pub use turns::Urgency;
