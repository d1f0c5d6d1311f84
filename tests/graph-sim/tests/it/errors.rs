//! The format of errors and headers, blocked parents, and the journal.

use graph_sim::{Block, Class, PageKind, TenantSpec};

use crate::client::{Sim, new_token};

/// graph.md 5.1: innerError has the date and both ids, which are also in the headers.
#[test]
fn errors_have_the_format_of_graph() {
    let (sim, team, _) = Sim::one_channel();
    let reply = sim.get_with(&format!("/v1.0/teams/{team}/channels/none/messages"), &[("client-request-id", "abc")]).unwrap();
    let inner = reply.json()["error"]["innerError"].clone();
    assert_eq!((reply.status, inner["client-request-id"].as_str(), reply.header("client-request-id")), (404, Some("abc"), "abc"));
    assert_eq!(inner["request-id"].as_str(), Some(reply.header("request-id")));
    assert_eq!(inner["date"].as_str(), Some("2024-11-25T08:00:00"));
    assert!(!reply.header("x-ms-ags-diagnostic").is_empty());
}

#[test]
fn the_date_header_follows_the_simulated_clock() {
    let sim = Sim::new(TenantSpec::uniform(1, 1, 0));
    assert_eq!(sim.get("/v1.0/groups").header("date"), "Mon, 25 Nov 2024 08:00:00 GMT");
    sim.clock().set(graph_sim::Time::parse("2031-01-02T03:04:05.9Z").unwrap());
    sim.expire_tokens();
    assert_eq!(sim.get("/v1.0/groups").header("date"), "Thu, 02 Jan 2031 03:04:05 GMT");
}

/// graph.md 5.2: teams and channels that return 403 or 404, with and without a body.
#[test]
fn parents_can_be_blocked() {
    let (sim, team, channel) = Sim::one_channel();
    let messages = sim.path(&team, &channel, "/messages");
    sim.with_tenant(|tenant| tenant.block_channel(&channel, Block::forbidden())).unwrap();
    assert_eq!((sim.get(&messages).status, sim.get(&format!("/v1.0/teams/{team}/channels")).status), (403, 200));
    sim.with_tenant(|tenant| tenant.block_channel(&channel, None)).unwrap();
    sim.with_tenant(|tenant| tenant.block_team(&team, Block::empty_not_found())).unwrap();
    let reply = sim.get(&messages);
    assert_eq!((reply.status, reply.body.len()), (404, 0));
    sim.with_tenant(|tenant| tenant.block_team(&team, Block::not_found())).unwrap();
    assert_eq!(sim.get(&messages).error(), ("UnknownError".to_owned(), "404 page not found".to_owned()));
}

/// graph.md 2.5: according to Microsoft's tables these roles allow reading messages; according to users they do not.
#[test]
fn a_switch_stops_group_roles_from_reading_messages() {
    let (mut sim, team, channel) = Sim::one_channel();
    let messages = sim.path(&team, &channel, "/messages");
    sim.set_roles(&["Group.ReadWrite.All"]);
    sim.token = new_token(&sim);
    assert_eq!(sim.get(&messages).status, 200);
    sim.switches(|switches| switches.group_roles_open_messages = false);
    assert_eq!((sim.get(&messages).status, sim.get(&format!("/v1.0/teams/{team}/channels")).status), (403, 200));
}

#[test]
fn the_journal_records_requests() {
    let sim = Sim::new(TenantSpec::uniform(1, 1, 30));
    let team = sim.read_tenant(|tenant| tenant.team_ids()[0].clone());
    let channel = sim.read_tenant(|tenant| tenant.channel_ids(&team)[0].clone());
    sim.all(&sim.path(&team, &channel, "/messages"));
    sim.get("/v1.0/teams/x");
    let journal = sim.journal();
    assert_eq!((journal.total(), journal.graph_total(), journal.count(Class::Messages), journal.count(Class::Token)), (4, 3, 2, 1));
    assert_eq!((journal.count_status(Class::Team, 400), journal.with_status(200), journal.throttled()), (1, 3, 0));
    let pages: Vec<_> = journal.entries_of(Class::Messages).collect();
    assert_eq!((pages[0].page, pages[1].page), (PageKind::First, PageKind::Next));
    assert_eq!((pages[1].number, pages[1].class_number, pages[1].status), (3, 2, Some(200)));
    assert_eq!((pages[0].channel(), pages[0].prefer.as_deref()), (Some(channel.as_str()), Some("include-unknown-enum-members")));
    assert!(pages[0].authorized && pages[0].bytes > 10_000);
    sim.clear_journal();
    assert_eq!(sim.journal().total(), 0);
}

#[test]
fn responses_are_compressed_only_if_the_client_accepts_gzip() {
    let sim = Sim::new(TenantSpec::uniform(1, 5, 0));
    let plain = sim.get("/v1.0/groups");
    let packed = sim.get_with("/v1.0/groups", &[("Accept-Encoding", "gzip, br")]).unwrap();
    assert_eq!((plain.header("content-encoding"), packed.header("content-encoding")), ("", "gzip"));
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.body.as_slice()), &mut unpacked).unwrap();
    assert_eq!(unpacked, plain.body);
}
