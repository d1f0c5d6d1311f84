//! Messages and replies, and their content.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use graph_sim::{Excess, Flavour, LinkStyle, Paging, Post, RepliesOrder, SYSTEM_EVENTS, TenantSpec, Time, corpus, damaged};
use serde_json::{Value, value::RawValue};

use crate::client::{Sim, ids};

/// All messages and replies of a channel, from all pages and threads. Panics if one is returned twice.
fn read_all(sim: &Sim, path: &str) -> BTreeMap<String, Value> {
    let mut seen = BTreeMap::new();
    for mut root in sim.all(&format!("{path}?$top=50&$expand=replies")).0 {
        let properties = root.as_object_mut().unwrap();
        let mut replies = properties.remove("replies").unwrap().as_array().unwrap().clone();
        if let Some(link) = properties.remove("replies@odata.nextLink") {
            assert_eq!(replies.len(), 200);
            replies.extend(sim.all(link.as_str().unwrap()).0);
        }
        properties.retain(|name, _| !name.starts_with("replies@"));
        for message in replies.into_iter().chain([root]) {
            let id = message["id"].as_str().unwrap().to_owned();
            assert!(seen.insert(id, message).is_none());
        }
    }
    seen
}

/// graph.md 2.5: replies beyond 200 follow from a link.
#[test]
fn the_pages_contain_all_messages_and_replies() {
    let sim = Sim::new(TenantSpec::uniform(2, 2, 60));
    let truth = sim.truth();
    assert_eq!(truth.messages.len(), 2 * 2 * 60);
    let threads = truth.replies.values().fold(BTreeMap::<_, usize>::new(), |mut threads, reply| {
        *threads.entry((&reply.channel, reply.root)).or_default() += 1;
        threads
    });
    assert_eq!(threads.values().filter(|replies| **replies > 200).count(), 3);
    let mut count = 0;
    for (team, channel) in truth.channels.keys() {
        for (id, message) in read_all(&sim, &sim.path(team, channel, "/messages")) {
            let key = (channel.clone(), id.parse().unwrap());
            let expected = truth.messages.get(&key).or_else(|| truth.replies.get(&key)).unwrap();
            assert_eq!(Some(message), expected.value());
            count += 1;
        }
    }
    assert_eq!(count, truth.messages.len() + truth.replies.len());
}

/// graph.md 2.5: newest activity first, including replies.
#[test]
fn chains_are_ordered_by_their_newest_activity() {
    let sim = Sim::new(TenantSpec::uniform(1, 1, 120));
    let team = sim.read_tenant(|tenant| tenant.team_ids()[0].clone());
    let channel = sim.read_tenant(|tenant| tenant.channel_ids(&team)[0].clone());
    let (chains, pages) = sim.all(&sim.path(&team, &channel, "/messages?$top=50&$expand=replies"));
    assert_eq!((chains.len(), pages), (120, 3));
    let time = |message: &Value| Time::parse(message["lastModifiedDateTime"].as_str().unwrap()).unwrap();
    let activities: Vec<Time> = chains
        .iter()
        .filter(|chain| chain["replies@odata.nextLink"].is_null())
        .map(|chain| chain["replies"].as_array().unwrap().iter().map(time).fold(time(chain), Time::max))
        .collect();
    assert!(activities.is_sorted_by(|a, b| a >= b));
    let roots: Vec<Time> = chains.iter().map(time).collect();
    assert!(!roots.is_sorted_by(|a, b| a >= b), "replies must have moved old roots up");
}

#[test]
fn the_same_seed_gives_the_same_tenant() {
    let truth = |seed| {
        let sim = Sim::new(TenantSpec::skewed(2, 3, 20).seed(seed));
        let messages: Vec<String> = sim.truth().messages.into_values().map(|message| message.json).collect();
        messages
    };
    assert_eq!(truth(5), truth(5));
    assert_ne!(truth(5), truth(6));
}

