//! Where secrets and base addresses come from.
//!
//! Invariant: the file names a secret, it never holds one; the value is read here and goes straight into a
//! [`SecretString`], and one that could not be sent as it is never gets that far.

use std::collections::BTreeMap;

use saphyr::{Scalar, YamlData};
use secrecy::{ExposeSecret, SecretString};

use crate::reader::{Value, join};
use crate::yaml::{self, Node};

/// Named values outside the file.
pub trait Environment {
    /// The value of a variable, `None` when it is not set.
    fn var(&self, name: &str) -> Option<String>;
}

/// The process's own environment. A value that is not UTF-8 counts as not set.
#[derive(Debug, Clone, Copy, Default)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn var(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

impl Environment for BTreeMap<String, String> {
    fn var(&self, name: &str) -> Option<String> {
        self.get(name).cloned()
    }
}

/// Every `NAME` of a value `${NAME}` in the file, each once, in the file's order. Empty where the file is no YAML, which
/// [`load`](crate::load) reports.
#[must_use]
pub fn secret_names(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (_, name) in secret_places(text) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Every value `${NAME}` in the file, in the file's order: its field (`receivers.on-call.routing_key`), and `NAME`.
#[must_use]
pub fn secret_places(text: &str) -> Vec<(String, String)> {
    let mut places = Vec::new();
    if let Ok(root) = yaml::parse(text) {
        collect("", &root, &mut places);
    }
    places
}

fn collect(path: &str, node: &Node, places: &mut Vec<(String, String)>) {
    match &node.data {
        YamlData::Value(Scalar::String(text)) => {
            places.extend(reference(text).map(|name| (path.to_owned(), name.to_owned())));
        }
        YamlData::Sequence(items) => {
            items.iter().enumerate().for_each(|(index, item)| collect(&format!("{path}[{index}]"), item, places));
        }
        YamlData::Mapping(entries) => entries.iter().for_each(|(key, value)| match &key.data {
            YamlData::Value(Scalar::String(name)) => collect(&join(path, name), value, places),
            _ => collect(path, value, places),
        }),
        _ => {}
    }
}

/// `NAME` of `${NAME}`: capital letters, digits and `_`, no digit first.
pub(crate) fn reference(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    let fits = name.bytes().all(|b| matches!(b, b'A'..=b'Z' | b'0'..=b'9' | b'_'));
    (fits && !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())).then_some(name)
}

/// The secret that a value names.
pub(crate) fn secret(value: &Value<'_>) -> Option<SecretString> {
    let Some(text) = value.scalar_text() else {
        return value.fail("this names no secret", "write ${NAME}, in capitals, and set NAME in the environment");
    };
    if text.starts_with("secretsmanager:") {
        return value.fail("this version reads secrets from the environment", "use ${NAME} and set NAME");
    }
    let Some(name) = reference(text) else {
        let what =
            if text.starts_with('$') { "this is no name of a variable" } else { "a secret must not stand in the file" };
        return value.fail(what, "write ${NAME}, in capitals, and set NAME in the environment");
    };
    let Some(secret) = value.variable(name) else {
        return value.fail(format!("the environment variable {name} is not set or empty"), format!("set {name}"));
    };
    if secret.trim() != secret || secret.contains(char::is_control) {
        let what = format!("the environment variable {name} has white space around it or a control character in it");
        return value.fail(what, format!("set {name} without"));
    }
    Some(SecretString::from(secret))
}

/// A secret that is sent in a header: its characters are those that a header can hold.
pub(crate) fn token(value: &Value<'_>) -> Option<SecretString> {
    let token = secret(value)?;
    if token.expose_secret().bytes().all(|b| b.is_ascii_graphic()) {
        return Some(token);
    }
    let what = "its variable holds a space or a character beyond ASCII, which no token has";
    value.fail(what, "copy the token as its vendor shows it")
}
