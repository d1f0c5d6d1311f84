//! Usage reports: Graph redirects to a CSV file on a host that must never see the token.

use graph_sim::{Class, Fault, GraphSim, Host, RetryAfter, Rule};
use serde_json::{Value, json};

use crate::support::{ALL, Output, Tap, config, configured, everything, singer::select, tenant, truth};

const STREAM: &str = "team_device_usage_report";

const HEADER: &str = "Report Refresh Date,User Principal Name,Last Activity Date,Used Web,Report Period";

fn read(sim: &GraphSim) -> Output {
    Tap::new(&config(sim, json!({}))).read(&[STREAM])
}

/// Replaces the file.
fn with_file(fault: Fault) -> GraphSim {
    let sim = tenant(2, 1, 0);
    sim.inject(Rule::new(fault).class(Class::ReportFiles));
    sim
}

/// Replaces the file with this text.
fn with_text(text: &str) -> GraphSim {
    with_file(Fault::respond(200, &[("Content-Type", "application/octet-stream")], text))
}

fn rows(output: &Output) -> Vec<Value> {
    output.records(STREAM).cloned().collect()
}

#[test]
fn a_report_is_read_in_both_protocols_and_names_may_be_concealed() {
    for conceals in [false, true] {
        let sim = tenant(2, 1, 0);
        sim.with_tenant(|tenant| tenant.switches.conceals_names = conceals);
        let (tap, expected) = (Tap::new(&config(&sim, json!({}))), truth::table(&sim.truth(), STREAM));
        assert!(expected.len() > 5);
        let catalog = select(tap.catalog(), &[STREAM]);
        for output in [tap.read(&[STREAM]), tap.sync_catalog(&catalog, &[])] {
            assert_eq!(output.status, Some(0), "{}", output.stderr);
            truth::assert_equal(STREAM, &output.table(STREAM), &expected);
        }
        assert_eq!((sim.journal().count(Class::Reports), sim.journal().count(Class::ReportFiles)), (2, 2));
    }
}

#[test]
fn a_report_is_read_only_when_selected() {
    let sim = tenant(1, 1, 1);
    let output = Tap::new(&config(&sim, everything())).sync(&[]);
    assert_eq!((output.status, output.streams(), sim.journal().count(Class::Reports)), (Some(0), ALL.to_vec(), 0));
}

#[test]
fn no_token_is_sent_to_the_host_of_the_file() {
    let sim = tenant(1, 1, 0);
    assert_eq!(read(&sim).status, Some(0));
    let authorized = |class| sim.journal().entries_of(class).map(|entry| entry.authorized).collect::<Vec<_>>();
    assert_eq!((authorized(Class::Reports), authorized(Class::ReportFiles)), (vec![true], vec![false]));
}

#[test]
fn a_redirect_to_another_host_is_not_followed() {
    let sim = tenant(1, 1, 0);
    let foreign = format!("{}/data/download/devices?token=s3cret", sim.foreign_url());
    for to in [foreign.as_str(), "http://reports.office.com/s3cret", "https://reports.office.com/s3cret", "/s3cret", ""] {
        sim.clear_faults();
        sim.clear_journal();
        sim.inject(Rule::new(Fault::Redirect(to.to_owned())).class(Class::Reports));
        let output = read(&sim);
        assert_eq!((output.status, rows(&output).len()), (Some(1), 0), "{to}");
        assert!(
            output.stderr.contains("it was not followed")
                || output.errors().iter().any(|(_, _, text)| text.contains("it was not followed"))
        );
        assert!(!format!("{:?}{}", output.errors(), output.stderr).contains("s3cret"), "{to}");
        assert_eq!(sim.journal().count(Class::Reports), 1, "{to}");
        assert!(sim.journal().entries().all(|entry| entry.host != Host::Foreign), "{to}");
    }
}

#[test]
fn a_second_redirect_is_not_followed() {
    let sim = tenant(1, 1, 0);
    let own = format!("{}/data/download/devices", sim.graph_url());
    sim.inject(Rule::new(Fault::Redirect(own)).class(Class::ReportFiles));
    let output = read(&sim);
    assert_eq!((output.status, sim.journal().count(Class::ReportFiles)), (Some(1), 1));
    assert!(
        output
            .errors()
            .iter()
            .any(|(_, _, text)| text.contains("a link in the response points to a page that redirects again; it was not followed")),
        "{:?}",
        output.errors()
    );
}

#[test]
fn another_link_is_requested_if_the_file_is_not_available() {
    for fault in
        [Fault::Empty { status: 404 }, Fault::Empty { status: 403 }, Fault::Truncate, Fault::Html { status: 200 }, Fault::status(503)]
    {
        let sim = tenant(1, 1, 0);
        sim.inject(Rule::new(fault.clone()).class(Class::ReportFiles).times(1));
        let output = read(&sim);
        assert_eq!(output.status, Some(0), "{fault:?}: {}", output.stderr);
        truth::assert_equal(STREAM, &output.table(STREAM), &truth::table(&sim.truth(), STREAM));
        assert_eq!((sim.journal().count(Class::Reports), sim.journal().count(Class::ReportFiles)), (2, 2), "{fault:?}");
    }
    let sim = with_file(Fault::Empty { status: 404 });
    let output = read(&sim);
    assert_eq!(output.status, Some(1));
    assert!(
        output.errors().iter().any(|(_, _, text)| text.contains("cannot download the report file: status 404")),
        "{:?}",
        output.errors()
    );
}

