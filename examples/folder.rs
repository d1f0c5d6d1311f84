//! A temporary folder for the files of an example.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The folder is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(example: &str) -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("tap-microsoft-teams-{example}-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
