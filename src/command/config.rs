//! The configuration, from the files and the environment that the command line names.

use std::{
    env,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::files::{read_commented_object, read_secret};
use crate::{
    config::{self, Config, settings_of_environment},
    error::Error,
    graph,
    secrets::Secrets,
};

/// What stands for the environment among the files.
const ENVIRONMENT: &str = "ENV";

const SECRET: &str = "client_secret";
const SECRET_FILE: &str = "client_secret_file";

/// Where the secret, and the token that it is good for, are sent.
const HOSTS: [&str; 2] = ["login_url", "graph_url"];

/// Who wrote the files.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Author {
    /// Who runs the executable.
    Operator,
    /// Perhaps a user of a platform, who may not read the files of the machine.
    Anybody,
}

/// The configuration that is written there.
pub(super) fn read(paths: &[PathBuf], author: Author, secrets: &Secrets) -> Result<Config, Error> {
    parse(written(paths, author, secrets)?)
}

/// The configuration that these settings make.
pub(super) fn parse(written: Map<String, Value>) -> Result<Config, Error> {
    let mut config = Config::new(&Value::Object(written))?;
    config.remarks.extend(graph::unusable_certificates());
    Ok(config)
}

/// The settings of all files; a later one wins. `ENV` stands for the environment, which wins over files. What is wrong with them is said
/// without the secret.
pub(super) fn written(paths: &[PathBuf], author: Author, secrets: &Secrets) -> Result<Map<String, Value>, Error> {
    let mut settings = Map::new();
    let is_environment = |path: &&PathBuf| path.as_os_str() == ENVIRONMENT;
    for path in paths.iter().filter(|path| !is_environment(path)) {
        let file = read_commented_object(path, "configuration")?;
        if author == Author::Anybody && is_given(&file, SECRET_FILE) {
            return Err(Error::SecretFile {
                reason: "is not taken by check, discover and read from a configuration file, which others than the owner of the machine may write",
                hint: "set TAP_MICROSOFT_TEAMS_CLIENT_SECRET_FILE and add `--config ENV`, or give `client_secret`",
            });
        }
        add(&mut settings, file)?;
    }
    if paths.iter().any(|path| is_environment(&path)) {
        let ours = settings_of_environment(|name| env::var(name).ok());
        let has_secret = is_given(&ours, SECRET) || is_given(&ours, SECRET_FILE);
        let leads_away = |host: &&str| is_given(&settings, host) && !is_given(&ours, host);
        if author == Author::Anybody && has_secret && HOSTS.iter().any(leads_away) {
            return Err(Error::ForeignHosts);
        }
        add(&mut settings, ours)?;
    }
    match settings.remove(SECRET_FILE).filter(config::is_given) {
        None => {}
        Some(Value::String(path)) => _ = settings.insert(SECRET.to_owned(), read_secret(Path::new(path.trim()))?.into()),
        Some(_) => return Err(Error::SecretFile { reason: "is no text", hint: "give the path of a file" }),
    }
    if let Some(Value::String(secret)) = settings.get(SECRET) {
        secrets.add(secret);
    }
    Ok(settings)
}

/// Adds what a source of settings gives. The secret and the file that holds it stand for each other.
fn add(settings: &mut Map<String, Value>, more: Map<String, Value>) -> Result<(), Error> {
    match (is_given(&more, SECRET), is_given(&more, SECRET_FILE)) {
        (true, true) => {
            return Err(Error::SecretFile { reason: "is given beside `client_secret`", hint: "take one of the two away" });
        }
        (true, false) => _ = settings.remove(SECRET_FILE),
        (false, true) => _ = settings.remove(SECRET),
        (false, false) => {}
    }
    settings.extend(more);
    Ok(())
}

fn is_given(settings: &Map<String, Value>, name: &str) -> bool {
    settings.get(name).is_some_and(config::is_given)
}
