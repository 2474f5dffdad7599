//! One question to one vendor, and what its answer comes to.
//!
//! Invariant: a finding holds no body, no address beyond its host and no secret; what is quoted of an answer is a vendor's
//! own short word.

use std::fmt::Display;

use futures::future::BoxFuture;
use pipeline::ports::HttpSender;
use receivers::readiness::NotReady;
use receivers::{Request, Response};
use web::Sender;

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

impl From<NotReady> for Finding {
    fn from(NotReady { why, mend }: NotReady) -> Self {
        Self::Failed { why, mend }
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

/// Asks; without an answer the finding is made.
pub(super) async fn ask(sender: &Sender, request: Request) -> Result<Response, Finding> {
    let mend = "look at the address, the network, proxies and certificates";
    sender.send(&request).await.map_err(|error| Finding::failed(error, mend))
}

/// Both ends of a question alike.
pub(super) fn either(result: Result<Finding, Finding>) -> Finding {
    result.unwrap_or_else(|finding| finding)
}
