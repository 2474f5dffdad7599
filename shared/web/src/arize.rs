//! Reads monitors from Arize AX: for what a webhook lacked, and for webhooks that never came.
//!
//! Invariant: a missing monitor is no error, a missing field is no value, and a link is one that a browser may open. A
//! list is whole or an error: a page that is missing could hide a monitor that fires.

use async_trait::async_trait;
use domain::{Link, Status, Timestamp};
use http::{Method, StatusCode};
use pipeline::ports::{MonitorFacts, MonitorReader, MonitorState, ReadError};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::client::{BODY_BYTES_MAX, Client};
use crate::endpoint::{Endpoint, EndpointError};
use crate::excerpt::shown_url;

/// Monitors of one page; Arize gives at most 100.
const PAGE_LIMIT: &str = "100";

/// Pages that are read, at most.
const PAGES_MAX: usize = 20;

/// Longest page that is read: 4 MB.
const PAGE_BYTES_MAX: usize = 4 * BODY_BYTES_MAX;

const DAY_SECS: i64 = 86_400;

/// <https://arize.com/docs/api-reference/monitors/list-monitors>
#[derive(Deserialize)]
struct Page {
    monitors: Vec<Value>,
    pagination: Pagination,
}

#[derive(Deserialize)]
struct Pagination {
    has_more: bool,
    #[serde(default)]
    next_cursor: Option<String>,
}

/// Arize AX's REST API: `GET {base}/monitors` and `GET {base}/monitors/{id}`.
#[derive(Debug, Clone)]
pub struct Arize {
    endpoint: Endpoint,
    /// Where people open what the API names by path alone.
    pages: Url,
}

impl Arize {
    /// `base_url` holds the version (`https://api.arize.com/v2`).
    ///
    /// # Errors
    /// [`EndpointError`] when the address or the key cannot be used.
    pub fn new(client: &Client, base_url: &str, key: &SecretString) -> Result<Self, EndpointError> {
        let endpoint = Endpoint::new("Arize", client, base_url, Some(key))?;
        let pages = pages_of(endpoint.base());
        Ok(Self { endpoint, pages })
    }

    async fn object(&self, id: &str) -> Result<Option<Value>, ReadError> {
        // Such a segment would vanish from the address, and the list of all monitors would answer.
        if matches!(id, "" | "." | "..") {
            return Ok(None);
        }
        let request = self.endpoint.request(Method::GET, self.endpoint.url(&["monitors", id]));
        let answer = self.endpoint.fetch(request, BODY_BYTES_MAX).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => {
                serde_json::from_slice(&answer.body).map(Some).map_err(|e| self.endpoint.unreadable(&e))
            }
            status => Err(self.endpoint.refusal(status)),
        }
    }

    /// A page of the monitors that fire, and the cursor of the next one.
    async fn page(&self, cursor: Option<&str>) -> Result<Page, ReadError> {
        let mut url = self.endpoint.url(&["monitors"]);
        url.query_pairs_mut().append_pair("status", "TRIGGERED").append_pair("limit", PAGE_LIMIT);
        if let Some(cursor) = cursor {
            url.query_pairs_mut().append_pair("cursor", cursor);
        }
        let answer = self.endpoint.fetch(self.endpoint.request(Method::GET, url), PAGE_BYTES_MAX).await?;
        if !answer.status.is_success() {
            return Err(self.endpoint.refusal(answer.status));
        }
        serde_json::from_slice(&answer.body).map_err(|e| self.endpoint.unreadable(&e))
    }

    /// `uri`, `latest_computed_value` and `threshold.value` of the Monitor object.
    fn facts(&self, monitor: &Value) -> MonitorFacts {
        let number = |pointer| monitor.pointer(pointer).and_then(Value::as_f64);
        let uri = monitor.get("uri").and_then(Value::as_str).filter(|uri| !uri.is_empty());
        let href = uri.and_then(|uri| self.pages.join(uri).ok()).and_then(shown_url);
        MonitorFacts {
            value: number("/latest_computed_value"),
            threshold: number("/threshold/value"),
            link: href.map(|href| Link { text: "Arize monitor".to_owned(), href }),
        }
    }
}

#[async_trait]
impl MonitorReader for Arize {
    async fn monitor(&self, id: &str) -> Result<Option<MonitorFacts>, ReadError> {
        Ok(self.object(id).await?.map(|monitor| self.facts(&monitor)))
    }

