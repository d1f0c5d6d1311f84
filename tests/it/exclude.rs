//! `exclude`: skips what cannot be read; the rest is read as usual.

use graph_sim::{Class, Fault, GraphSim, Rule};
use serde_json::{Value, json};

use crate::support::{
    ALL, Output, Tap, config, everything,
    incremental::{read, state},
    tenant,
};

struct Tenant {
    sim: GraphSim,
    team: String,
    channel: String,
}

fn three_teams() -> Tenant {
    let sim = tenant(3, 3, 3);
    let (team, channel) = sim.truth().channels.into_keys().next().unwrap();
    Tenant { sim, team, channel }
}

impl Tenant {
    /// Graph returns 400 to every request for messages of the channel.
    fn break_channel(&self) {
        for class in [Class::Messages, Class::Delta] {
            self.sim.inject(Rule::new(Fault::status(400)).class(class).channel(&self.channel));
        }
    }

    fn tap(&self, more: Value) -> Tap {
        let mut settings = everything();
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        Tap::new(&config(&self.sim, settings))
    }

    /// The number of requests for the team or channel since the journal was cleared.
    fn request_count(&self, id: &str) -> usize {
        let is_about = |path: &str| path.contains(id) || path.contains(&id.replace(':', "%3A").replace('@', "%40"));
        self.sim.journal().entries().filter(|entry| is_about(&entry.request.path)).count()
    }
}

fn channels_of(output: &Output, stream: &'static str) -> usize {
    output.records(stream).map(|record| record["channel_id"].as_str().unwrap()).collect::<std::collections::HashSet<_>>().len()
}

#[test]
fn a_channel_that_always_fails_is_reported_once_with_the_hint_to_exclude_it() {
    let tenant = three_teams();
    tenant.break_channel();
    let tap = tenant.tap(json!({}));
    let first = read(&tap, &ALL, None);
    let way = format!("; to read the rest, add {} to `exclude`", tenant.channel);
    let warned = |output: &Output| output.logs("WARN").iter().filter(|line| line.ends_with(&way)).count();
    assert_eq!((first.status, warned(&first), first.logs("WARN").len()), (Some(1), 1, 1), "{:?}", first.logs("WARN"));
    assert!(first.errors().iter().all(|(kind, _, text)| *kind == "config_error" && text.ends_with(&way)), "{:?}", first.errors());
    assert_eq!(channels_of(&first, "messages"), 8);

    // The other channels stay incremental.
    let states = state(&first);
    tenant.sim.clear_journal();
    let second = read(&tap, &ALL, Some(&states));
    assert_eq!((second.status, warned(&second), second.records("messages").count()), (Some(1), 1, 0));
    // And two to find out whether the replies or the page size are refused.
    assert_eq!(tenant.sim.count(Class::Messages), 9 + 2, "a request for each channel");

    // When it is excluded, it is not requested, and the sync succeeds.
    tenant.sim.clear_journal();
    let tap = tenant.tap(json!({"exclude": tenant.channel}));
    let third = read(&tap, &ALL, Some(&state(&second)));
    assert_eq!(
        (third.status, third.logs("WARN").len(), tenant.request_count(&tenant.channel)),
        (Some(0), 0, 0),
        "{:?}",
        third.logs("WARN")
    );
    assert_eq!((third.records("channels").count(), third.records("messages").count()), (8, 0));
    assert!(state(&third).to_string().matches("lastModifiedDateTime").count() > 0);
}

#[test]
fn an_excluded_team_is_neither_read_nor_requested() {
    let tenant = three_teams();
    let link = format!("https://teams.microsoft.com/l/team/{}/conversations?groupId={}&tenantId=x", tenant.channel, tenant.team);
    let excludes =
        [json!({"exclude": tenant.team}), json!({"exclude": [tenant.team.to_uppercase()]}), json!({"exclude": format!("{link}, ")})];
    for settings in excludes {
        tenant.sim.clear_journal();
        let tap = tenant.tap(settings);
        let output = tap.sync(&[]);
        assert_eq!(
            (output.status, output.logged("WARNING").len(), tenant.request_count(&tenant.team)),
            (Some(0), 0, 0),
            "{}",
            output.stderr
        );
        assert_eq!((output.records("teams").count(), output.records("channels").count(), channels_of(&output, "messages")), (2, 6, 6));
        assert!(output.records("members").all(|record| record["team_id"] != tenant.team.as_str()));

        assert_eq!(tap.check().verdict().0, "SUCCEEDED");
        let plan = tap.execute(&["plan", "--config", "config.json", "--format", "json"], &[]);
        let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
        assert_eq!((plan["teams"].as_u64(), plan["channels"].as_u64()), (Some(2), Some(6)));
        assert_eq!(tenant.request_count(&tenant.team), 0, "neither by a check nor by a plan");
    }
}

#[test]
fn an_exclusion_of_one_stream_does_not_affect_the_others() {
    let tenant = three_teams();
    let other = tenant.sim.truth().channels.into_keys().last().unwrap().1;
    let settings =
        json!({"exclude": other, "stream_options": {"messages": {"exclude": tenant.channel}, "members": {"exclude": tenant.team}}});
    let output = tenant.tap(settings).read(&ALL);
    assert_eq!(output.status, Some(0), "{:?}", output.errors());
    let has = |stream, column, id: &str| output.records(stream).any(|record| record[column] == id);
    assert!(!has("messages", "channel_id", &tenant.channel) && !has("messages", "channel_id", &other));
    assert!(!has("members", "team_id", &tenant.team) && has("channels", "team_id", &tenant.team));
    assert!(has("channels", "id", &tenant.channel) && !has("channels", "id", &other));
    let truth = tenant.sim.truth();
    let has_replies = |channel: &str| truth.replies.keys().any(|(of, _)| of == channel);
    assert_eq!(has("message_replies", "channel_id", &tenant.channel), has_replies(&tenant.channel));
}

#[test]
fn the_state_of_an_excluded_channel_is_kept() {
    let tenant = three_teams();
    let first = read(&tenant.tap(json!({})), &["messages"], None);
    let without = read(&tenant.tap(json!({"exclude": tenant.team})), &["messages"], Some(&state(&first)));
    tenant.sim.clear_journal();
    let again = read(&tenant.tap(json!({})), &["messages"], Some(&state(&without)));
    assert_eq!((again.status, again.records("messages").count()), (Some(0), 0));
    assert_eq!(tenant.sim.count(Class::Messages) + tenant.sim.count(Class::Delta), 9, "a request for each channel");
}

#[test]
fn check_and_plan_report_a_failing_channel_with_the_hint_to_exclude_it() {
    let sim = tenant(1, 1, 2);
    let (_, channel) = sim.truth().channels.into_keys().next().unwrap();
    sim.inject(Rule::new(Fault::status(400)).class(Class::Messages));
    let tap = Tap::new(&config(&sim, everything()));
    let way = format!("; to read the rest, add {channel} to `exclude`");
    let check = tap.check();
    assert!(check.logs("WARN").iter().any(|line| line.contains(&way)), "{:?}", check.logs("WARN"));
    let plan = tap.execute(&["plan", "--config", "config.json", "--format", "json"], &[]);
    assert!(plan.status == Some(1) && plan.stdout.contains(&way), "{}", plan.stdout);
}
