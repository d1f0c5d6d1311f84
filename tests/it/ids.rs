//! Ids in the forms that users copy from Teams.

use graph_sim::Class;
use serde_json::{Value, json};

use crate::support::{ALL, Tap, config, tenant};

#[test]
fn links_copied_from_teams_are_accepted_as_ids() {
    let sim = tenant(2, 2, 6);
    let truth = sim.truth();
    let (team, channel) = truth.channels.keys().next().unwrap().clone();
    let reply = truth.replies.values().find(|reply| reply.channel == channel).unwrap();
    let (root, reply) = (reply.root.to_string(), reply.id);
    let encoded = channel.replace(':', "%3a").replace('@', "%40");
    let of_tenant = format!("groupId={team}&tenantId={}", sim.credentials().tenant_id);
    let of_team = format!("https://teams.microsoft.com/l/team/{encoded}/conversations?{of_tenant}");
    let of_channel = format!("https://teams.microsoft.com/l/channel/{encoded}/General?{of_tenant}");
    let of_reply =
        format!("https://teams.microsoft.com/l/message/{encoded}/{reply}?{of_tenant}&parentMessageId={root}&createdTime={reply}");
    let forms = [
        (json!(format!("{{{team}}}")), json!(encoded), json!(root)),
        (json!(format!("{team}&tenantId=x")), json!(format!("{encoded}?{of_tenant}")), json!(of_reply)),
        (json!(of_team), json!(of_channel), json!([of_reply])),
        (json!([of_channel]), json!([of_reply]), json!(of_reply)),
    ];
    for (team_id, channel_id, message_id) in forms {
        sim.clear_journal();
        let settings = json!({"team_id": team_id, "channel_id": channel_id, "message_id": message_id});
        let tap = Tap::new(&config(&sim, settings.clone()));
        let output = tap.read(&ALL);
        assert_eq!((output.status, output.logs("WARN").len()), (Some(0), 0), "{settings}: {:?}", output.errors());
        assert!(output.records("members").all(|record| record["team_id"] == team.as_str()));
        assert!(output.records("messages").all(|record| record["channel_id"] == channel.as_str()));
        let replies: Vec<_> = output.records("message_replies").collect();
        assert!(!replies.is_empty() && replies.iter().all(|record| record["parent_message_id"] == root.as_str()), "{settings}");
        assert_eq!((sim.count(Class::Messages), sim.journal().with_status(400), sim.journal().with_status(404)), (1, 0, 0), "{settings}");
        assert_eq!(tap.check().verdict().0, "SUCCEEDED");
    }

    // The flags of `extract` accept them too.
    let tap = Tap::new(&config(&sim, json!({})));
    let extract = ["extract", "--config", "config.json", "--stream", "message_replies"];
    let flags = ["--team", &of_team, "--channel", &of_channel, "--message", &of_reply];
    let finished = tap.execute(&[&extract[..], &flags].concat(), &[]);
    assert_eq!(finished.status, Some(0), "{}", finished.stderr);
    assert!(!finished.stdout.is_empty() && finished.stdout.lines().all(|line| line.contains(&root)));
}

#[test]
fn an_invalid_id_is_a_config_error_before_any_request() {
    let sim = tenant(1, 1, 1);
    let team = sim.read_tenant(|tenant| tenant.team_ids().remove(0));
    let of_team = format!("https://teams.microsoft.com/l/team/19%3aabc%40thread.tacv2/conversations?groupId={team}");
    let of_message = "https://teams.microsoft.com/l/message/19%3aabc%40thread.tacv2/1616963377068?parentMessageId=1616963377068";
    let mut reported = String::new();
    for (option, value) in [
        ("tenant_id", json!("a/../b")),
        ("tenant_id", json!("common")),
        ("team_id", json!("Sales")),
        ("team_id", json!([team, "Sales", "a/b", "c", "d", "e", "f"])),
        ("team_id", json!("https://teams.microsoft.com/l/channel/19%3aabc%40thread.tacv2/General?tenantId=x")),
        ("channel_id", json!("General")),
        ("channel_id", json!(of_team)),
        ("channel_id", json!("19:abc@thread.tacv2/../../users")),
        ("message_id", json!("Hello")),
        ("message_id", json!("https://teams.microsoft.com/l/channel/19%3aabc%40thread.tacv2/General")),
        ("exclude", json!("Sales")),
        ("exclude", json!(of_message)),
    ] {
        let mut settings = json!({"fetch_all_channels": true, "fetch_all_messages": true});
        settings[option] = value;
        let tap = Tap::new(&config(&sim, settings));
        let output = tap.read(&ALL);
        let [("config_error", "", text)] = output.errors()[..] else { panic!("{:?}", output.errors()) };
        assert_eq!(tap.check().verdict(), ("FAILED", text));
        reported += &format!("{text}\n\n").replace(&team, "<team>");
    }
    assert_eq!(sim.journal().total(), 0);
    insta::assert_snapshot!(reported);
}

#[test]
fn a_team_id_in_upper_case_is_the_same_team() {
    let sim = tenant(2, 1, 2);
    let team = sim.read_tenant(|tenant| tenant.team_ids().remove(0));
    let settings = json!({"team_id": team.to_uppercase(), "fetch_all_channels": true, "fetch_all_messages": true});
    let output = Tap::new(&config(&sim, settings)).read(&ALL);
    let teams: Vec<&Value> = output.records("messages").map(|record| &record["team_id"]).collect();
    assert!(output.status == Some(0) && !teams.is_empty() && teams.iter().all(|of| **of == team.as_str()), "{teams:?}");
}
