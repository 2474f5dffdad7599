//! What `tocsin doctor` asks a vendor, and what its answers come to.
//!
//! Invariant: a question creates and changes nothing, and tells nobody. What is quoted of an answer is a vendor's own short
//! word.

use std::fmt::Display;

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::{Method, Request, Response};

/// Longest word of a vendor that is repeated, in characters.
const WORD_CHARS_MAX: usize = 80;

/// What is done next.
#[derive(Debug)]
pub enum Check {
    /// Ask this; its answer is put behind those before it.
    Ask(Request),
    /// The vendor is ready, as far as this says.
    Ready(String),
}

/// The vendor is not ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotReady {
    /// What is wrong.
    pub why: String,
    /// The mend.
    pub mend: String,
}

impl NotReady {
    /// What is wrong, with its mend.
    pub fn new(why: impl Display, mend: impl Into<String>) -> Self {
        Self { why: why.to_string(), mend: mend.into() }
    }
}

/// A request without a body.
#[must_use]
pub fn get(base: &str, path: &str, headers: Vec<(&'static str, SecretString)>) -> Request {
    let url = format!("{}{path}", base.trim_end_matches('/'));
    Request { method: Method::Get, url, secret_path: true, headers, body: None }
}

/// A token as it is sent.
#[must_use]
pub fn bearer(token: &SecretString) -> Vec<(&'static str, SecretString)> {
    vec![("authorization", format!("Bearer {}", token.expose_secret()).into())]
}

/// Whether an address' host answers at all, whatever it says: its front page is asked for. For a vendor without a question
/// that proves a credential and tells nobody; `ready` says what is so, of `{}` for the host.
///
/// # Errors
/// [`NotReady`] where it answers that something is wrong with it.
pub fn reach(address: &str, answers: &[Response], ready: impl FnOnce(&str) -> String) -> Result<Check, NotReady> {
    let origin: String = address.split('/').take(3).collect::<Vec<_>>().join("/");
    let Some(response) = answers.first() else { return Ok(Check::Ask(get(&origin, "/", Vec::new()))) };
    let host = origin.split("://").nth(1).unwrap_or_default();
    match response.status {
        500.. => Err(NotReady::new(format!("{host} answers {}", response.status), "ask its owner, or try again")),
        _ => Ok(Check::Ready(ready(&format!("{host} answers")))),
    }
}

/// The JSON of a success; `mends` says what to do about a status.
///
/// # Errors
/// [`NotReady`] for any other status, and for what is no JSON.
pub fn json_of(whose: &str, response: &Response, mends: &[(u16, &str)]) -> Result<Value, NotReady> {
    let status = response.status;
    if !(200..300).contains(&status) {
        let known = mends.iter().find(|(of, _)| *of == status).map(|(_, mend)| *mend);
        let mend = known.unwrap_or(match status {
            429 | 500.. => "try again later",
            _ => "look at the address in the config",
        });
        return Err(NotReady::new(format!("{whose} answers {status}"), mend));
    }
    let unread = || NotReady::new(format!("{whose} answers with no JSON"), "look at the address in the config");
    serde_json::from_slice(&response.body).map_err(|_| unread())
}

/// A vendor's own error word, where it is one.
#[must_use]
pub fn word(value: &Value) -> &str {
    word_or(value, "no reason that can be shown")
}

/// The same for a name.
#[must_use]
pub fn word_or<'v>(value: &'v Value, otherwise: &'v str) -> &'v str {
    let plain =
        |text: &&str| text.chars().count() <= WORD_CHARS_MAX && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    value.as_str().filter(plain).unwrap_or(otherwise)
}
