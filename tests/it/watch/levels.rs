//! Log levels: from the command line, or from the variables that a platform sets.

use graph_sim::{Class, Fault, GraphSim, Rule};

use crate::support::{Output, Tap, config, configured, everything, tenant};

const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

/// A tenant whose run logs something at each level.
fn run_with_all_levels() -> (GraphSim, Tap) {
    let sim = tenant(2, 1, 2);
    let team = sim.read_tenant(|tenant| tenant.team_ids().remove(0));
    sim.inject(Rule::new(Fault::status(403)).class(Class::Members).team(&team));
    let tap = Tap::new(&config(&sim, everything()));
    let streams = serde_json::json!({"streams": [configured("members"), configured("messages")]});
    tap.file("catalog.json", streams.to_string());
    (sim, tap)
}

const READ: [&str; 5] = ["read", "--config", "config.json", "--catalog", "catalog.json"];

/// The levels of the messages of an Airbyte source.
fn airbyte_levels(output: &Output) -> Vec<&'static str> {
    LEVELS.into_iter().filter(|level| !output.logs(&level.to_uppercase()).is_empty()).collect()
}

/// The levels of the log lines of a tap.
fn singer_levels(output: &Output) -> Vec<&'static str> {
    let name = |level: &str| if level == "warn" { "WARNING".to_owned() } else { level.to_uppercase() };
    LEVELS.into_iter().filter(|level| !output.logged(&name(level)).is_empty()).collect()
}

#[test]
fn a_level_means_the_same_in_both_protocols() {
    let (_sim, tap) = run_with_all_levels();
    for (at, level) in LEVELS.into_iter().enumerate() {
        // Nothing fails, so there are no errors.
        let expected = &LEVELS[1..=at.max(1)][..at.min(4)];
        let airbyte = tap.run(&[&READ[..], &["--log-level", level]].concat());
        assert_eq!((airbyte.status, airbyte_levels(&airbyte).as_slice()), (Some(0), expected), "{level}");
        let singer = tap.sync(&["--log-level", level]);
        assert_eq!((singer.status, singer_levels(&singer).as_slice()), (Some(0), expected), "{level}");
    }
}

#[test]
fn the_command_line_overrides_the_environment() {
    let (_sim, tap) = run_with_all_levels();
    let airbyte = |arguments: &[&str], level: &str| {
        let output = tap.run_with(&[&READ[..], arguments].concat(), &[("LOG_LEVEL", level)]);
        airbyte_levels(&output).last().copied()
    };
    for (arguments, variable, lowest) in [
        (&[][..], "", Some("info")),
        (&[], "warn", Some("warn")),
        (&[], "WARNING", Some("warn")),
        (&[], "FATAL", None),
        (&[], "DEBUG", Some("debug")),
        (&[], "nonsense", Some("info")),
        (&["--debug"], "error", Some("debug")),
        (&["--log-level=warn"], "debug", Some("warn")),
    ] {
        assert_eq!(airbyte(arguments, variable), lowest, "{arguments:?} {variable}");
    }
    let output = tap.sync_with(&["--config", "config.json", "--log-level", "info"], &[("LOGLEVEL", "ERROR")]);
    assert_eq!(singer_levels(&output), ["warn", "info"]);
    assert_eq!(tap.run(&[&READ[..], &["--debug", "--log-level", "info"]].concat()).status, Some(2));
}

#[test]
fn each_request_is_logged_at_the_level_debug() {
    let (sim, tap) = run_with_all_levels();
    let output = tap.sync(&["--debug"]);
    let lines: Vec<_> = output.logged("DEBUG").into_iter().filter(|line| line.ends_with(" bytes")).collect();
    assert_eq!(lines.len() as u64, sim.journal().graph_total());
    for entry in sim.journal().entries().filter(|entry| entry.class != Class::Token) {
        let begin = format!("GET {}: {} in ", entry.path, entry.status.unwrap());
        assert!(lines.iter().any(|line| line.starts_with(&begin)), "{begin} {lines:?}");
    }
    // Queries contain page tokens.
    assert!(!output.stderr.contains('?'), "{}", output.stderr);
}

#[test]
fn there_are_no_control_characters_in_a_pipe() {
    let (_sim, tap) = run_with_all_levels();
    for arguments in [&["--log-level", "trace"][..], &["--log-format", "json"]] {
        let stderr = tap.sync(arguments).stderr;
        assert!(!stderr.is_empty() && !stderr.contains(|char: char| char.is_control() && char != '\n'), "{stderr:?}");
    }
    let read = tap.run(&READ);
    assert_eq!((read.status, read.stderr.as_str()), (Some(0), ""));
}
