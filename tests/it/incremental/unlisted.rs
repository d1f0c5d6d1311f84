//! Existing teams and channels that earlier runs have read and that Graph does not list: they are still read.

use graph_sim::{Class, Fault, MessageRef, Options, Rule, TenantSpec};
use serde_json::{Value, json};

use super::{BOTH, HOUR, MESSAGES, REPLIES, Reader, Run};
use crate::support::{ALL, Protocol, Tap, config, everything, truth};

const LISTS: [&str; 3] = ["teams", "channels", "members"];

fn four_teams(protocol: Protocol) -> Reader {
    let spec = TenantSpec { groups_without_team: 0, ..TenantSpec::uniform(4, 2, 6).replies(1, 0) };
    let mut reader = Reader::new(Options::new(spec).manual_clock()).with_protocol(protocol).streams(&ALL);
    for _ in 0..2 {
        reader.read();
        reader.later(HOUR);
    }
    reader
}

fn teams(reader: &Reader) -> Vec<String> {
    reader.sim.read_tenant(|tenant| tenant.team_ids())
}

fn unmark(reader: &Reader, teams: &[String]) {
    for team in teams {
        reader.sim.with_tenant(|tenant| tenant.mark_team(team, false)).unwrap();
    }
}

/// Edits a message in each channel.
fn edit_all(reader: &Reader) -> Vec<MessageRef> {
    let channels = reader.channels();
    let edited = reader.sim.with_tenant(|tenant| {
        let edit = |channel: &String| {
            let root = tenant.roots(channel).swap_remove(3);
            tenant.edit(&root, "edited").unwrap();
            root
        };
        channels.iter().map(edit).collect()
    });
    // Longer ago than the lookback.
    reader.later(HOUR);
    edited
}

/// All lists are complete, and each of these messages was emitted.
fn assert_whole(reader: &Reader, run: &Run, edited: &[MessageRef]) {
    let truth = reader.sim.truth();
    for stream in LISTS {
        let table = run.output.table(stream);
        if stream == "teams" {
            assert_eq!(table.len(), truth.teams.len());
        } else {
            truth::assert_equal(stream, &table, &truth::table(&truth, stream));
        }
    }
    assert!(edited.iter().all(|message| run.emits(message)));
    for stream in [MESSAGES, REPLIES] {
        truth::assert_equal(stream, &reader.rows[stream], &truth::table(&truth, stream));
    }
}

