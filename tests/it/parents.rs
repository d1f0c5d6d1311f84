//! Which parents are read: combinations of ids and `fetch_all_*`, and messages about missing, refused and deleted parents.

use graph_sim::{Block, Class, GraphSim, Options, TenantSpec};
use serde_json::{Value, json};

use crate::support::{ALL, Tap, config};

struct Tenant {
    sim: GraphSim,
    teams: Vec<String>,
    /// The channels of each team.
    channels: Vec<Vec<String>>,
}

fn tenant() -> Tenant {
    let mut spec = TenantSpec::uniform(2, 2, 3);
    spec.groups_without_team = 0;
    let sim = GraphSim::start(Options::new(spec)).unwrap();
    let (teams, channels) = sim.read_tenant(|tenant| {
        let teams = tenant.team_ids();
        let channels = teams.iter().map(|team| tenant.channel_ids(team)).collect();
        (teams, channels)
    });
    Tenant { sim, teams, channels }
}

impl Tenant {
    fn read(&self, settings: Value, streams: &[&str]) -> crate::support::Output {
        Tap::new(&config(&self.sim, settings)).read(streams)
    }

    /// The root messages of a channel with replies.
    fn threads(&self, channel: &str) -> Vec<String> {
        self.sim.read_tenant(|tenant| {
            tenant.roots(channel).iter().filter(|root| !tenant.replies(root).is_empty()).map(|root| root.id.to_string()).collect()
        })
    }
}

fn distinct(output: &crate::support::Output, stream: &'static str, column: &str) -> Vec<String> {
    let mut values: Vec<_> = output.records(stream).map(|record| record[column].as_str().unwrap().to_owned()).collect();
    values.sort();
    values.dedup();
    values
}

fn sorted(mut values: Vec<String>) -> Vec<String> {
    values.sort();
    values
}

#[test]
fn ids_and_fetch_all_select_the_teams_and_channels() {
    let tenant = tenant();
    let (teams, channels) = (&tenant.teams, &tenant.channels);
    let two = format!("{}, {},{}", teams[0], teams[1], teams[0]);
    let all_channels = sorted(channels.concat());
    // The options; the teams and the channels whose messages are read.
    let cases: Vec<(Value, Vec<String>, Vec<String>)> = vec![
        (json!({"team_id": teams[0], "channel_id": channels[0][0]}), vec![teams[0].clone()], vec![channels[0][0].clone()]),
        (json!({"team_id": teams[0], "channel_id": channels[0].join(",")}), vec![teams[0].clone()], sorted(channels[0].clone())),
        (json!({"team_id": teams[0], "fetch_all_channels": true}), vec![teams[0].clone()], sorted(channels[0].clone())),
        (json!({"team_id": two, "fetch_all_channels": "true"}), sorted(teams.clone()), all_channels.clone()),
        (json!({"team_id": teams, "channel_id": channels[1][1]}), sorted(teams.clone()), vec![channels[1][1].clone()]),
        (
            json!({"fetch_all_teams": true, "channel_id": format!("{},{}", channels[0][1], channels[1][0])}),
            sorted(teams.clone()),
            sorted(vec![channels[0][1].clone(), channels[1][0].clone()]),
        ),
        (json!({"fetch_all_teams": true, "fetch_all_channels": true}), sorted(teams.clone()), all_channels.clone()),
        // `fetch_all_*` overrides ids.
        (
            json!({"team_id": teams[0], "fetch_all_teams": true, "channel_id": channels[0][0], "fetch_all_channels": true}),
            sorted(teams.clone()),
            all_channels.clone(),
        ),
    ];
    for (settings, teams, channels) in cases {
        tenant.sim.clear_journal();
        let mut with_replies = settings.clone();
        with_replies["fetch_all_messages"] = true.into();
        let output = tenant.read(with_replies, &ALL);
        assert_eq!(output.status, Some(0), "{settings}: {:?}", output.errors());
        assert_eq!(output.records("teams").count(), 2, "{settings}");
        assert_eq!(distinct(&output, "channels", "team_id"), teams, "{settings}");
        assert_eq!(distinct(&output, "members", "team_id"), teams, "{settings}");
        assert_eq!(distinct(&output, "messages", "channel_id"), channels, "{settings}");
        assert!(distinct(&output, "message_replies", "channel_id").iter().all(|channel| channels.contains(channel)), "{settings}");
        let journal = tenant.sim.journal();
        assert_eq!(journal.count(Class::Channels), teams.len() as u64, "{settings}: each team's channels once");
        assert_eq!(journal.count(Class::Members), teams.len() as u64, "{settings}");
        assert_eq!(journal.count(Class::Messages), channels.len() as u64, "{settings}: each channel once");
        assert_eq!(journal.with_status(404), 0, "{settings}");
    }
}

