//! The environment of a local run: what is set is used, and a secret that is not set has a value that everybody knows.
//!
//! Invariant: only names that the config itself mentions are filled in.

use config::{Environment, ProcessEnvironment, secret_names};

/// Stands for every secret that is not set: 32 characters of Base64, so that it serves as any vendor's kind of secret.
pub const LOCAL_SECRET: &str = "dG9jc2luIGxvY2FsIHNlY3JldCBvbmx5";

/// How the name of a secret ends that is an address, as a webhook's.
const ADDRESS: &str = "_URL";

/// The process's environment with [`LOCAL_SECRET`] in the gaps.
pub(crate) struct LocalEnvironment {
    unset: Vec<String>,
}

impl LocalEnvironment {
    /// For one config.
    pub(crate) fn new(config_text: &str) -> Self {
        let unset = |name: &String| ProcessEnvironment.var(name).is_none_or(|value| value.trim().is_empty());
        Self { unset: secret_names(config_text).into_iter().filter(unset).collect() }
    }

    /// The names that are not set.
    pub(crate) fn unset(&self) -> &[String] {
        &self.unset
    }
}

impl Environment for LocalEnvironment {
    fn var(&self, name: &str) -> Option<String> {
        if self.unset.iter().any(|unset| unset == name) {
            let address = name.ends_with(ADDRESS).then(|| format!("https://local.invalid/{LOCAL_SECRET}"));
            return Some(address.unwrap_or_else(|| LOCAL_SECRET.to_owned()));
        }
        ProcessEnvironment.var(name)
    }
}
