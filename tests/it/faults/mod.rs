//! The failures in docs/reliability.md: how the tap handles and reports them.

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

/// The routes of a run, and the streams that are incomplete without them.
const ROUTES: [(Class, &[&str]); 6] = [
    (Class::Groups, &ALL),
    (Class::Team, &["teams"]),
    (Class::Channels, &["channels", "messages", "message_replies"]),
    (Class::Members, &["members"]),
    (Class::Messages, &["messages", "message_replies"]),
    (Class::Replies, &["messages", "message_replies"]),
];

/// A tenant with threads on several pages.
fn with_threads() -> GraphSim {
    let spec = TenantSpec { groups_without_team: 0, ..TenantSpec::uniform(1, 1, 6).replies(4, 0) };
    // Compression would take most of the time.
    let sim = GraphSim::start(Options { gzip: false, ..Options::new(spec).manual_clock() }).unwrap();
    // Messages quote links, whose style otherwise differs between channels.
    sim.switches(|switches| (switches.inline_replies, switches.link_style) = (1, Some(LinkStyle::Slash)));
    sim
}

/// A tenant of three teams with this many channels each, whose lists all have several pages; and a configuration that reads everything.
fn paged(channels: usize, channels_page: usize) -> (GraphSim, Value) {
    let spec = TenantSpec { groups_without_team: 0, ..TenantSpec::uniform(3, channels, 12).replies(6, 0) };
    let sim = GraphSim::start(Options { gzip: false, ..Options::new(spec).manual_clock() }).unwrap();
    sim.switches(|switches| (switches.inline_replies, switches.replies_page, switches.channels_page) = (1, 1, channels_page));
    let mut settings = everything();
    settings["top"] = 2.into();
    let settings = config(&sim, settings);
    (sim, settings)
}
