//! One question to one vendor, and what its answer comes to.
//!
//! Invariant: a finding holds no body, no address beyond its host and no secret; what is quoted of an answer is a vendor's
//! own short word.

use std::fmt::Display;

use futures::future::BoxFuture;
use pipeline::ports::HttpSender;
use receivers::{Method, Request, Response};
use secrecy::SecretString;
use serde_json::Value;
use web::Sender;

/// Longest word of a vendor that is repeated, in characters.
const WORD_CHARS_MAX: usize = 80;

/// What came of a question.
pub(super) enum Finding {
    /// The vendor is ready.
    Ok(String),
    /// It is not, and how to mend it.
    Failed {
        /// What is wrong.
        why: String,
        /// The mend.
        mend: String,
    },
    /// It was not asked.
    Skipped(String),
}

impl Finding {
    pub(super) fn failed(why: impl Display, mend: impl Into<String>) -> Self {
        Self::Failed { why: why.to_string(), mend: mend.into() }
    }

    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Ok(_) => "ok",
            Self::Failed { .. } => "failed",
            Self::Skipped(_) => "skipped",
        }
    }

    pub(super) fn detail(&self) -> String {
        match self {
            Self::Ok(text) | Self::Skipped(text) => text.clone(),
            Self::Failed { why, mend } => format!("{why}; {mend}"),
        }
    }
}

/// What is asked of whom.
pub(super) struct Question<'a> {
    /// For people: `receivers.ai-ops`.
    pub(super) what: String,
    /// The part of the config whose secrets it needs.
    pub(super) section: String,
    /// The question, not yet asked.
    pub(super) asked: BoxFuture<'a, Finding>,
}

/// A request without a body.
pub(super) fn get(base: &str, path: &str, headers: Vec<(&'static str, SecretString)>) -> Request {
    let url = format!("{}{path}", base.trim_end_matches('/'));
    Request { method: Method::Get, url, secret_path: true, headers, body: None }
}

/// Asks; without an answer the finding is made.
pub(super) async fn ask(sender: &Sender, request: Request) -> Result<Response, Finding> {
    let mend = "look at the address, the network, proxies and certificates";
    sender.send(&request).await.map_err(|error| Finding::failed(error, mend))
}

/// True where the host answers at all, whatever it says: its front page is asked for.
pub(super) async fn reach(sender: &Sender, address: &str) -> Result<String, Finding> {
    let origin: String = address.split('/').take(3).collect::<Vec<_>>().join("/");
    let response = ask(sender, get(&origin, "/", Vec::new())).await?;
    let host = origin.split("://").nth(1).unwrap_or_default();
    match response.status {
        500.. => Err(Finding::failed(format!("{host} answers {}", response.status), "ask its owner, or try again")),
        _ => Ok(format!("{host} answers")),
    }
}

/// The JSON of a success; `mends` says what to do about a status.
pub(super) fn json_of(whose: &str, response: &Response, mends: &[(u16, &str)]) -> Result<Value, Finding> {
    let status = response.status;
    if !(200..300).contains(&status) {
        let known = mends.iter().find(|(of, _)| *of == status).map(|(_, mend)| *mend);
        let mend = known.unwrap_or(match status {
            429 | 500.. => "try again later",
            _ => "look at the address in the config",
        });
        return Err(Finding::failed(format!("{whose} answers {status}"), mend));
    }
    let unread = || Finding::failed(format!("{whose} answers with no JSON"), "look at the address in the config");
    serde_json::from_slice(&response.body).map_err(|_| unread())
}

/// A vendor's own error word, where it is one.
pub(super) fn word(value: &Value) -> &str {
    word_or(value, "no reason that can be shown")
}

/// The same for a name.
pub(super) fn word_or<'v>(value: &'v Value, otherwise: &'v str) -> &'v str {
    let plain =
        |text: &&str| text.chars().count() <= WORD_CHARS_MAX && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ');
    value.as_str().filter(plain).unwrap_or(otherwise)
}

/// Both ends of a question alike.
pub(super) fn either(result: Result<Finding, Finding>) -> Finding {
    result.unwrap_or_else(|finding| finding)
}
