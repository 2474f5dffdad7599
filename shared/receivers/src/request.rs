//! What goes to a vendor and what comes back, without any HTTP.
//!
//! Invariant: no secret is readable through `Debug` or [`Request::shown`], whether it travels in a header, in the
//! address, or, as `PagerDuty` wants it, in the body.

use std::fmt;

use secrecy::SecretString;
use serde_json::{Value, json};

/// Fields of a body that hold a secret.
const SECRET_FIELDS: [&str; 1] = ["routing_key"];

/// What stands in place of a secret.
pub(crate) const HIDDEN: &str = "[hidden]";

/// How a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads; harmless twice.
    Get,
    /// Creates or changes.
    Post,
    /// Replaces.
    Put,
    /// Changes a part, or makes it where it is not there.
    Patch,
}

impl Method {
    /// The word on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
        }
    }
}

/// One request. A body is sent as JSON, with its content type, by whoever sends it.
#[derive(Clone)]
pub struct Request {
    /// How.
    pub method: Method,
    /// Where, complete.
    pub url: String,
    /// Whether all of the address but its host is a secret.
    pub secret_path: bool,
    /// Headers by lower-case name. Their values are secrets, all of them.
    pub headers: Vec<(&'static str, SecretString)>,
    /// The JSON body.
    pub body: Option<Value>,
}

impl Request {
    /// The address for people.
    #[must_use]
    pub fn shown_url(&self) -> String {
        let host = || self.url.split('/').take(3).collect::<Vec<_>>().join("/");
        if self.secret_path { format!("{}/{HIDDEN}", host()) } else { self.url.clone() }
    }

    /// The request as JSON for people: every secret replaced.
    #[must_use]
    pub fn shown(&self) -> Value {
        let headers: Vec<Value> = self.headers.iter().map(|(name, _)| json!({ *name: HIDDEN })).collect();
        let mut body = self.body.clone();
        for field in SECRET_FIELDS {
            if let Some(secret) = body.as_mut().and_then(|b| b.get_mut(field)) {
                *secret = HIDDEN.into();
            }
        }
        json!({ "method": self.method.as_str(), "url": self.shown_url(), "headers": headers, "body": body })
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headers: Vec<&str> = self.headers.iter().map(|(name, _)| *name).collect();
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("url", &self.shown_url())
            .field("headers", &headers)
            .finish_non_exhaustive()
    }
}

/// One answer.
#[derive(Clone)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Seconds from `Retry-After`, where there was one.
    pub retry_after_secs: Option<u64>,
    /// The body as it came; the sender bounds it.
    pub body: Vec<u8>,
}

impl Response {
    /// The body as JSON, if it is.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("retry_after_secs", &self.retry_after_secs)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}
