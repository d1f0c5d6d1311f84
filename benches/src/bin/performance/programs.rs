//! Builds the programs that are measured, with the profile of a release.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use serde::Deserialize;

use crate::Result;

/// Paths of the executables.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) tap: PathBuf,
    pub(crate) simulator: PathBuf,
    pub(crate) download: PathBuf,
}

impl Programs {
    pub(crate) fn build() -> Result<Self> {
        // Built alone, as in the Dockerfile, so that no other package enables features of shared dependencies.
        cargo(&["--package", "tap-microsoft-teams"])?;
        cargo(&["--package", "graph-sim"])?;
        cargo(&["--package", "benches", "--bin", "download"])?;
        let folder = target_folder()?.join("dist");
        Ok(Self { tap: folder.join("tap-microsoft-teams"), simulator: folder.join("graph-sim"), download: folder.join("download") })
    }
}

fn command() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    command
}

fn cargo(arguments: &[&str]) -> Result<()> {
    let status = command().args(["build", "--locked", "--profile", "dist"]).args(arguments).status()?;
    if status.success() { Ok(()) } else { Err(format!("cargo build {} has failed", arguments.join(" ")).into()) }
}

fn target_folder() -> Result<PathBuf> {
    #[derive(Deserialize)]
    struct Metadata {
        target_directory: PathBuf,
    }
    let output = command().args(["metadata", "--no-deps", "--format-version", "1"]).output()?;
    let Metadata { target_directory } = serde_json::from_slice(&output.stdout)?;
    Ok(target_directory)
}
