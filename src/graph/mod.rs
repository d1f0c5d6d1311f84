//! Microsoft Graph over HTTP: requests in, pages out. Knows nothing of streams, protocols or configuration files.
//!
//! `client` has what callers use. `attempts` waits for a turn (`pace`), adds the token (`auth`) and tries again (`retry`); `exchange` sends and
//! reads the bytes, which `page` makes a page of.

mod answer;
mod attempts;
mod auth;
mod client;
mod date;
mod error;
mod exchange;
mod form;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod limits;
mod link;
mod pace;
mod page;
mod pages;
mod request;
mod retry;
mod rounds;
mod work;

pub use auth::{Application, Claims, Credentials, Mixup, Permission};
pub use client::{Endpoints, GraphClient};
pub use date::{AnswerDate, SKEW};
pub use error::{Cause, Error, Refusal, SignInRefusal};
pub use http::{NoClient, unusable_certificates};
pub use limits::{LONGEST_WAIT, Limits};
pub use link::{Host, Link};
pub use pace::{Budget, Class, ClassCounts, Counts, Pace, Rates, Urgency};
pub use page::{Cleaned, Held, Item, Page, Removal, Report, Row};
pub use pages::Pages;
pub use request::Request;
pub use retry::Verdict;
pub use work::WorkEvent;
