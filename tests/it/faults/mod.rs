//! Every way in which a run can go wrong, as docs/reliability.md lists them: what is done about it, and what is seen.

mod ahead;
mod bodies;
mod files;
mod later_pages;
mod output;
mod paging;
mod process;
mod proxies;
mod quotes;
mod rounds;
mod security;
mod sign_in;
mod statuses;
mod tenant;
mod throttling;
mod time;
mod transport;

use graph_sim::{Class, GraphSim, LinkStyle, Options, TenantSpec};
use serde_json::Value;

use crate::support::{ALL, config, everything};

/// The routes of a run, and the streams that are not complete without them.
const ROUTES: [(Class, &[&str]); 6] = [
    (Class::Groups, &ALL),
    (Class::Team, &["teams"]),
    (Class::Channels, &["channels", "messages", "message_replies"]),
    (Class::Members, &["members"]),
    (Class::Messages, &["messages", "message_replies"]),
    (Class::Replies, &["messages", "message_replies"]),
];

/// A tenant with threads that are served in parts.
fn with_threads() -> GraphSim {
    let spec = TenantSpec { groups_without_team: 0, ..TenantSpec::uniform(1, 1, 6).replies(4, 0) };
    // To compress costs more than all else.
    let sim = GraphSim::start(Options { gzip: false, ..Options::new(spec).manual_clock() }).unwrap();
    // Sentences quote the links, which channels spell in different ways otherwise.
    sim.switches(|switches| (switches.inline_replies, switches.link_style) = (1, Some(LinkStyle::Slash)));
    sim
}

/// A tenant of three teams with that many channels each, all of whose lists have several pages; and a configuration that reads all of it.
fn paged(channels: usize, channels_page: usize) -> (GraphSim, Value) {
    let spec = TenantSpec { groups_without_team: 0, ..TenantSpec::uniform(3, channels, 12).replies(6, 0) };
    let sim = GraphSim::start(Options { gzip: false, ..Options::new(spec).manual_clock() }).unwrap();
    sim.switches(|switches| (switches.inline_replies, switches.replies_page, switches.channels_page) = (1, 1, channels_page));
    let mut settings = everything();
    settings["top"] = 2.into();
    let settings = config(&sim, settings);
    (sim, settings)
}