    async fn state(&self, id: &str) -> Result<Option<MonitorState>, ReadError> {
        Ok(self.object(id).await?.as_ref().and_then(state))
    }

    async fn triggered(&self, webhook: &str, now: Timestamp) -> Result<Vec<MonitorState>, ReadError> {
        let mut triggered = Vec::new();
        let mut cursor = None;
        for _ in 0..PAGES_MAX {
            let page = self.page(cursor.as_deref()).await?;
            let ours = |monitor: &&Value| notifies(monitor, webhook) && !is_in_downtime(monitor, now);
            let states = page.monitors.iter().filter(ours).filter_map(state);
            triggered.extend(states.filter(|state| state.status == Some(Status::Firing)));
            match page.pagination {
                Pagination { has_more: true, next_cursor: Some(next) } => cursor = Some(next),
                Pagination { has_more: true, .. } => return Err(self.endpoint.error("a page names no next one")),
                Pagination { .. } => return Ok(triggered),
            }
        }
        Err(self.endpoint.error(format_args!("more than {PAGES_MAX} pages of monitors fire")))
    }
}

/// The monitor in the shape of its webhook. One without an id cannot be told from another.
fn state(monitor: &Value) -> Option<MonitorState> {
    let id = monitor.get("id")?.as_str()?.to_owned();
    let (status, event) = match monitor.get("status").and_then(Value::as_str) {
        Some("TRIGGERED") => (Some(Status::Firing), "monitor.triggered"),
        Some("CLEARED") => (Some(Status::Cleared), "monitor.cleared"),
        _ => (None, "monitor.no_data"),
    };
    Some(MonitorState { id, status, body: json!({ "event": event, "monitor": monitor }).to_string().into_bytes() })
}

/// Whether the monitor notifies that webhook.
fn notifies(monitor: &Value, webhook: &str) -> bool {
    let channels = monitor.get("notification_configs").and_then(Value::as_array);
    let ours = |channel: &Value| {
        let url = channel.get("url").and_then(Value::as_str).map(|url| url.trim_end_matches('/'));
        channel.get("type").and_then(Value::as_str) == Some("WEBHOOK") && url == Some(webhook)
    };
    let enabled = monitor.get("notifications_enabled").and_then(Value::as_bool) != Some(false);
    enabled && channels.is_some_and(|channels| channels.iter().any(ours))
}

/// Whether the monitor is muted at this time: `start`, then `duration_seconds`, every `frequency_days`.
fn is_in_downtime(monitor: &Value, now: Timestamp) -> bool {
    let Some(downtime) = monitor.get("downtime") else { return false };
    let whole = |name| downtime.get(name).and_then(Value::as_i64).unwrap_or(0);
    let start = downtime.get("start").and_then(Value::as_str).and_then(|text| text.parse::<Timestamp>().ok());
    let Some(since) = start.map(|start| now.as_second() - start.as_second()).filter(|since| *since >= 0) else {
        return false;
    };
    let every_secs = whole("frequency_days").saturating_mul(DAY_SECS);
    let into = if every_secs > 0 { since.rem_euclid(every_secs) } else { since };
    into < whole("duration_seconds")
}

/// The web pages beside an API: `api.` becomes `app.`, as in `app.arize.com`; any other host serves its own.
fn pages_of(base: &Url) -> Url {
    let mut pages = base.clone();
    pages.set_path("/");
    if let Some(rest) = base.host_str().and_then(|host| host.strip_prefix("api.")) {
        // Refused only for hosts that no URL could hold; then the API's own host stands.
        let _ = pages.set_host(Some(&format!("app.{rest}")));
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_pages(base: &str, pages: &str) {
        assert_eq!(pages_of(&Url::parse(base).unwrap()).as_str(), pages);
    }

    #[test]
    fn pages_stand_beside_the_api() {
        check_pages("https://api.arize.com/v2", "https://app.arize.com/");
        check_pages("https://api.eu.arize.com/v2/", "https://app.eu.arize.com/");
        check_pages("https://arize.acme.example:8443/api/v2", "https://arize.acme.example:8443/");
        check_pages("http://127.0.0.1:9000", "http://127.0.0.1:9000/");
    }
}