#[test]
fn message_ids_select_threads_in_any_channel() {
    let tenant = tenant();
    let channel = &tenant.channels[0][1];
    let threads = tenant.threads(channel);
    let one_channel = json!({"team_id": tenant.teams[0], "channel_id": channel, "message_id": threads[0]});
    let output = tenant.read(one_channel, &["message_replies"]);
    assert_eq!((output.status, distinct(&output, "message_replies", "parent_message_id")), (Some(0), vec![threads[0].clone()]));
    assert_eq!(tenant.sim.count(Class::Messages), 0, "only the thread is read");

    let everywhere = json!({"fetch_all_teams": true, "fetch_all_channels": true, "message_id": threads.join(",")});
    let output = tenant.read(everywhere.clone(), &["message_replies"]);
    assert_eq!((output.status, distinct(&output, "message_replies", "parent_message_id")), (Some(0), sorted(threads.clone())));
    assert!(output.logs("WARN").is_empty(), "that a message is not in the other channels is no warning: {:?}", output.logs("WARN"));

    // Messages are read completely, in addition.
    let output = tenant.read(everywhere, &["messages", "message_replies"]);
    assert_eq!(distinct(&output, "messages", "channel_id").len(), 4);
    assert_eq!(distinct(&output, "message_replies", "parent_message_id"), sorted(threads));
}

#[test]
fn an_unknown_id_is_a_warning_among_others_and_an_error_alone() {
    let tenant = tenant();
    let channel = &tenant.channels[0][1];
    let thread = tenant.threads(channel).remove(0);
    for (good, bad, setting) in [(thread.as_str(), "1", "message_id"), (channel.as_str(), "19:nowhere@thread.tacv2", "channel_id")] {
        let mut settings =
            json!({"fetch_all_teams": true, "fetch_all_channels": setting == "message_id", "fetch_all_messages": setting == "channel_id"});
        settings[setting] = format!("{good},{bad}").into();
        let output = tenant.read(settings.clone(), &["message_replies"]);
        assert_eq!(output.status, Some(0), "{:?}", output.errors());
        assert_eq!(output.logs("WARN").len(), 1);
        assert!(output.logs("WARN")[0].starts_with(&format!("{bad} was not found in any")), "{:?}", output.logs("WARN"));

        settings[setting] = bad.into();
        let output = tenant.read(settings, &["message_replies"]);
        assert_eq!(output.status, Some(1));
        assert_eq!(output.errors()[0].0, "config_error");
        assert!(output.errors()[0].2.contains(bad));
    }
}

#[test]
fn stream_options_override_global_options() {
    let tenant = tenant();
    let settings = json!({"fetch_all_teams": true, "fetch_all_channels": true, "fetch_all_messages": true,
        "stream_options": {"members": {"team_id": tenant.teams[1]}, "messages": {"team_id": tenant.teams[0], "channel_id": tenant.channels[0][0]}}});
    let output = tenant.read(settings, &ALL);
    assert_eq!(output.status, Some(0), "{:?}", output.errors());
    assert_eq!(distinct(&output, "members", "team_id"), [tenant.teams[1].clone()]);
    assert_eq!(distinct(&output, "messages", "channel_id"), [tenant.channels[0][0].clone()]);
    assert_eq!(distinct(&output, "channels", "team_id"), sorted(tenant.teams.clone()));
    assert_eq!(tenant.sim.count(Class::Messages), 4, "one walk serves both streams where both read the channel");
}