#[test]
fn a_skewed_tenant_has_few_large_channels() {
    let sim = Sim::new(TenantSpec::skewed(5, 8, 30));
    let mut sizes: Vec<usize> =
        sim.read_tenant(|tenant| tenant.all_channel_ids().iter().map(|id| tenant.channel(id).unwrap().root_count()).collect());
    sizes.sort_unstable();
    assert!(sizes[39] > 300 && sizes[20] < 20, "{sizes:?}");
    assert!((1100..1300).contains(&sizes.iter().sum::<usize>()), "{sizes:?}");
}

/// graph.md 2.7: message ids are unique within a channel only.
#[test]
fn two_channels_have_equal_message_ids() {
    let sim = Sim::new(TenantSpec::uniform(2, 2, 10));
    let truth = sim.truth();
    let ids: HashSet<u64> = truth.messages.keys().map(|(_, id)| *id).collect();
    assert!(ids.len() < truth.messages.len());
}

/// graph.md 2.0: times have 0 to 7 fraction digits, without trailing zeros.
#[test]
fn fraction_digits_vary() {
    let sim = Sim::new(TenantSpec::uniform(2, 3, 200));
    let mut widths = HashSet::new();
    for message in sim.truth().messages.values() {
        let value = message.value().unwrap();
        for name in ["createdDateTime", "lastModifiedDateTime", "lastEditedDateTime"] {
            let Some(time) = value[name].as_str() else { continue };
            let fraction = time.trim_end_matches('Z').split_once('.').map_or("", |(_, fraction)| fraction);
            assert!(!fraction.ends_with('0') && time.ends_with('Z'), "{time}");
            widths.insert(fraction.len());
        }
    }
    assert_eq!(widths.len(), 8, "{widths:?}");
}

/// graph.md 2.5: `$top` is 20 by default and 50 at most. `$expand` is the only other option.
#[test]
fn messages_accept_only_top_and_expand() {
    let sim = Sim::new(TenantSpec::uniform(1, 1, 60));
    let team = sim.read_tenant(|tenant| tenant.team_ids()[0].clone());
    let channel = sim.read_tenant(|tenant| tenant.channel_ids(&team)[0].clone());
    let path = sim.path(&team, &channel, "/messages");
    let page = sim.get(&path).json();
    assert_eq!((page["@odata.count"].as_u64(), page["value"].as_array().unwrap().len()), (Some(20), 20));
    assert!(page["value"][0].get("replies").is_none());
    for option in
        ["$top=51", "$top=0", "$top=x", "$filter=x", "$select=id", "$orderby=id", "$skip=1", "$search=x", "$expand=hostedContents"]
    {
        assert_eq!(sim.get(&format!("{path}?{option}")).status, 400, "{option}");
    }
    sim.switches(|switches| switches.top_over_maximum = Excess::Clamp);
    assert_eq!(sim.get(&format!("{path}?$top=51")).json()["@odata.count"], 50);
}

/// graph.md 2.0: links are opaque, contain the options of the first page, and may expire.
#[test]
fn links_are_opaque_and_bound_to_their_list() {
    let sim = Sim::new(TenantSpec::uniform(1, 2, 30));
    let team = sim.read_tenant(|tenant| tenant.team_ids()[0].clone());
    let channels = sim.read_tenant(|tenant| tenant.channel_ids(&team));
    let link = |option: &str| {
        let page = sim.get(&sim.path(&team, &channels[0], &format!("/messages?{option}"))).json();
        page["@odata.nextLink"].as_str().unwrap().to_owned()
    };
    let next = link("$top=10&$expand=replies");
    assert!(next.starts_with(sim.graph_url()) && !next.contains("expand"), "{next}");
    let page = sim.get(&next).json();
    assert_eq!(page["value"].as_array().unwrap().len(), 10);
    assert!(page["value"][0]["replies"].is_array(), "the link contains `$expand`");
    let token = next.split_once("$skiptoken=").unwrap().1;
    assert_eq!(sim.get(&sim.path(&team, &channels[1], &format!("/messages?$skiptoken={token}"))).status, 400);
    assert_eq!(sim.get(&format!("{next}&$top=5")).status, 400);
    assert_eq!(sim.get(&next.replace('$', "%24")).status, 400);
    assert_eq!(sim.get(&next[..next.len() - 3]).status, 400);
    sim.with_tenant(|tenant| tenant.expire_links());
    assert_eq!(sim.get(&next).status, 400);
    sim.switches(|switches| switches.link_lifetime = Some(60));
    let next = link("$top=10");
    sim.clock().advance(Duration::from_secs(59));
    assert_eq!(sim.get(&next).status, 200);
    sim.clock().advance(Duration::from_secs(2));
    assert_eq!(sim.get(&next).status, 400);
}

