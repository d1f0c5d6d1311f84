//! The client of Microsoft Graph: requests in, pages out. Independent of streams, protocols and configuration files.
//!
//! `client` is the interface. `sender` waits for the scheduler (`pace`), adds the token (`auth`) and retries (`retry`). `exchange` sends a
//! request and reads the response, which `page` parses.

mod auth;
mod client;
mod date;
mod error;
mod exchange;
mod format;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod http;
mod limits;
mod link;
mod loop_detector;
mod pace;
mod page;
mod pages;
mod request;
mod response;
mod retry;
mod sender;
mod work;

pub use auth::{Application, Claims, Credentials, Mixup, Permission};
pub use client::{Endpoints, GraphClient};
pub use date::{MAX_CLOCK_SKEW, ResponseDate};
pub use error::{Cause, Error, ErrorResponse, SignInFailure};
pub use http::{ClientError, unusable_certificates};
pub use limits::{Limits, MAX_WAIT};
pub use link::{Host, Link};
pub use pace::{Budget, Class, ClassCounts, Counts, Pace, Priority, Rates};
pub use page::{BufferPermit, CsvReport, Item, Page, Removal, Replacements, Row};
pub use pages::Pages;
pub use request::Request;
pub use retry::FailureAction;
pub use work::WorkEvent;
