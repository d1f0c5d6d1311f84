//! A delta page: its records, including removed messages, and the state after it.

use serde_json::value::to_raw_value;
use tap_microsoft_teams::{
    graph::{Link, Page, fuzzing},
    level::{MESSAGE, key},
    read,
    state::{DeltaState, Position, RoundState, StreamState, is_delta_link},
    streams::MESSAGES,
};

use crate::{
    place::{CHANNEL, TEAM, assert_links_stay_below, host, now},
    record::{DERIVED, assert_record},
};

const TENANT: &str = "contoso.com";

pub(crate) fn delta(body: &[u8]) {
    let Ok(page) = fuzzing::page(body, true, host(), now()) else { return };
    assert_emits_records(&page);
    let key = key(&[TEAM, CHANNEL]);
    let link = format!("/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages/delta?$skiptoken=before");
    let idle = Position { delta_link: Some(link.clone()), delta_at: Some(now()), read_at: Some(now()), ..Position::default() };
    let round = DeltaState { round: Some(RoundState { link, at: now() }), refused_at: None };
    for before in [Position::default(), idle.clone(), Position { delta: round, ..idle }] {
        assert_continues(&page, &key, before);
    }
}

/// Checks the records of a page.
fn assert_emits_records(page: &Page) {
    for message in page.items() {
        let Some(id) = message.id().filter(|_| !message.is_malformed()) else { continue };
        let mut record = Vec::new();
        if message.removal().is_some() {
            read::fuzzing::write_removed(MESSAGES.columns(), TEAM, CHANNEL, &id, page.date().trusted(None), &mut record);
        } else {
            MESSAGES.columns().write(message.fields(), &DERIVED, &mut record);
        }
        let members = assert_record(&MESSAGES, MESSAGES.columns(), &record);
        assert_eq!(members.value("is_removed"), Some(if message.removal().is_some() { "true" } else { "null" }));
        assert_eq!(members.value("id").map(|id| serde_json::from_str::<String>(id).expect("a string")).as_deref(), Some(&*id));
    }
}

/// Checks that the state after the page has the page's link unchanged, if the link stays below the channel, and that it is read back as written.
fn assert_continues(page: &Page, key: &str, before: Position) {
    let mut channel = before.clone();
    read::fuzzing::follow_delta_links(&mut channel, key, page);
    let stored = |link: &Link| is_delta_link(link.as_str(), key, &MESSAGE.trail()).then(|| link.as_str().to_owned());
    match (page.next(), page.delta()) {
        (Some(next), _) => {
            assert_eq!(channel.delta.round.as_ref().map(|round| round.link.clone()), stored(next));
            assert_eq!(channel.delta_link, before.delta_link);
        }
        (None, Some(delta)) => assert_eq!((channel.delta_link.clone(), &channel.delta), (stored(delta), &DeltaState::default())),
        (None, None) => assert_eq!(channel, before),
    }
    assert_links_stay_below(key, &channel);
    let mut state = StreamState::new_partitioned(TENANT, &MESSAGE.trail());
    state.set(key, Some(channel));
    let written = to_raw_value(&state).expect("a state is JSON");
    assert_eq!(StreamState::begin_incremental(Some(&written), TENANT, &MESSAGE.trail(), now()), Ok(state));
}
