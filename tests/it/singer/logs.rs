//! The log on stderr: plain lines, structured lines for Meltano, levels, figures.

use graph_sim::{Class, Fault, GraphSim, Rule};
use serde_json::{Value, json};

use crate::support::{ALL, Tap, config, everything, tenant};

/// A tenant in which one of two parents is refused, which logs warnings, and a tap for it.
fn with_a_warning() -> (GraphSim, Tap) {
    let sim = tenant(2, 1, 2);
    let team = sim.read_tenant(|tenant| tenant.team_ids().remove(0));
    sim.inject(Rule::new(Fault::status(403)).class(Class::Members).team(&team));
    let tap = Tap::new(&config(&sim, everything()));
    (sim, tap)
}

/// The lines of stderr, which must all be valid structured lines for Meltano.
fn structured(stderr: &str) -> Vec<Value> {
    let lines: Vec<Value> =
        stderr.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect();
    for line in &lines {
        for key in ["level", "logger_name", "thread_name", "app_name", "message"] {
            assert!(line[key].is_string(), "{key}: {line}");
        }
        assert!(line["pid"].is_u64() && line["ts"].is_f64() && line["extra"].is_object(), "{line}");
        assert!(line.get("stream_name").is_some_and(|name| name.is_null() || name.is_string()), "{line}");
    }
    lines
}

/// Meltano's logging configuration with a level and a formatter.
fn meltano_config(level: &str, formatter: &str) -> String {
    json!({
        "version": 1, "disable_existing_loggers": false,
        "formatters": {"f": {"()": formatter}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "f", "stream": "ext://sys.stderr"}},
        "root": {"level": level, "handlers": ["console"]},
    })
    .to_string()
}

#[test]
fn plain_log_lines_have_a_level_and_are_not_json() {
    let (_sim, tap) = with_a_warning();
    let output = tap.sync(&[]);
    assert_eq!(output.status, Some(0));
    for line in output.stderr.lines() {
        assert!(["INFO ", "WARNING "].iter().any(|level| line.starts_with(level)), "{line}");
    }
    assert_eq!(output.logged("WARNING").len(), 1);
    assert!(output.stderr.lines().all(|line| line.len() < 65_535));
}

#[test]
fn structured_log_lines_are_written_on_request() {
    let (_sim, tap) = with_a_warning();
    tap.file("structured.json", meltano_config("INFO", "singer_sdk.logging.StructuredFormatter"));
    tap.file("plain.json", meltano_config("INFO", "singer_sdk.logging.ConsoleFormatter"));
    for (config, arguments, is_structured) in [
        ("structured.json", &[][..], true),
        ("plain.json", &[], false),
        ("absent.json", &[], false),
        ("plain.json", &["--log-format", "json"], true),
        ("structured.json", &["--log-format=text"], false),
    ] {
        let arguments = [&["--config", "config.json"], arguments].concat();
        let stderr = tap.sync_with(&arguments, &[("SINGER_SDK_LOG_CONFIG", config)]).stderr;
        assert_eq!(stderr.starts_with('{'), is_structured, "{config} {arguments:?}");
        if is_structured {
            let lines = structured(&stderr);
            assert_eq!(lines.iter().filter(|line| line["level"] == "warning").count(), 1);
        }
    }
}

#[test]
fn a_failure_is_one_structured_line_as_well() {
    let tap = Tap::new(&json!({}));
    let output = tap.sync(&["--log-format", "json"]);
    assert_eq!(output.status, Some(1));
    let lines = structured(&output.stderr);
    assert_eq!(lines.len(), 1);
    assert_eq!(
        (&lines[0]["level"], &lines[0]["message"]),
        (&json!("critical"), &json!("missing required options: `tenant_id`, `client_id`, `client_secret`"))
    );
}

#[test]
fn the_log_level_variables_have_a_precedence() {
    let (_sim, tap) = with_a_warning();
    for level in ["DEBUG", "INFO", "WARNING", "ERROR"] {
        tap.file(&format!("{level}.json"), meltano_config(level, "singer_sdk.logging.ConsoleFormatter"));
    }
    let (meltano, own, general) = ("SINGER_SDK_LOG_CONFIG", "TAP_MICROSOFT_TEAMS_LOGLEVEL", "LOGLEVEL");
    // The environment; whether INFO and WARNING are logged.
    for (environment, information, warnings) in [
        (&[][..], true, true),
        (&[(general, "WARNING")], false, true),
        (&[(general, "error")], false, false),
        (&[(own, "warn"), (general, "DEBUG")], false, true),
        (&[(meltano, "ERROR.json"), (own, "DEBUG")], false, false),
        (&[(meltano, "INFO.json"), (own, "ERROR"), (general, "ERROR")], true, true),
        (&[(general, "nonsense")], true, true),
    ] {
        let output = tap.sync_with(&["--config", "config.json"], environment);
        assert_eq!(output.status, Some(0));
        assert_eq!(
            (!output.logged("INFO").is_empty(), !output.logged("WARNING").is_empty()),
            (information, warnings),
            "{environment:?}: {}",
            output.stderr
        );
    }
}

#[test]
fn debug_logs_more_but_no_secret() {
    let sim = tenant(1, 1, 2);
    sim.inject(Rule::new(Fault::status(503)).class(Class::Channels).times(1));
    let tap = Tap::new(&config(&sim, everything()));
    let output = tap.sync(&["--debug"]);
    assert!(output.logged("DEBUG").iter().any(|line| line.contains("503") && line.contains("retrying in")), "{}", output.stderr);
    for secret in [sim.credentials().client_secret.as_str(), "Bearer", "sim~Secret"] {
        assert!(!output.stderr.contains(secret), "{secret}");
    }
}

#[test]
fn figures_are_logged_for_each_stream() {
    let sim = tenant(1, 1, 20);
    let tap = Tap::new(&config(&sim, everything()));
    let output = tap.sync(&[]);
    let counts = output.counts();
    let metrics: Vec<Value> = output
        .logged("INFO")
        .iter()
        .filter_map(|line| line.strip_prefix("METRIC: "))
        .map(|metric| serde_json::from_str(metric).unwrap())
        .collect();
    for stream in ALL {
        let of_stream: Vec<_> = metrics.iter().filter(|metric| metric["tags"]["stream"] == stream).collect();
        let values = |name: &str, kind: &str| {
            let wanted = of_stream.iter().filter(|metric| metric["metric"] == name && metric["type"] == kind);
            wanted.map(|metric| metric["value"].as_f64().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(values("record_count", "counter"), [counts[stream] as f64], "{stream}");
        assert_eq!(values("sync_duration", "timer").len(), 1, "{stream}");
    }
    let lines = structured(&tap.sync(&["--log-format=json"]).stderr);
    let figures: Vec<_> = lines.iter().filter(|line| line["message"] == "METRIC").collect();
    assert_eq!(figures.len(), metrics.len());
    assert!(figures.iter().all(|line| line["metric_info"]["tags"]["stream"] == line["stream_name"]));
}
