//! Reads the configuration from the files and the environment that `--config` lists.

use std::{
    env,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use super::files::{read_commented_object, read_secret};
use crate::{
    config::{self, Config, environment_variable, settings_from_environment},
    error::Error,
    graph,
    secrets::Secrets,
};

/// The value of `--config` that stands for the environment.
pub(super) const ENVIRONMENT: &str = "ENV";

const SECRET: &str = "client_secret";
const SECRET_FILE: &str = "client_secret_file";

/// The hosts that receive the secret and the token.
const HOSTS: [&str; 2] = ["login_url", "graph_url"];

/// Who may have written the configuration files.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Trust {
    /// The operator of this machine.
    Operator,
    /// Possibly a user of a platform, who must not be able to read files or secrets of this machine.
    Untrusted,
}

pub(super) fn read(paths: &[PathBuf], trust: Trust, secrets: &Secrets) -> Result<Config, Error> {
    parse(read_settings(paths, trust, secrets)?).map_err(|error| suggest_environment(error, paths))
}

pub(super) fn parse(settings: Map<String, Value>) -> Result<Config, Error> {
    let mut config = Config::new(&Value::Object(settings))?;
    config.warnings.extend(graph::unusable_certificates());
    Ok(config)
}

/// Merges the settings of all files, in which later files override earlier ones, and of the environment, which overrides files.
pub(super) fn read_settings(paths: &[PathBuf], trust: Trust, secrets: &Secrets) -> Result<Map<String, Value>, Error> {
    let mut settings = Map::new();
    for path in paths.iter().filter(|path| !is_environment(path)) {
        let file = read_commented_object(path, "configuration")?;
        if trust == Trust::Untrusted && is_set(&file, SECRET_FILE) {
            return Err(Error::SecretFile {
                reason: "is not allowed in a configuration file passed to check, discover or read, because other users of an Airbyte platform may \
                    edit the file and could read files of this machine",
                hint: "set the environment variable TAP_MICROSOFT_TEAMS_CLIENT_SECRET_FILE and add `--config ENV`, or use `client_secret`",
            });
        }
        merge(&mut settings, file)?;
    }
    if paths.iter().any(|path| is_environment(path)) {
        let environment = settings_from_environment(|name| env::var(name).ok());
        let has_secret = is_set(&environment, SECRET) || is_set(&environment, SECRET_FILE);
        let is_foreign = |host: &&str| is_set(&settings, host) && !is_set(&environment, host);
        if trust == Trust::Untrusted && has_secret && HOSTS.iter().any(is_foreign) {
            return Err(Error::ForeignHosts);
        }
        merge(&mut settings, environment)?;
    }
    match settings.remove(SECRET_FILE).filter(config::is_set) {
        None => {}
        Some(Value::String(path)) => _ = settings.insert(SECRET.to_owned(), read_secret(Path::new(path.trim()))?.into()),
        Some(_) => return Err(Error::SecretFile { reason: "must be a string", hint: "set it to the path of a file" }),
    }
    if let Some(Value::String(secret)) = settings.get(SECRET) {
        secrets.add(secret);
    }
    Ok(settings)
}

/// Adds a hint if missing options are set in the environment, but `--config` does not include it.
pub(super) fn suggest_environment(mut error: Error, paths: &[PathBuf]) -> Error {
    if let Error::Config(config) = &mut error
        && !paths.iter().any(|path| is_environment(path))
    {
        let environment = settings_from_environment(|name| env::var(name).ok());
        let alternatives = |missing: &config::Missing| match missing.option {
            SECRET => vec![SECRET, SECRET_FILE],
            option => vec![option],
        };
        let set: Vec<_> = config.missing.iter().flat_map(alternatives).filter(|option| environment.contains_key(*option)).collect();
        let variables = set.into_iter().map(environment_variable).collect::<Vec<_>>().join(" and ");
        if !variables.is_empty() {
            config.hint = Some(format!("add `--config ENV` to use {variables} from the environment"));
        }
    }
    error
}

fn is_environment(path: &Path) -> bool {
    path.as_os_str() == ENVIRONMENT
}

/// Adds settings that override the others. `client_secret` and `client_secret_file` override each other.
fn merge(settings: &mut Map<String, Value>, more: Map<String, Value>) -> Result<(), Error> {
    match (is_set(&more, SECRET), is_set(&more, SECRET_FILE)) {
        (true, true) => {
            return Err(Error::SecretFile { reason: "is set together with `client_secret`", hint: "set only one of the two" });
        }
        (true, false) => _ = settings.remove(SECRET_FILE),
        (false, true) => _ = settings.remove(SECRET),
        (false, false) => {}
    }
    settings.extend(more);
    Ok(())
}

fn is_set(settings: &Map<String, Value>, name: &str) -> bool {
    settings.get(name).is_some_and(config::is_set)
}
