//! From a text or a file to a [`Config`], or to every mistake in it.
//!
//! Invariant: no config comes out while there is a mistake, and no mistake goes unsaid.

use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::reader::{Report, Value};
use crate::yaml::{self, CONFIG_BYTES_MAX};
use crate::{Config, Environment, Intake, Mistake, ProcessEnvironment, clear_text, sections};

/// Where the deployed layer puts the config.
pub const DEPLOYED_CONFIG: &str = "/opt/tocsin/tocsin.yaml";

/// Why a file gives no config. Its `Display` has one line for each mistake.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// It cannot be read.
    #[error("{}: it cannot be read: {why}; give the path of a config file", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// It holds mistakes.
    #[error("{}", Listed { path, mistakes })]
    Mistakes {
        /// Which file.
        path: PathBuf,
        /// In the file's order; at least one.
        mistakes: Vec<Mistake>,
    },
}

/// `path:line: field: what; mend`, one a line.
struct Listed<'m> {
    path: &'m Path,
    mistakes: &'m [Mistake],
}

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            match mistake.line {
                0 => write!(f, "{end}environment: {mistake}")?,
                _ => write!(f, "{end}{}:{mistake}", self.path.display())?,
            }
        }
        Ok(())
    }
}

/// Reads a config. Secrets, and base addresses that stand in place of the file's, come from `environment`.
///
/// # Errors
/// Every mistake, in the file's order. A text that is no YAML gives that one alone.
pub fn load(text: &str, environment: &dyn Environment) -> Result<Config, Vec<Mistake>> {
    read_with(text, environment, |root, report| {
        for mistake in clear_text::mistakes(text) {
            report.add(mistake);
        }
        sections::read(root)
    })
}

/// Reads what receiving needs of a config, and nothing else of it.
///
/// # Errors
/// Every mistake in that, as [`load`] has it.
pub fn load_intake(text: &str, environment: &dyn Environment) -> Result<Intake, Vec<Mistake>> {
    read_with(text, environment, |root, _| sections::read_intake(root))
}

fn read_with<T>(
    text: &str,
    environment: &dyn Environment,
    read: impl FnOnce(&Value<'_>, &Report<'_>) -> Option<T>,
) -> Result<T, Vec<Mistake>> {
    let root = yaml::parse(text).map_err(|mistake| vec![mistake])?;
    let report = Report::new(environment);
    let whole = read(&Value::root(&report, &root), &report);
    match (whole, report.into_mistakes()) {
        (Some(whole), mistakes) if mistakes.is_empty() => Ok(whole),
        (None, mistakes) if mistakes.is_empty() => Err(vec![unnamed()]),
        (_, mistakes) => Err(mistakes),
    }
}

/// Stands where a section gives nothing without a reason: a flaw of ours, and still no silence.
fn unnamed() -> Mistake {
    Mistake::new("", 1, "the file gives no config, for a reason unknown", "report this file")
}

/// Reads a config file of at most [`CONFIG_BYTES_MAX`] bytes; see [`load`].
///
/// # Errors
/// [`LoadError`] says that the file cannot be read, or lists its mistakes.
pub fn load_file(path: &Path, environment: &dyn Environment) -> Result<Config, LoadError> {
    read_file(path, |text| load(text, environment))
}

/// The config that a deployed function reads: the file that `TOCSIN_CONFIG` names, else [`DEPLOYED_CONFIG`].
///
/// # Errors
/// As [`load_file`].
pub fn load_from_env() -> Result<Config, LoadError> {
    load_file(&deployed(), &ProcessEnvironment)
}

/// As [`load_from_env`], for a function that receives.
///
/// # Errors
/// As [`load_intake`], or the file cannot be read.
pub fn load_intake_from_env() -> Result<Intake, LoadError> {
    read_file(&deployed(), |text| load_intake(text, &ProcessEnvironment))
}

fn deployed() -> PathBuf {
    std::env::var_os("TOCSIN_CONFIG").map_or_else(|| PathBuf::from(DEPLOYED_CONFIG), PathBuf::from)
}

fn read_file<T>(path: &Path, load: impl FnOnce(&str) -> Result<T, Vec<Mistake>>) -> Result<T, LoadError> {
    let text = read(path).map_err(|error| LoadError::Unreadable { path: path.to_owned(), why: error.to_string() })?;
    load(&text).map_err(|mistakes| LoadError::Mistakes { path: path.to_owned(), mistakes })
}

/// One byte more than is allowed, so that a file too large is seen as such.
fn read(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    fs::File::open(path)?.take(CONFIG_BYTES_MAX as u64 + 1).read_to_string(&mut text)?;
    Ok(text)
}