/// The statuses of the streams.
fn incomplete(run: &Run) -> Vec<&str> {
    match run.output.protocol {
        Protocol::Airbyte => run.output.errors().into_iter().map(|(_, stream, _)| stream).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn an_unlisted_private_channel_of_an_archived_team_is_read_in_the_same_run() {
    for protocol in BOTH {
        let mut reader = four_teams(protocol);
        let hidden = reader.channels().swap_remove(1);
        reader.sim.with_tenant(|tenant| tenant.list_channel(&hidden, false)).unwrap();
        let edited = edit_all(&reader);
        let run = reader.read();
        assert_whole(&reader, &run, &edited);
        assert_eq!((run.emitted(MESSAGES), run.request_count(Class::Other)), (8, 1), "incrementally, and one request more");
        assert!(run.warnings("").is_empty(), "{:?}", run.warnings(""));
        // Also in each later run.
        reader.later(HOUR);
        let edited = edit_all(&reader);
        let run = reader.read();
        assert_whole(&reader, &run, &edited);
    }
}

#[test]
fn an_unlisted_channel_is_read_with_every_configuration_and_mode() {
    let ways: [fn(&mut Reader, &str, &str); 4] = [
        |reader, team, _| reader.set(json!({"fetch_all_teams": false, "team_id": team})),
        |reader, _, channel| reader.set(json!({"fetch_all_channels": false, "channel_id": channel})),
        |reader, _, _| reader.full_refresh = true,
        |reader, _, _| reader.streams = vec![REPLIES],
    ];
    for protocol in BOTH {
        for (number, way) in ways.iter().enumerate() {
            let mut reader = four_teams(protocol);
            let hidden = reader.channels().swap_remove(1);
            let team = reader.sim.read_tenant(|tenant| tenant.team_of(&hidden).unwrap().id.clone());
            reader.sim.with_tenant(|tenant| tenant.list_channel(&hidden, false)).unwrap();
            let root = reader.sim.read_tenant(|tenant| tenant.roots(&hidden).swap_remove(3));
            let (reply, edited) = (reader.reply(&root, "new"), root);
            reader.edit(&edited, "edited");
            way(&mut reader, &team, &hidden);
            let run = reader.read();
            let of_messages = number == 3 || run.emits(&edited);
            assert!(of_messages && run.emits(&reply), "{protocol:?}, way {number}");
        }
    }
}

#[test]
fn teams_that_are_no_longer_marked_are_read_and_the_list_is_incomplete() {
    for protocol in BOTH {
        for share in [4, 2, 1] {
            let mut reader = four_teams(protocol);
            let unmarked = &teams(&reader)[..share];
            unmark(&reader, unmarked);
            let edited = edit_all(&reader);
            let run = reader.run();
            assert_eq!(run.output.status, Some(1));
            assert_whole(&reader, &run, &edited);
            let sentence = format!("the list of teams is incomplete: Graph omits {share} teams that exist, such as team ");
            assert_eq!(run.warnings(&sentence).len(), 1, "{:?}", run.warnings(""));
            if protocol == Protocol::Airbyte {
                assert_eq!(incomplete(&run), LISTS);
                assert!(run.output.errors().iter().all(|(kind, _, text)| *kind == "transient_error" && text.starts_with(&sentence)));
            } else {
                assert!(run.output.critical().contains(&sentence), "{}", run.output.critical());
            }
            assert_eq!(run.warnings("Graph returned no teams for this tenant").len(), usize::from(share == 4));

            // They can be excluded.
            reader.later(HOUR);
            reader.set(json!({"exclude": unmarked}));
            let run = reader.read();
            assert_eq!((run.output.records("teams").count(), run.warnings("the list of teams").len()), (4 - share, 0));

            // When they are listed again, everything is as before.
            reader.later(HOUR);
            reader.set(json!({"exclude": ""}));
            unmarked.iter().for_each(|team| reader.sim.with_tenant(|tenant| tenant.mark_team(team, true)).unwrap());
            let edited = edit_all(&reader);
            let run = reader.read();
            assert_whole(&reader, &run, &edited);
            assert_eq!(run.emitted(MESSAGES), 8, "incrementally");
        }
    }
}

#[test]
fn each_single_stream_knows_missing_teams_from_the_state() {
    let mut reader = four_teams(Protocol::Singer);
    unmark(&reader, &teams(&reader));
    let edited = edit_all(&reader);
    for (streams, status) in [(vec!["teams"], 1), (vec!["members"], 1), (vec![MESSAGES], 0)] {
        reader.streams = streams.clone();
        let run = reader.run();
        assert_eq!((run.output.status, run.warnings("the list of teams is incomplete").len()), (Some(status), 1), "{streams:?}");
        assert!(streams != [MESSAGES] || edited.iter().all(|message| run.emits(message)), "messages are read of all that is known");
    }
}

#[test]
fn a_configured_team_shows_that_an_empty_list_is_wrong() {
    let reader = four_teams(Protocol::Airbyte);
    let team = teams(&reader).swap_remove(1);
    let read = || {
        let settings = json!({"team_id": team, "fetch_all_channels": true, "fetch_all_messages": true});
        Tap::new(&config(&reader.sim, settings)).read(&ALL)
    };
    unmark(&reader, std::slice::from_ref(&team));
    let one = read();
    assert_eq!((one.status, one.records("teams").count()), (Some(0), 4), "it is read with the others: {:?}", one.errors());
    unmark(&reader, &teams(&reader));
    let none = read();
    assert_eq!((none.status, none.records("teams").count(), none.errors()[0].1), (Some(1), 1, "teams"));
    assert_eq!((none.errors().len(), none.records("members").count()), (1, 12));
}

#[test]
fn without_a_state_an_empty_list_of_teams_is_a_warning() {
    let reader = four_teams(Protocol::Airbyte);
    unmark(&reader, &teams(&reader));
    let tap = Tap::new(&config(&reader.sim, everything()));
    let sentence = "Graph returned no teams for this tenant; hint: if the tenant has teams, check `tenant_id` and the permissions of the \
                    application, and run again";
    let read = tap.read(&ALL);
    assert_eq!((read.status, read.logs("WARN")), (Some(0), vec![sentence]));
    let check = tap.check();
    assert_eq!(check.verdict().0, "SUCCEEDED");
    assert!(check.verdict().1.contains(sentence) && check.logs("WARN") == [sentence], "{:?}", check.messages);
    let plan = tap.execute(&["plan", "--config", "config.json"], &[]);
    assert!(plan.status == Some(0) && plan.stderr.contains(sentence), "{}", plan.stderr);
}

#[test]
fn a_plan_reads_unlisted_teams_and_channels_like_a_run() {
    let mut reader = four_teams(Protocol::Singer);
    unmark(&reader, &teams(&reader)[..2]);
    let hidden = reader.channels().swap_remove(5);
    reader.sim.with_tenant(|tenant| tenant.list_channel(&hidden, false)).unwrap();
    let (tap, arguments) = reader.prepare();
    let finished = tap.execute(&[&["plan", "--format", "json"], &arguments[..]].concat(), &[]);
    let plan: Value = serde_json::from_str(&finished.stdout).unwrap();
    let failed = plan["failed"].as_array().unwrap();
    assert_eq!((finished.status, failed.len()), (Some(1), 1), "{failed:?}");
    assert!(
        failed[0].as_str().unwrap().starts_with("teams, channels, members would fail: the list of teams is incomplete: "),
        "{failed:?}"
    );
    assert_eq!((&plan["teams"], &plan["channels"], &plan["requests"]["channel"]), (&json!(4), &json!(8), &json!(1)));
    let run = reader.run();
    let requested = run.journal.total();
    assert_eq!((run.output.status, plan["requests"]["total"].as_u64()), (Some(1), Some(requested)), "{plan}");
}

#[test]
fn a_team_that_cannot_be_requested_is_read_by_its_lists() {
    let mut reader = four_teams(Protocol::Airbyte).streams(&[MESSAGES]);
    unmark(&reader, &teams(&reader)[..2]);
    reader.sim.set_roles(&["GroupMember.Read.All", "Channel.ReadBasic.All", "ChannelMessage.Read.All"]);
    reader.sim.inject(Rule::new(Fault::status(403)).class(Class::Team));
    let edited = edit_all(&reader);
    let run = reader.read();
    assert!(edited.iter().all(|message| run.emits(message)));
    reader.assert_complete();
}

#[test]
fn a_known_team_or_channel_that_does_not_respond_is_reported() {
    for hide in [true, false] {
        let mut reader = four_teams(Protocol::Airbyte);
        let hidden = reader.channels().swap_remove(1);
        if hide {
            reader.sim.with_tenant(|tenant| tenant.list_channel(&hidden, false)).unwrap();
        } else {
            unmark(&reader, &teams(&reader)[..1]);
        }
        reader.sim.inject(Rule::new(Fault::status(503)).class(if hide { Class::Other } else { Class::Team }));
        let run = reader.run();
        assert_eq!(run.output.status, Some(1));
        assert!(["messages", "message_replies"].iter().all(|stream| incomplete(&run).contains(stream)), "{:?}", run.output.errors());
        reader.sim.clear_faults();
        let edited = edit_all(&reader);
        let run = reader.run();
        assert!(edited.iter().all(|message| run.emits(message)), "its state was kept");
    }
}