#[test]
fn a_throttled_report_is_retried() {
    for class in [Class::Reports, Class::ReportFiles] {
        let sim = tenant(1, 1, 0);
        sim.inject(Rule::new(Fault::throttled(RetryAfter::Seconds(1))).class(class).times(1));
        let output = read(&sim);
        assert_eq!((output.status, rows(&output).len()), (Some(0), sim.truth().device_usage.len()), "{}", output.stderr);
        // A wait that exceeds the limit ends the stream.
        sim.inject(Rule::new(Fault::throttled(RetryAfter::Seconds(3600))).class(class));
        let output = read(&sim);
        assert_eq!(output.status, Some(1));
        assert!(
            output.errors().iter().any(|(_, _, text)| text.contains("Graph told the connector to wait 60 minutes")),
            "{:?}",
            output.errors()
        );
    }
}

#[test]
fn columns_are_found_by_their_names() {
    let sim = with_text(&format!("\u{feff}Used Fridge,{HEADER}\r\nYes,2026-10-07,a@x.example,,Perhaps,7\r\n"));
    let output = read(&sim);
    assert_eq!(output.status, Some(0), "{}", output.stderr);
    let row = &rows(&output)[0];
    assert_eq!(row["_additional_properties"], json!({"usedFridge": "Yes", "usedWeb": "Perhaps"}));
    assert_eq!((&row["userPrincipalName"], &row["reportPeriod"]), (&json!("a@x.example"), &json!("7")));
    assert_eq!((&row["lastActivityDate"], &row["usedWeb"], &row["usedMac"]), (&Value::Null, &Value::Null, &Value::Null));
}

#[test]
fn a_report_without_rows_is_empty_and_one_without_a_header_is_an_error() {
    let output = read(&with_text(&format!("\u{feff}{HEADER}\r\n")));
    assert_eq!((output.status, rows(&output).len()), (Some(0), 0), "{}", output.stderr);
    for text in ["", "\u{feff}", "2026-10-07,a@x.example,,Yes,7\r\n", "Report Refresh Date,Report Period\r\n2026-10-07,7\r\n"] {
        let output = read(&with_text(text));
        assert_eq!((output.status, rows(&output).len()), (Some(1), 0), "{text:?}");
        assert!(output.errors().iter().any(|(_, _, text)| text.contains("not a CSV table with a column `")), "{:?}", output.errors());
    }
}

#[test]
fn broken_rows_are_skipped_and_reported() {
    for (row, is_cut) in [("2026-10-07,b@x.exa", true), ("2026-10-07,,,Yes,7", false), ("2026-10-07,b@x.example,,Yes,7,8", false)] {
        let sim = with_text(&format!(
            "{HEADER}\n2026-10-07,a@x.example,,Yes,7\n{row}{}",
            if is_cut { "" } else { "\n2026-10-07,c@x.example,,No,7\n" }
        ));
        let output = read(&sim);
        assert_eq!((output.status, rows(&output).len()), (Some(1), if is_cut { 1 } else { 2 }), "{row}");
        let reported = format!("read the {} of the tenant", STREAM.replace('_', " "));
        assert!(output.errors().iter().any(|(_, _, text)| text.contains(&reported)), "{:?}", output.errors());
    }
}

#[test]
fn a_report_larger_than_the_page_limit_is_not_read() {
    let sim = with_file(Fault::Huge { mebibytes: 3, gzip: true });
    let output = Tap::new(&config(&sim, json!({"max_page_mb": 2}))).read(&[STREAM]);
    assert_eq!(output.status, Some(1));
    assert!(output.errors().iter().any(|(_, _, text)| text.contains("larger than 2 MiB")), "{:?}", output.errors());
}

#[test]
fn a_plan_counts_one_request() {
    let sim = tenant(1, 1, 0);
    let tap = Tap::new(&config(&sim, json!({})));
    tap.file("catalog.json", json!({"streams": [configured(STREAM)]}).to_string());
    let plan = tap.execute(&["plan", "--config", "config.json", "--catalog", "catalog.json", "--format", "json"], &[]);
    let plan: Value = serde_json::from_str(&plan.stdout).unwrap();
    assert_eq!(plan["requests"], json!({"total": 2, "team device usage report": 1, "token": 1}), "{plan}");
}

#[test]
fn a_check_requests_the_report_and_reports_the_permission() {
    let sim = tenant(1, 1, 0);
    let check = || Tap::new(&config(&sim, json!({}))).run(&["check", "--config", "config.json", "--streams", STREAM]);
    assert_eq!((check().verdict().0, sim.journal().count(Class::ReportFiles)), ("SUCCEEDED", 1));
    sim.set_roles(&["Team.ReadBasic.All"]);
    let refused = check();
    assert_eq!(refused.verdict().0, "FAILED");
    assert!(refused.verdict().1.contains("Reports.Read.All"), "{:?}", refused.verdict());
    let read = read(&sim);
    assert!(read.errors().iter().any(|(_, _, text)| text.contains("Reports.Read.All")), "{:?}", read.errors());
}
