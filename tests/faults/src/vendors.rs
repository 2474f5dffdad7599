//! The way to the vendors' stand-ins, in this process.
//!
//! Invariant: one call is at most one request, bounded as the HTTP client bounds it: ten seconds, one MiB of answer. What
//! may have arrived is told as "maybe sent", what cannot have as "not sent".

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use domain::ReceiverKind;
use http_body_util::{BodyExt, Limited};
use pipeline::ports::{Clock, HttpSender, SendError};
use receivers::{Request, Response};
use secrecy::ExposeSecret;
use serde_json::json;
use stand_ins::{Jira, Linear, Pagerduty, Slack, Webhook};
use tokio::time::timeout;
use tower::ServiceExt;

use crate::point::classify_vendor;
use crate::wire::{Answer, Call, Seam};

/// The client's patience.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The client's bound on an answer: 1 MiB.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// The vendors of one world.
#[derive(Debug, Clone)]
pub struct Vendors {
    /// Events v2.
    pub pagerduty: Pagerduty,
    /// Web API.
    pub slack: Slack,
    /// REST v3.
    pub jira: Jira,
    /// GraphQL.
    pub linear: Linear,
    /// Any system that takes JSON.
    pub webhook: Webhook,
}

impl Vendors {
    pub(crate) fn new() -> Self {
        Self {
            pagerduty: Pagerduty::unbound(),
            slack: Slack::unbound(),
            jira: Jira::unbound(),
            linear: Linear::unbound(),
            webhook: Webhook::unbound(),
        }
    }

    /// The origin of a receiver's vendor.
    pub(crate) fn url(&self, kind: ReceiverKind) -> String {
        match kind {
            ReceiverKind::Pagerduty => self.pagerduty.url(),
            ReceiverKind::Slack => self.slack.url(),
            ReceiverKind::Linear => self.linear.url(),
            ReceiverKind::Jira => self.jira.url(),
            _ => self.webhook.url(),
        }
    }

    fn router(&self, kind: ReceiverKind) -> Router {
        match kind {
            ReceiverKind::Pagerduty => self.pagerduty.router(),
            ReceiverKind::Slack => self.slack.router(),
            ReceiverKind::Jira => self.jira.router(),
            ReceiverKind::Linear => self.linear.router(),
            _ => self.webhook.router(),
        }
    }

    fn of(&self, url: &str) -> Result<(ReceiverKind, Router), SendError> {
        let kind = ReceiverKind::ALL.into_iter().find(|kind| url.starts_with(&self.url(*kind)));
        let kind = kind.ok_or_else(|| SendError::NotSent { why: "there is no such host".to_owned() })?;
        Ok((kind, self.router(kind)))
    }
}

/// One process's way to the vendors.
pub(crate) struct Sender {
    pub(crate) vendors: Vendors,
    pub(crate) seam: Arc<Seam>,
}

#[async_trait]
impl HttpSender for Sender {
    async fn send(&self, request: &Request) -> Result<Response, SendError> {
        let (kind, router) = self.vendors.of(&request.url)?;
        let (point, subject) = classify_vendor(kind, request);
        let sent = outgoing(request).map_err(|why| SendError::NotSent { why })?;
        let call = Call { point, subject, bytes: request.body.as_ref().map_or(0, |body| body.to_string().len()) };
        let clock = self.seam.wire.clock.clone();
        let effect = async move {
            stand_ins::set_time(Some(clock.now()));
            received(router, sent).await
        };
        let status = |answer: &Result<Response, String>| answer.as_ref().map_or(0, |answer| answer.status);
        let maybe = |why: &str| SendError::MaybeSent { why: why.to_owned() };
        match timeout(TIMEOUT, self.seam.call(call, effect, status)).await {
            Err(_) => Err(maybe("the vendor did not answer in time")),
            Ok(Answer::Came(answer)) => answer.map_err(|why| maybe(&why)),
            Ok(Answer::Half(answer)) => {
                let mut answer = answer.map_err(|why| maybe(&why))?;
                answer.body.truncate(answer.body.len() / 2);
                Ok(answer)
            }
            Ok(Answer::Refused { status, retry_after_secs }) => Ok(refusal(kind, status, retry_after_secs)),
            Ok(Answer::OkFalse(error)) => {
                Ok(Response { status: 200, retry_after_secs: None, body: not_ok(kind, error) })
            }
            Ok(Answer::Lost) => Err(maybe("the vendor closed the connection")),
            Ok(Answer::Unreachable) => Err(SendError::NotSent { why: "the vendor cannot be reached".to_owned() }),
        }
    }
}

fn outgoing(request: &Request) -> Result<http::Request<Body>, String> {
    let mut built = http::Request::builder().method(request.method.as_str()).uri(&request.url);
    for (name, value) in &request.headers {
        built = built.header(*name, value.expose_secret());
    }
    let body = request.body.as_ref().map(ToString::to_string);
    if body.is_some() {
        built = built.header("content-type", "application/json");
    }
    built.body(body.map_or_else(Body::empty, Body::from)).map_err(|error| error.to_string())
}

async fn received(router: Router, request: http::Request<Body>) -> Result<Response, String> {
    let Ok(answer) = router.oneshot(request).await;
    let (parts, body) = answer.into_parts();
    let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(|error| error.to_string())?;
    let retry_after_secs = parts.headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    Ok(Response { status: parts.status.as_u16(), retry_after_secs, body: body.to_bytes().to_vec() })
}

/// A refusal under 200, as Slack and GraphQL have it.
fn not_ok(kind: ReceiverKind, error: &str) -> Vec<u8> {
    let body = match kind {
        ReceiverKind::Linear => json!({
            "data": null,
            "errors": [{ "message": "injected", "extensions": { "type": error, "userPresentableMessage": "injected" } }],
        }),
        _ => json!({ "ok": false, "error": error }),
    };
    body.to_string().into_bytes()
}

/// A status as the vendor words it.
fn refusal(kind: ReceiverKind, status: u16, retry_after_secs: Option<u64>) -> Response {
    let body = match kind {
        ReceiverKind::Pagerduty => json!({ "status": "error", "message": "refused", "errors": ["injected"] }),
        ReceiverKind::Slack => json!({ "ok": false, "error": "ratelimited" }),
        // GraphQL's limit comes with 400, and a code.
        ReceiverKind::Linear if status == 429 => {
            let errors = json!([{ "message": "injected", "extensions": { "code": "RATELIMITED" } }]);
            let body = json!({ "errors": errors }).to_string().into_bytes();
            return Response { status: 400, retry_after_secs, body };
        }
        ReceiverKind::Linear => json!({ "errors": [{ "message": "injected", "extensions": { "type": "injected" } }] }),
        ReceiverKind::Jira => json!({ "errorMessages": ["injected"], "errors": {} }),
        _ => json!({ "error": "injected" }),
    };
    Response { status, retry_after_secs, body: body.to_string().into_bytes() }
}