#[test]
fn missing_parents_are_reported_once_and_the_others_are_read() {
    let tenant = tenant();
    let cases = [
        (json!({}), vec!["channels", "members", "messages", "message_replies"]),
        (json!({"fetch_all_teams": true}), vec!["messages", "message_replies"]),
        (json!({"fetch_all_teams": true, "channel_id": "19:a@thread.tacv2"}), vec!["message_replies"]),
        (json!({"channel_id": "19:a@thread.tacv2", "message_id": "1"}), vec!["channels", "members", "messages", "message_replies"]),
    ];
    let mut sentences = String::new();
    for (settings, failing) in cases {
        let output = tenant.read(settings.clone(), &ALL);
        assert_eq!(output.status, Some(1));
        let errors: Vec<_> = output.errors().into_iter().filter(|(_, _, text)| text.starts_with("the configuration")).collect();
        assert_eq!(errors.iter().map(|(_, stream, _)| *stream).collect::<Vec<_>>(), failing, "{settings}");
        assert!(errors.iter().all(|(kind, _, _)| *kind == "config_error"));
        assert_eq!(output.statuses("teams").last(), Some(&"COMPLETE"));
        for stream in failing {
            assert_eq!(output.statuses(stream), ["STARTED", "INCOMPLETE"]);
        }
        sentences += &format!("{settings}\n    {}\n", errors[0].2);
    }
    insta::assert_snapshot!(sentences);
}

#[test]
fn a_refused_or_missing_parent_is_a_warning_and_the_rest_is_read() {
    let tenant = tenant();
    let (private, gone) = (&tenant.channels[0][1], &tenant.channels[1][1]);
    tenant.sim.with_tenant(|sim| {
        sim.block_channel(private, Block::forbidden()).unwrap();
        sim.block_channel(gone, Block::empty_not_found()).unwrap();
    });
    let output = tenant.read(json!({"fetch_all_teams": true, "fetch_all_channels": true, "fetch_all_messages": true}), &ALL);
    assert_eq!(output.status, Some(0), "{:?}", output.errors());
    for channel in [private, gone] {
        assert_eq!(output.logs("WARN").iter().filter(|line| line.contains(channel.as_str())).count(), 1, "{:?}", output.logs("WARN"));
    }
    assert_eq!(distinct(&output, "messages", "channel_id").len(), 2);
    assert!(output.logs("INFO").iter().any(|line| line.starts_with("messages:") && line.ends_with("2 parents refused or missing")));
}

#[test]
fn a_stream_with_only_refused_parents_reports_the_permission() {
    let tenant = tenant();
    tenant.sim.set_roles(&[
        "GroupMember.Read.All",
        "Team.ReadBasic.All",
        "TeamSettings.Read.All",
        "Channel.ReadBasic.All",
        "ChannelMessage.Read.All",
    ]);
    let output = tenant.read(json!({"fetch_all_teams": true, "fetch_all_channels": true, "fetch_all_messages": true}), &ALL);
    assert_eq!(output.status, Some(1));
    let errors = output.errors();
    assert_eq!(errors.len(), 1);
    let (kind, stream, text) = errors[0];
    assert_eq!((kind, stream), ("config_error", "members"));
    assert!(text.contains("TeamMember.Read.All") && text.contains("request-id") && text.contains("403"), "{text}");
    for stream in ["teams", "channels", "messages", "message_replies"] {
        assert_eq!(output.statuses(stream).last(), Some(&"COMPLETE"), "{stream}");
    }
}

#[test]
fn configured_channels_need_no_permission_to_list_channels() {
    let tenant = tenant();
    tenant.sim.set_roles(&["ChannelMessage.Read.All"]);
    let channel = &tenant.channels[1][0];
    let settings = json!({"team_id": tenant.teams, "channel_id": channel, "fetch_all_messages": true});
    let output = tenant.read(settings, &["messages", "message_replies"]);
    assert_eq!(output.status, Some(0), "{:?}", output.errors());
    assert_eq!(distinct(&output, "messages", "channel_id"), std::slice::from_ref(channel));
}

#[test]
fn start_date_top_and_concurrency_take_effect() {
    let tenant = tenant();
    let settings = json!({"team_id": tenant.teams[0], "channel_id": tenant.channels[0][0], "fetch_all_messages": true});
    let with = |more: Value| {
        tenant.sim.clear_journal();
        let mut settings = settings.clone();
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        tenant.read(settings, &["messages", "message_replies"])
    };
    let all = with(json!({}));
    let mut times: Vec<_> = all.records("messages").map(|record| record["lastModifiedDateTime"].as_str().unwrap().to_owned()).collect();
    times.sort();
    let since = with(json!({"start_date": times[1]}));
    let mut from: Vec<_> = since.records("messages").map(|record| record["lastModifiedDateTime"].as_str().unwrap().to_owned()).collect();
    from.sort();
    assert_eq!(from, times[1..], "what was modified at the start date itself is wanted");
    let none = with(json!({"start_date": "2999-01-01"}));
    assert_eq!((none.status, none.records("messages").count(), none.records("message_replies").count()), (Some(0), 0, 0));
    assert_eq!(tenant.sim.count(Class::Messages), 1);

    with(json!({"top": 1}));
    assert!(tenant.sim.count(Class::Messages) >= 3);
    assert!(tenant.sim.journal().entries_of(Class::Messages).next().unwrap().query.contains("$top=1&"));
    with(json!({"top": 500, "max_concurrent_threads": 1}));
    assert!(
        tenant.sim.journal().entries_of(Class::Messages).next().unwrap().query.contains("$top=50&"),
        "no more than the route allows is requested"
    );
}

