//! Fuzz targets: what others write, read by the tap, and what must hold of what it makes of it. README.md says how they are run.
//!
//! A target takes bytes and panics where something does not hold. The list of them is the one place that names them all.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a target fails by panicking")]

mod json;
mod place;
mod record;
mod targets;

use std::{env, fs, io};

/// What is fuzzed.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, also of its program and of its folders.
    pub name: &'static str,
    /// Reads what somebody wrote.
    pub run: fn(&[u8]),
}

/// All targets.
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
/// If something does not hold, or if there is no such target.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("there is such a target");
    (target.run)(input);
}

/// Runs a target on each of the files that the command line names.
///
/// # Errors
/// If one cannot be read.
pub fn replay(name: &str) -> io::Result<()> {
    env::args_os().skip(1).try_for_each(|file| fs::read(file).map(|input| run(name, &input)))
}

/// The program of a target: libFuzzer's where cargo-fuzz builds, else one that replays the files that it is given.
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
    fn every_target_holds_for_its_corpus_and_for_all_that_was_ever_found() {
        for Target { name, run } in TARGETS {
            let seeds = files(root().join("corpus").join(name));
            assert!(!seeds.is_empty(), "{name} has no seeds");
            let regressions = root().join("regressions").join(name);
            let regressions = if regressions.exists() { files(regressions) } else { Vec::new() };
            for file in seeds.into_iter().chain(regressions) {
                // The test shows it if what follows fails.
                println!("{}", file.display());
                run(&fs::read(file).unwrap());
            }
        }
    }

    #[test]
    fn every_target_takes_what_is_nested_deeply() {
        for (open, close, depth) in [("[", "]", 100_000), ("{\"a\":", "}", 20_000)] {
            let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            let places = [
                nested.clone(),
                format!(r#"{{"value":[{nested},{{"id":"1","x":{nested}}}]}}"#),
                format!(r#"{{"id":"1","body":{nested}}}"#),
                format!(r#"{{"version":1,"channels":{{"t/c":{nested}}},"error":{nested},"client_secret":{nested},"streams":{nested}}}"#),
            ];
            for (Target { run, .. }, place) in TARGETS.iter().flat_map(|target| places.iter().map(move |place| (target, place))) {
                run(place.as_bytes());
            }
        }
    }

    #[test]
    fn every_target_has_its_program_and_its_folder_and_there_are_no_others() {
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
