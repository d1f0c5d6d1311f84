//! Every way in which a run can go wrong, as docs/reliability.md lists them: what is done about it, and what is seen.

mod bodies;
mod files;
mod output;
mod paging;
mod process;
mod security;
mod sign_in;
mod statuses;
mod tenant;
mod throttling;
mod time;
mod transport;