#[test]
fn the_number_of_requests_in_flight_is_limited() {
    let tenant = tenant();
    tenant.sim.latency(graph_sim::Latency::Fixed(std::time::Duration::from_millis(20)));
    let settings = json!({"fetch_all_teams": true, "fetch_all_channels": true, "fetch_all_messages": true, "max_concurrent_threads": 2});
    assert_eq!(tenant.read(settings, &ALL).status, Some(0));
    let journal = tenant.sim.journal();
    let spans: Vec<_> =
        journal.entries().filter(|entry| entry.class != Class::Token).map(|entry| (entry.started, entry.started + entry.took)).collect();
    let most = spans.iter().map(|(at, _)| spans.iter().filter(|(from, to)| from <= at && at < to).count()).max();
    assert_eq!(most, Some(2));
}

#[test]
fn a_group_without_a_team_is_reported_once_and_hides_nothing() {
    let sim = GraphSim::start(Options::new(TenantSpec::empty())).unwrap();
    let group = sim.with_tenant(|tenant| tenant.create_group_without_team("No team yet"));
    let settings = json!({"fetch_all_teams": true, "fetch_all_channels": true, "fetch_all_messages": true});
    let tap = Tap::new(&config(&sim, settings.clone()));
    let output = tap.read(&ALL);
    assert_eq!(output.status, Some(0), "a tenant without teams is no failure: {:?}", output.errors());
    assert_eq!(output.logs("WARN").iter().filter(|line| line.contains(&group)).count(), 1, "{:?}", output.logs("WARN"));
    assert_eq!(output.records("teams").count(), 0);

    // With another team whose messages are refused, the permission is reported.
    sim.with_tenant(|tenant| tenant.create_team("A team"));
    sim.set_roles(&["GroupMember.Read.All", "Team.ReadBasic.All", "Channel.ReadBasic.All", "TeamMember.Read.All"]);
    let output = tap.read(&ALL);
    assert!(
        output.errors().iter().all(|(kind, _, text)| *kind == "config_error" && text.contains("ChannelMessage.Read.All")),
        "{:?}",
        output.errors()
    );
    assert_eq!(output.errors().len(), 2);
    let check = tap.check();
    let (_, reported) = check.verdict();
    let is_told = reported.starts_with("can read teams, channels, members; permission missing for messages, message_replies: ");
    assert!(is_told && reported.contains("ChannelMessage.Read.All") && !reported.contains("404"), "{reported}");

    // If the group is configured, the missing team is an error.
    let mut named = settings;
    named["fetch_all_teams"] = false.into();
    named["team_id"] = group.into();
    let output = Tap::new(&config(&sim, named)).read(&["channels"]);
    assert_eq!((output.status, output.errors()[0].0), (Some(1), "config_error"));
}

#[test]
fn more_teams_with_long_descriptions_are_listed_when_few_are_waiting() {
    let (page, pages) = (100, 13);
    let mut spec = TenantSpec::uniform(page * pages, 1, 0);
    (spec.groups_without_team, spec.descriptions) = (0, Some(10_000));
    let sim = GraphSim::start(Options::new(spec)).unwrap();
    let output = Tap::new(&config(&sim, json!({"fetch_all_teams": true, "top": page}))).read(&["teams"]);
    assert_eq!((output.status, output.records("teams").count()), (Some(0), page * pages));
    let journal = sim.journal();
    let requested: Vec<_> = journal.entries().map(|entry| entry.class).collect();
    let last = requested.iter().rposition(|class| *class == Class::Groups).unwrap();
    let read = requested[..last].iter().filter(|class| **class == Class::Team).count();
    // 512 jobs may run, and each waiting one counts as 40 of 4,096.
    assert!(page * (pages - 1) - read <= 512 + 4096 / 40 + page, "{read} were read");
}
