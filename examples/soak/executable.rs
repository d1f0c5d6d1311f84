//! The executable of the tap: built as the soak was, so that one command is enough.

use std::{
    env,
    error::Error,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

/// Builds it; gives its path.
pub(crate) fn build() -> Result<PathBuf, Box<dyn Error>> {
    // Beside the folder of the examples.
    let soak = env::current_exe()?;
    let folder = soak.parent().and_then(Path::parent).ok_or("the soak is in no target folder")?;
    let target = folder.parent().ok_or("the soak is in no target folder")?;
    let profile = folder.file_name().and_then(|name| name.to_str()).ok_or("the soak is in no target folder")?;
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    // Together with the soak, which is built already: alone, its dependencies would be built once more with fewer features.
    cargo.args(["build", "--locked", "--bin", "tap-microsoft-teams", "--example", "soak"]);
    cargo.args(["--profile", if profile == "debug" { "dev" } else { profile }]);
    // What `cargo run` says of our package; a build script (ring's) that looks at it would have everything built anew, each time.
    let ours = |name: &OsString| name.to_str().is_some_and(|name| ["CARGO_PKG_", "CARGO_MANIFEST_"].iter().any(|of| name.starts_with(of)));
    env::vars_os().map(|(name, _)| name).filter(ours).for_each(|name| _ = cargo.env_remove(name));
    let status = cargo.arg("--target-dir").arg(target).status()?;
    if !status.success() {
        return Err(format!("the tap cannot be built: {status}").into());
    }
    Ok(folder.join("tap-microsoft-teams"))
}
