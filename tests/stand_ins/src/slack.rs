//! Slack's Web API: the four methods that post, change and look up messages, and `auth.test`; and an incoming webhook.
//!
//! Invariant: a refusal changes nothing, and every message has a `ts` of its own, later than all before it.
//! Source: the Web API and Block Kit reference.

mod arguments;
mod blocks;
mod conversations;
mod incoming;
mod mentions;
mod message;
mod post;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{any, get, post as post_to};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::faults::Faults;
use crate::server::{Server, lock};

pub use mentions::Mention;
pub use message::Message;

#[derive(Debug, Default)]
struct Inner {
    messages: Vec<Message>,
    mentions: Vec<Mention>,
    known_channels: Option<BTreeSet<String>>,
    gap: Option<Duration>,
    last_post: BTreeMap<String, Timestamp>,
    last_ts_micros: i64,
}

type Shared = Arc<Mutex<Inner>>;

/// A running stand-in. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Slack {
    inner: Shared,
    server: Arc<Server>,
}

impl Slack {
    /// Starts it.
    ///
    /// # Errors
    /// When a loopback port cannot be bound.
    pub async fn start() -> io::Result<Self> {
        let inner = Shared::default();
        Ok(Self { server: Arc::new(Server::start(vendor(&inner), shape).await?), inner })
    }

    /// The same without a listener: it is asked through its [`Self::router`].
    #[must_use]
    pub fn unbound() -> Self {
        let inner = Shared::default();
        let server = Server::unbound(vendor(&inner), shape, "http://slack.stand-in".to_owned());
        Self { server: Arc::new(server), inner }
    }

    /// What answers its requests, faults included, for a caller in this process.
    pub fn router(&self) -> Router {
        self.server.router()
    }

    /// Its base address: what `https://slack.com` is for the vendor; the methods are under `/api/`.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// An incoming webhook's address: the address itself is the permission.
    #[must_use]
    pub fn incoming_url(&self) -> String {
        format!("{}/services/T0STANDIN/B0STANDIN/local", self.server.url())
    }

    /// Its script of faults.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.server.faults()
    }

    /// Requests seen, whatever became of them.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.server.requests()
    }

    /// From now on only these channels exist. Until then every channel does.
    pub fn only_channels(&self, channels: &[&str]) {
        lock(&self.inner).known_channels = Some(channels.iter().map(|&channel| channel.to_owned()).collect());
    }

    /// Least time between two new messages of one channel (Slack's own is about 1 s); `None`, the default, is no limit.
    pub fn limit_per_channel(&self, gap: Option<Duration>) {
        lock(&self.inner).gap = gap;
    }

    /// Every message, oldest first, thread replies included, as it stands after its edits.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        lock(&self.inner).messages.clone()
    }

    /// Everyone who was pinged, by new messages and by edits.
    #[must_use]
    pub fn mentions(&self) -> Vec<Mention> {
        lock(&self.inner).mentions.clone()
    }
}

fn vendor(inner: &Shared) -> Router {
    Router::new()
        .route("/api/chat.postMessage", post_to(post::post_message))
        .route("/api/chat.update", post_to(post::update))
        .route("/api/conversations.history", get(conversations::history).post(conversations::history))
        .route("/api/conversations.replies", get(conversations::thread).post(conversations::thread))
        .route("/api/auth.test", get(test_auth).post(test_auth))
        .route("/api/{method}", any(unknown_method))
        .layer(from_fn(authenticate))
        .route("/services/{team}/{bot}/{token}", post_to(incoming::take))
        .with_state(inner.clone())
}

impl Inner {
    fn knows(&self, channel: &str) -> bool {
        !channel.is_empty() && self.known_channels.as_ref().is_none_or(|known| known.contains(channel))
    }

    fn find(&self, channel: &str, ts: &str) -> Option<usize> {
        self.messages.iter().position(|message| message.channel == channel && message.ts == ts)
    }
}

/// An error's name, with what Slack adds to it.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    Named(&'static str),
    Blocks(Vec<String>),
    Limited { retry_after_secs: u64 },
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::Named(error) => Json(json!({ "ok": false, "error": error })).into_response(),
            Self::Blocks(errors) => {
                let messages: Vec<String> = errors.iter().map(|error| format!("[ERROR] {error}")).collect();
                Json(json!({
                    "ok": false,
                    "error": "invalid_blocks",
                    "errors": errors,
                    "response_metadata": { "messages": messages },
                }))
                .into_response()
            }
            Self::Limited { retry_after_secs } => (
                StatusCode::TOO_MANY_REQUESTS,
                [(RETRY_AFTER, retry_after_secs.to_string())],
                Json(json!({ "ok": false, "error": "ratelimited" })),
            )
                .into_response(),
        }
    }
}

async fn authenticate(request: Request, next: Next) -> Response {
    let Some(header) = request.headers().get(AUTHORIZATION) else {
        return Refusal::Named("not_authed").into_response();
    };
    let token = header.to_str().ok().and_then(|value| value.strip_prefix("Bearer ")).map(str::trim);
    if token.is_none_or(str::is_empty) {
        return Refusal::Named("invalid_auth").into_response();
    }
    next.run(request).await
}

async fn test_auth() -> Response {
    Json(json!({
        "ok": true, "url": "https://acme.slack.com/", "team": "Acme", "user": "tocsin", "team_id": "T0STANDIN",
        "user_id": "U0STANDIN", "bot_id": "B0STANDIN", "is_enterprise_install": false,
    }))
    .into_response()
}

async fn unknown_method() -> Response {
    Refusal::Named("unknown_method").into_response()
}

fn shape(status: StatusCode) -> Value {
    let error = match status {
        StatusCode::TOO_MANY_REQUESTS => "ratelimited",
        StatusCode::NOT_FOUND => "unknown_method",
        StatusCode::SERVICE_UNAVAILABLE => "service_unavailable",
        status if status.is_server_error() => "internal_error",
        _ => "fatal_error",
    };
    json!({ "ok": false, "error": error })
}