#[test]
fn links_have_three_styles() {
    let sim = Sim::new(TenantSpec::uniform(1, 1, 30));
    let team = sim.read_tenant(|tenant| tenant.team_ids()[0].clone());
    let channel = sim.read_tenant(|tenant| tenant.channel_ids(&team)[0].clone());
    for (style, part) in [
        (LinkStyle::FunctionEncoded, format!("/teams('{team}')/channels('{}')/messages?", channel.replace(':', "%3A").replace('@', "%40"))),
        (LinkStyle::Function, format!("/teams('{team}')/channels('{channel}')/messages?")),
        (LinkStyle::Slash, format!("/teams/{team}/channels/{channel}/messages?")),
    ] {
        sim.switches(|switches| switches.link_style = Some(style));
        let next = sim.get(&sim.path(&team, &channel, "/messages")).json()["@odata.nextLink"].as_str().unwrap().to_owned();
        assert!(next.contains(&part), "{next}");
        assert_eq!(sim.get(&next).status, 200);
    }
}

/// graph.md 2.5: if a chain moves up between two pages, paging by position misses it, and paging by offset repeats another.
#[test]
fn paging_by_position_skips_and_by_offset_repeats() {
    let (sim, team, channel) = Sim::one_channel();
    let posts: Vec<_> = (0..6)
        .map(|index| {
            sim.clock().advance(Duration::from_secs(1));
            sim.with_tenant(|tenant| tenant.post(&channel, Post::text(index.to_string()))).unwrap()
        })
        .collect();
    let read = |paging| {
        sim.switches(|switches| switches.paging = paging);
        let first = sim.get(&sim.path(&team, &channel, "/messages?$top=3")).json();
        sim.clock().advance(Duration::from_secs(1));
        sim.with_tenant(|tenant| tenant.reply(&posts[0], Post::text("moves the oldest up"))).unwrap();
        let second = sim.get(first["@odata.nextLink"].as_str().unwrap()).json();
        let both: Vec<String> = [first, second]
            .iter()
            .flat_map(|page| ids(page["value"].as_array().unwrap()).into_iter().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        both
    };
    let by_position = read(Paging::Position);
    assert!(by_position.len() == 5 && !by_position.contains(&posts[0].id_text()), "moved above the first page: {by_position:?}");
    // The chain that moved up is now the first. Move up the others, so that it is the oldest again.
    sim.clock().advance(Duration::from_secs(1));
    sim.with_tenant(|tenant| posts[1..].iter().try_for_each(|post| tenant.react(post, "like"))).unwrap();
    let by_offset = read(Paging::Offset);
    assert!(by_offset.len() > by_offset.iter().collect::<HashSet<_>>().len(), "one is returned twice: {by_offset:?}");
}

/// graph.md 2.0: an empty page may have a nextLink, and so may the last page if it is full.
#[test]
fn an_empty_page_is_not_the_end() {
    let sim = Sim::new(TenantSpec::uniform(1, 1, 40));
    let team = sim.read_tenant(|tenant| tenant.team_ids()[0].clone());
    let channel = sim.read_tenant(|tenant| tenant.channel_ids(&team)[0].clone());
    let path = sim.path(&team, &channel, "/messages?$top=20");
    assert_eq!(sim.all(&path).1, 2);
    sim.switches(|switches| switches.trailing_link = true);
    let (items, pages) = sim.all(&path);
    assert_eq!((items.len(), pages), (40, 3));
    sim.switches(|switches| (switches.trailing_link, switches.empty_pages) = (false, 2));
    let (items, pages) = sim.all(&path);
    assert_eq!(items.len(), 40);
    assert!(pages > 2);
}

/// graph.md 2.6: `$top` is 50 at most, the root is not in the list, and delta is not supported.
#[test]
fn replies_of_a_thread_are_listed_in_either_order() {
    let sim = Sim::new(TenantSpec::uniform(1, 1, 30));
    let truth = sim.truth();
    let long = truth.replies.values().fold(BTreeMap::<_, Vec<u64>>::new(), |mut threads, reply| {
        threads.entry((reply.team.clone(), reply.channel.clone(), reply.root)).or_default().push(reply.id);
        threads
    });
    let ((team, channel, root), mut expected) = long.into_iter().max_by_key(|(_, replies)| replies.len()).unwrap();
    expected.sort_unstable();
    let path = sim.path(&team, &channel, &format!("/messages/{root}/replies"));
    for (paging, order) in [
        (Paging::Position, RepliesOrder::OldestFirst),
        (Paging::Offset, RepliesOrder::OldestFirst),
        (Paging::Offset, RepliesOrder::NewestFirst),
        (Paging::Position, RepliesOrder::NewestFirst),
    ] {
        sim.switches(|switches| (switches.paging, switches.replies_order) = (paging, order));
        let (replies, _) = sim.all(&format!("{path}?$top=50"));
        let mut got: Vec<u64> = ids(&replies).iter().map(|id| id.parse().unwrap()).collect();
        if order == RepliesOrder::NewestFirst {
            got.reverse();
        }
        assert_eq!(got, expected, "{paging:?} {order:?}");
        assert!(replies.iter().all(|reply| reply["replyToId"].as_str() == Some(&root.to_string())));
    }
    assert_eq!(sim.get(&format!("{path}?$top=51")).status, 400);
    assert_eq!(sim.get(&format!("{path}?$expand=replies")).status, 400);
    let delta = sim.get(&format!("{path}/delta"));
    assert_eq!(delta.error().1, "Change tracking is not supported against 'microsoft.graph.chatMessage'.");
    let one = sim.get(&format!("{path}/{}", expected[0])).json();
    assert_eq!(one["id"], expected[0].to_string());
    assert!(one["@odata.context"].as_str().unwrap().ends_with("messages/$entity"));
    assert_eq!(sim.get(&sim.path(&team, &channel, "/messages/17")).status, 404);
}

/// graph.md 3: the messageType is `systemEventMessage` with the `Prefer` header only.
#[test]
fn every_kind_of_system_event_is_served() {
    let (sim, team, channel) = Sim::one_channel();
    for kind in 0..SYSTEM_EVENTS.len() {
        sim.clock().advance(Duration::from_millis(5));
        sim.with_tenant(|tenant| tenant.post(&channel, Post::generated(Flavour::SystemEvent(kind as u8)))).unwrap();
    }
    let path = sim.path(&team, &channel, "/messages?$top=50");
    let preferred = sim.get(&path).json();
    let default = sim.get_with(&path, &[]).unwrap().json();
    let kinds: HashSet<&str> =
        preferred["value"].as_array().unwrap().iter().map(|event| event["eventDetail"]["@odata.type"].as_str().unwrap()).collect();
    assert_eq!(kinds.len(), SYSTEM_EVENTS.len());
    for (preferred, default) in preferred["value"].as_array().unwrap().iter().zip(default["value"].as_array().unwrap()) {
        assert_eq!((&preferred["messageType"], &default["messageType"]), (&"systemEventMessage".into(), &"unknownFutureValue".into()));
        assert_eq!((&preferred["from"], &preferred["body"]["content"]), (&Value::Null, &"<systemEventMessage/>".into()));
    }
}

#[test]
fn the_corpus_is_served_byte_for_byte() {
    let (sim, team, channel) = Sim::one_channel();
    let posted = sim.with_tenant(|tenant| tenant.post_corpus(&channel)).unwrap();
    let kinds: HashSet<&String> = posted.iter().map(|(name, _)| name).collect();
    assert_eq!((kinds.len(), posted.len()), (posted.len(), 2 * corpus().len() + 3));
    let mut seen = 0;
    let mut next = Some(sim.path(&team, &channel, "/messages?$top=50&$expand=replies"));
    while let Some(path) = next {
        let body = sim.get(&path).body;
        let page: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(&body).unwrap();
        let items: Vec<Box<RawValue>> = serde_json::from_str(page["value"].get()).unwrap();
        for item in items {
            let matches = posted.iter().filter(|(_, at)| {
                let truth = sim.read_tenant(|tenant| tenant.message_truth(at)).unwrap();
                let json = truth.json.trim_end().strip_suffix('}').unwrap();
                if at.is_root() { item.get().starts_with(json) } else { item.get().contains(json) }
            });
            seen += matches.count();
        }
        next = page.get("@odata.nextLink").map(|link| serde_json::from_str(link.get()).unwrap());
    }
    assert_eq!(seen, posted.len());
}

#[test]
fn damaged_items_do_not_damage_their_page() {
    let (sim, team, channel) = Sim::one_channel();
    for item in damaged() {
        sim.clock().advance(Duration::from_secs(1));
        let at = sim.with_tenant(|tenant| tenant.post(&channel, item.root)).unwrap();
        sim.with_tenant(|tenant| tenant.reply(&at, item.reply)).unwrap();
    }
    let page = sim.get(&sim.path(&team, &channel, "/messages?$expand=replies")).json();
    let items = page["value"].as_array().unwrap();
    assert_eq!(items.len(), damaged().len());
    assert_eq!((items[items.len() - 1].clone(), items[0]["replies"][0]["id"].is_number()), (Value::Null, true));
}

/// The activity of a chain as clients see it: the newest time of change in it.
fn visible_activity(chain: &Value) -> Time {
    let times = |message: &Value| {
        let names = ["lastModifiedDateTime", "lastEditedDateTime", "deletedDateTime"];
        names.iter().filter_map(|name| Time::parse(message[*name].as_str()?)).max().unwrap()
    };
    chain["replies"].as_array().unwrap().iter().map(times).fold(times(chain), Time::max)
}

/// graph.md 2.5, 3: after random changes, the pages contain all messages, ordered by visible activity.
#[test]
fn the_pages_are_complete_and_ordered_after_any_changes() {
    let (sim, team, channel) = Sim::one_channel();
    let mut random = 7_u64;
    let mut draw = move |bound: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as usize % bound
    };
    let mut known: Vec<graph_sim::MessageRef> = Vec::new();
    for step in 0..400 {
        sim.clock().advance(Duration::from_micros(draw(900_000) as u64));
        let post = Post::generated(Flavour::all()[draw(25)]);
        sim.with_tenant(|tenant| {
            let Some(at) = (step > 5).then(|| known[draw(known.len())].clone()) else {
                return known.push(tenant.post(&channel, post).unwrap());
            };
            // The message may have been removed before, so errors are ignored.
            let result = match draw(9) {
                0 | 1 => tenant.post(&channel, post).map(|at| known.push(at)),
                2 | 3 => tenant.reply(&at, post).map(|at| known.push(at)),
                4 => tenant.edit(&at, "edited"),
                5 => tenant.react(&at, "heart"),
                6 => tenant.delete(&at),
                7 => tenant.undelete(&at),
                _ => tenant.remove(&at),
            };
            drop(result);
        });
    }
    let (chains, _) = sim.all(&sim.path(&team, &channel, "/messages?$top=7&$expand=replies"));
    assert!(chains.iter().map(visible_activity).is_sorted_by(|a, b| a >= b));
    let truth = sim.truth();
    let seen = read_all(&sim, &sim.path(&team, &channel, "/messages"));
    assert_eq!(seen.len(), truth.messages.len() + truth.replies.len());
    assert!(seen.len() > 60, "{}", seen.len());
    for message in truth.messages.values().chain(truth.replies.values()) {
        assert_eq!(seen.get(&message.id.to_string()), message.value().as_ref());
    }
}
