//! Builds the executable of the tap with the same profile as the soak, so that one command is enough.

use std::{
    env,
    error::Error,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// Builds the executable and returns its path.
pub(crate) fn build() -> Result<PathBuf, Box<dyn Error>> {
    // The executable is in the parent of the folder of the examples.
    let soak = env::current_exe()?;
    let folder = soak.parent().and_then(Path::parent).ok_or("the soak is not in a target folder")?;
    let target = folder.parent().ok_or("the soak is not in a target folder")?;
    let profile = folder.file_name().and_then(|name| name.to_str()).ok_or("the soak is not in a target folder")?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    // Also names the soak, which is built already. Without it, cargo would rebuild the dependencies with fewer features.
    cargo.args(["build", "--locked", "--bin", "tap-microsoft-teams", "--example", "soak"]);
    cargo.args(["--profile", if profile == "debug" { "dev" } else { profile }]);
    // `cargo run` sets these variables for our package. A build script that reads them (of ring) would cause a rebuild each time.
    let is_ours =
        |name: &OsString| name.to_str().is_some_and(|name| ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|prefix| name.starts_with(prefix)));
    env::vars_os().map(|(name, _)| name).filter(is_ours).for_each(|name| _ = cargo.env_remove(name));
    let status = cargo.arg("--target-dir").arg(target).status()?;
    if !status.success() {
        return Err(format!("building the tap failed: {status}").into());
    }
    Ok(folder.join("tap-microsoft-teams"))
}
