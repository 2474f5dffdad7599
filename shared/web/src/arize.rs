//! Reads a monitor from Arize AX for what its webhook lacked.
//!
//! Invariant: a missing monitor is no error, a missing field is no value, and a link is one that a browser may open.

use async_trait::async_trait;
use domain::Link;
use http::{Method, StatusCode};
use pipeline::ports::{MonitorFacts, MonitorReader, ReadError};
use secrecy::SecretString;
use serde_json::Value;
use url::Url;

use crate::client::{BODY_BYTES_MAX, Client};
use crate::endpoint::{Endpoint, EndpointError};
use crate::excerpt::shown_url;

/// Arize AX's REST API: `GET {base}/monitors/{id}`.
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
        // Such a segment would vanish from the address, and the list of all monitors would answer.
        if matches!(id, "" | "." | "..") {
            return Ok(None);
        }
        let request = self.endpoint.request(Method::GET, self.endpoint.url(&["monitors", id]));
        let answer = self.endpoint.fetch(request, BODY_BYTES_MAX).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(None),
            status if status.is_success() => {
                let monitor = serde_json::from_slice(&answer.body).map_err(|e| self.endpoint.unreadable(&e))?;
                Ok(Some(self.facts(&monitor)))
            }
            status => Err(self.endpoint.refusal(status)),
        }
    }
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
