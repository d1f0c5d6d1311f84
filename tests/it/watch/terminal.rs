//! Progress on a terminal.

use std::time::Duration;

use graph_sim::{Class, Fault, GraphSim, Latency, Rule};
use serde_json::json;

use crate::support::{ALL, Output, Protocol, Tap, config, configured, everything, tenant};

/// A tenant of which one of two teams is refused.
fn watched() -> (GraphSim, Tap) {
    let sim = tenant(2, 2, 30);
    let team = sim.read_tenant(|tenant| tenant.team_ids().remove(0));
    sim.inject(Rule::new(Fault::status(403)).class(Class::Members).team(&team));
    let tap = Tap::new(&config(&sim, everything()));
    tap.file("catalog.json", json!({"streams": ALL.map(configured)}).to_string());
    (sim, tap)
}

const SYNC: [&str; 2] = ["--config", "config.json"];
const READ: [&str; 5] = ["read", "--config", "config.json", "--catalog", "catalog.json"];

/// Whether the cursor moves up, as it does before bars are drawn again.
fn moves_up(bytes: &str) -> bool {
    bytes.split("\u{1b}[").skip(1).any(|sequence| sequence.trim_start_matches(|char: char| char.is_ascii_digit()).starts_with('A'))
}

/// The cells of a row of the table.
fn cells<'s>(screen: &'s str, name: &str) -> Vec<&'s str> {
    let row = screen.lines().rfind(|line| line.split_whitespace().next() == Some(name));
    row.unwrap_or_else(|| panic!("no {name}: {screen}")).split_whitespace().collect()
}

#[test]
fn bars_are_drawn_on_stderr_and_replaced_by_log_lines_and_a_table() {
    for (protocol, arguments) in [(Protocol::Singer, &SYNC[..]), (Protocol::Airbyte, &READ[..])] {
        let (sim, tap) = watched();
        // Slow enough for bars to be visible when something is logged.
        sim.latency(Latency::Fixed(Duration::from_millis(150)));
        let watched = tap.watch(arguments, &[], false);
        let (bytes, screen) = (watched.bytes, watched.screen);
        // Each line of stdout is a message.
        let output = Output::new(protocol, watched.finished);
        assert_eq!(output.status, Some(0), "{screen}");
        assert!(moves_up(&bytes) && bytes.contains('━') && bytes.contains("4 of 4 channels"), "{bytes:?}");
        assert!(!screen.contains('━') && !screen.contains("of 4 channels"), "{screen}");

        let (counts, journal) = (output.counts(), sim.journal());
        for stream in ALL {
            assert_eq!(cells(&screen, stream)[1..3], ["complete", &counts[stream].to_string()], "{screen}");
        }
        let (records, requests) = (counts.values().sum::<usize>().to_string(), journal.graph_total().to_string());
        let all = cells(&screen, "all");
        assert_eq!((all[1], all[4], all[5], all[6]), (records.as_str(), requests.as_str(), "0", "1"), "{screen}");

        // Log lines are complete and have a time. Figures are only in the table.
        let warnings: Vec<_> = screen.lines().filter(|line| line.contains(" WARNING ")).collect();
        if protocol == Protocol::Singer {
            assert_eq!(warnings.len(), 1, "{screen}");
            let warning = bytes.lines().find(|line| line.contains(" WARNING ")).unwrap();
            for stream in ALL {
                let line = format!(" INFO {stream}: {} records", counts[stream]);
                assert!(screen.lines().any(|shown| shown.contains(&line)), "{line}: {screen}");
            }
            assert!(warning.contains("cannot list the members") && warning.trim_end().ends_with("by its ids"), "{warning:?}");
        } else {
            assert_eq!((warnings.len(), output.logs("WARN").len()), (0, 1));
        }
        assert!(!screen.contains("METRIC") && !screen.contains("figures: "), "{screen}");
    }
}

#[test]
fn no_bars_are_drawn_next_to_stdout_without_cursor_movement_or_with_no_progress() {
    let (_sim, tap) = watched();
    let cases: [(&[&str], &str, bool); 4] =
        [(&[], "xterm", true), (&[], "dumb", false), (&[], "", false), (&["--no-progress"], "xterm", false)];
    for (more, term, also_stdout) in cases {
        let watched = tap.watch(&[&SYNC[..], more].concat(), &[("TERM", term)], also_stdout);
        assert_eq!(watched.finished.status, Some(0));
        assert!(!watched.bytes.contains('\u{1b}'), "{:?}", watched.bytes);
        assert_eq!(cells(&watched.screen, "all").len(), 8, "{}", watched.screen);
    }
}

#[test]
fn no_color_turns_colours_off() {
    let (_sim, tap) = watched();
    let is_coloured = |environment: &[(&str, &str)]| {
        let bytes = tap.watch(&SYNC, environment, false).bytes;
        assert!(moves_up(&bytes));
        bytes.contains("\u{1b}[36m")
    };
    assert!(is_coloured(&[]) && !is_coloured(&[("NO_COLOR", "1")]));
}

#[test]
fn structured_lines_stay_structured_on_a_terminal() {
    let (_sim, tap) = watched();
    let bytes = tap.watch(&[&SYNC[..], &["--log-format=json"]].concat(), &[("TERM", "dumb")], false).bytes;
    assert!(bytes.lines().any(|line| line.starts_with('{') && line.contains("METRIC")), "{bytes}");
}

#[test]
fn at_the_level_error_nothing_is_shown_unless_something_fails() {
    let (_sim, tap) = watched();
    for arguments in [&SYNC[..], &READ] {
        let watched = tap.watch(&[arguments, &["--log-level", "error"]].concat(), &[], false);
        assert_eq!((watched.finished.status, watched.bytes.as_str()), (Some(0), ""));
    }
}
