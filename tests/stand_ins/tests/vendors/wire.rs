//! A small HTTP client.
//!
//! Invariant: no proxy, no retry, no redirect: one call is one request.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, RequestBuilder, Url};
use serde_json::Value;

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

pub(crate) fn install_crypto() {
    // Several tests of one process install it; only the first can, and all of them want the same.
    let _unused = rustls::crypto::ring::default_provider().install_default();
}

pub(crate) fn client() -> Client {
    install_crypto();
    Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap()
}

/// An address with its query encoded.
pub(crate) fn address(base: &str, path: &str, query: &[(&str, &str)]) -> Url {
    let mut url = Url::parse(base).unwrap().join(path).unwrap();
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    url
}

/// A body as a browser's form sends it.
pub(crate) fn with_form(request: RequestBuilder, fields: &[(&str, &str)]) -> RequestBuilder {
    let encoded = Url::parse_with_params("http://form", fields).unwrap().query().unwrap_or_default().to_owned();
    request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(encoded)
}

/// Sends it; a body that is no JSON is given as text.
pub(crate) async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Answer { status, headers, body }
}
