//! Fuzz targets for everything that the tap reads. README.md describes how to run them.
//!
//! A target reads bytes and panics if a check fails. `TARGETS` is the only list of all targets.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a target fails by panicking")]

mod json;
mod place;
mod record;
mod targets;

use std::{env, fs, io};

#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Also the name of its binary and its folders.
    pub name: &'static str,
    pub run: fn(&[u8]),
}

pub const TARGETS: [Target; 9] = [
    Target { name: "catalog", run: targets::catalog },
    Target { name: "config", run: targets::config },
    Target { name: "delta", run: targets::delta },
    Target { name: "link", run: targets::link },
    Target { name: "page", run: targets::page },
    Target { name: "refusal", run: targets::refusal },
    Target { name: "retry_after", run: targets::retry_after },
    Target { name: "state", run: targets::state },
    Target { name: "token", run: targets::token },
];

/// Runs a target once.
///
/// # Panics
/// If a check fails, or if there is no such target.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("unknown target");
    (target.run)(input);
}

/// Runs a target on each file from the command line.
///
/// # Errors
/// If a file cannot be read.
pub fn replay(name: &str) -> io::Result<()> {
    env::args_os().skip(1).try_for_each(|file| fs::read(file).map(|input| run(name, &input)))
}

/// The binary of a target: with cargo-fuzz, libFuzzer's main function. Otherwise it replays the files from the command line.
#[macro_export]
macro_rules! program {
    ($name:literal) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|input: &[u8]| $crate::run($name, input));

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            $crate::replay($name)
        }
    };
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn root() -> PathBuf {
        env!("CARGO_MANIFEST_DIR").into()
    }

    fn files(folder: PathBuf) -> Vec<PathBuf> {
        let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files
    }

    fn names(folder: &str) -> Vec<String> {
        files(root().join(folder)).iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_target_passes_on_its_corpus_and_regressions() {
        for Target { name, run } in TARGETS {
            let seeds = files(root().join("corpus").join(name));
            assert!(!seeds.is_empty(), "{name} has no seeds");
            let regressions = root().join("regressions").join(name);
            let regressions = if regressions.exists() { files(regressions) } else { Vec::new() };
            for file in seeds.into_iter().chain(regressions) {
                // Shown if the test fails.
                println!("{}", file.display());
                run(&fs::read(file).unwrap());
            }
        }
    }

    #[test]
    fn every_target_accepts_deeply_nested_input() {
        for (open, close, depth) in [("[", "]", 100_000), ("{\"a\":", "}", 20_000)] {
            let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let inputs = [
                nested.clone(),
                format!(r#"{{"value":[{nested},{{"id":"1","x":{nested}}}]}}"#),
                format!(r#"{{"id":"1","body":{nested}}}"#),
                format!(r#"{{"version":1,"channels":{{"t/c":{nested}}},"error":{nested},"client_secret":{nested},"streams":{nested}}}"#),
            ];
            for (Target { run, .. }, input) in TARGETS.iter().flat_map(|target| inputs.iter().map(move |input| (target, input))) {
                run(input.as_bytes());
            }
        }
    }

    #[test]
    fn every_target_has_a_binary_and_a_folder_and_there_are_no_others() {
        let targets = TARGETS.map(|target| target.name);
        assert_eq!(names("fuzz_targets"), targets);
        assert_eq!(names("corpus"), targets);
        assert!(names("regressions").iter().all(|name| targets.contains(&name.as_str())));
        for name in targets {
            let program = fs::read_to_string(root().join(format!("fuzz_targets/{name}.rs"))).unwrap();
            assert!(program.contains(&format!("fuzz::program!(\"{name}\");")), "{name}");
        }
    }
}
