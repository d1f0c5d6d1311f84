//! Changes of the tenant during a run.

use std::collections::HashSet;

use graph_sim::{Block, Class, Fault, GraphSim};

use crate::support::{ALL, Output, Tap, config, everything, tenant, truth};

/// Reads two teams with two channels each while this change happens.
fn read(sim: &GraphSim) -> Output {
    let mut settings = everything();
    // One request at a time, so that the moment of the change is known.
    settings["max_concurrent_threads"] = 1.into();
    Tap::new(&config(sim, settings)).read(&ALL)
}

#[test]
fn a_parent_deleted_while_it_is_read_is_a_warning() {
    let sim = tenant(2, 2, 120);
    let (teams, channels) = sim.read_tenant(|tenant| (tenant.team_ids(), tenant.channel_ids(&tenant.team_ids()[0])));
    let (doomed_team, private) = (teams[1].clone(), channels[1].clone());
    let (mut lists, mut is_done) = (0, false);
    let (doomed, hidden) = (doomed_team.clone(), private.clone());
    sim.on_request(move |request, tenant| {
        lists += u32::from(matches!(request.class, Class::Channels | Class::Members | Class::Team));
        // All lists were read before the change.
        if request.class == Class::Messages && lists == 6 && !std::mem::replace(&mut is_done, true) {
            tenant.delete_team(&doomed).unwrap();
            tenant.block_channel(&hidden, Some(Block::forbidden())).unwrap();
        }
        None
    });
    let output = read(&sim);
    assert_eq!(output.status, Some(0), "{:?}", output.errors());
    let warnings = output.logs("WARN");
    assert!(warnings.iter().any(|warning| warning.contains(&private) && warning.contains("403")), "{warnings:?}");
    assert!(warnings.iter().any(|warning| warning.contains(&doomed_team) && warning.contains("404")), "{warnings:?}");
    let whole = truth::table(&sim.truth(), "messages").into_iter().filter(|(key, _)| key[0] == channels[0]).collect();
    let emitted = output.table("messages").into_iter().filter(|(key, _)| key[0] == channels[0]).collect();
    truth::assert_equal("messages", &emitted, &whole);
    for stream in ALL {
        assert_eq!(output.statuses(stream).last(), Some(&"COMPLETE"), "{stream}");
    }
}

#[test]
fn consent_withdrawn_during_a_run_is_reported() {
    let missing = || {
        let roles = "Missing role permissions on the request. API requires one of 'ChannelMessage.Read.All, Group.Read.All'.";
        Fault::graph(403, "Forbidden", roles)
    };
    for (answered, outcome) in [(0, "INCOMPLETE"), (1, "COMPLETE")] {
        let sim = tenant(1, 3, 10);
        let mut channels = HashSet::new();
        sim.on_request(move |request, _| {
            let is_messages = request.class == Class::Messages;
            (is_messages && channels.insert(request.channel().map(str::to_owned)) && channels.len() > answered
                || is_messages && channels.len() > answered)
                .then(missing)
        });
        let output = read(&sim);
        assert_eq!(output.statuses("messages").last(), Some(&outcome));
        assert_eq!(output.status, Some(i32::from(outcome == "INCOMPLETE")));
        let warnings: Vec<_> = output.logs("WARN").into_iter().filter(|warning| warning.contains("ChannelMessage.Read.All")).collect();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            output.logs("INFO").iter().any(|line| line.starts_with("messages: ") && line.contains(&format!(", {} parent", 3 - answered)))
        );
        if outcome == "INCOMPLETE" {
            let errors = output.errors();
            assert!(errors.iter().all(|(kind, stream, _)| *kind == "config_error" && ["messages", "message_replies"].contains(stream)));
            assert!(errors[0].2.contains("hint: grant the application permission ChannelMessage.Read.All"), "{}", errors[0].2);
        }
        assert_eq!(output.records("messages").count(), 10 * answered);
        assert_eq!(output.statuses("members").last(), Some(&"COMPLETE"));
    }
}
