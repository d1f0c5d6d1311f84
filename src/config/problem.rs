//! The error for an invalid configuration, which contains all problems.

use std::fmt;

/// All problems with a configuration.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Error {
    pub missing: Vec<Missing>,
    /// Invalid options, in the order of the settings.
    pub problems: Vec<InvalidOption>,
    pub hint: Option<String>,
}

/// A required option that is not set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Missing {
    pub option: &'static str,
    /// An unknown key that is probably a misspelling of the option.
    pub misspelt: Option<String>,
}

/// An invalid option.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct InvalidOption {
    /// The path of the option in the configuration.
    pub option: String,
    /// The invalid value, never a secret; [`None`] if the option itself is wrong.
    pub value: Option<String>,
    /// The allowed values, or the reason.
    pub allowed: String,
}

impl Error {
    pub(super) fn from_problem(problem: InvalidOption) -> Self {
        Self { problems: vec![problem], ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.problems.is_empty()
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing: Vec<_> = self.missing.iter().map(ToString::to_string).collect();
        let missing = match missing.len() {
            0 => None,
            1 => Some(format!("missing required option: {}", missing.concat())),
            _ => Some(format!("missing required options: {}", missing.join(", "))),
        };
        let problems = self.problems.iter().map(ToString::to_string);
        let hint = self.hint.iter().map(|hint| format!("hint: {hint}"));
        let parts: Vec<_> = missing.into_iter().chain(problems).chain(hint).collect();
        formatter.write_str(&parts.join("; "))
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}`", self.option)?;
        match &self.misspelt {
            Some(key) => write!(formatter, " (found `{key}` instead)"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for InvalidOption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(formatter, "option `{}`: invalid value {value}; allowed: {}", self.option, self.allowed),
            None => write!(formatter, "option `{}`: {}", self.option, self.allowed),
        }
    }
}
