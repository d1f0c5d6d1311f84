//! What is wrong with a configuration: all of it at once, by option.

use std::fmt;

/// Everything that is wrong with a configuration.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error {
    /// The problems, in the order of the settings.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The option, with its path; or all that are missing, in quotes.
    pub option: String,
    /// What was given, never a secret; [`None`] if nothing was.
    pub given: Option<String>,
    /// What is allowed.
    pub allowed: String,
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.problems.iter().enumerate() {
            if at > 0 {
                formatter.write_str("; ")?;
            }
            problem.fmt(formatter)?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.given {
            Some(given) => write!(formatter, "option `{}`: given {given}; allowed: {}", self.option, self.allowed),
            None if self.allowed == "required" => write!(formatter, "missing: {}", self.option),
            None => write!(formatter, "option `{}`: {}", self.option, self.allowed),
        }
    }
}
