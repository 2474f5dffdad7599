//! The one HTTP client that every adapter shares.
//!
//! Invariant: one request is one attempt on one host. No redirect is followed, no request is repeated, no body beyond
//! its limit is held, and a failure says whether the request can have arrived.

use std::error::Error;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response, retry};
use thiserror::Error;
use url::Url;

/// A larger answer is an error: 1 MiB.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;

/// How long a request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until the connection stands, TLS included.
    pub connect: Duration,
    /// From the first step to the last byte of the answer.
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(2), total: Duration::from_secs(10) }
    }
}

/// The client cannot be set up: the machine's certificates or proxy settings cannot be used.
#[derive(Debug, Error)]
#[error("the HTTP client cannot be set up: {why}")]
pub struct ClientError {
    why: String,
}

/// Why a request brought no usable answer. Its texts name the host, never the path, the query or a body.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum FetchError {
    /// Nothing of the request has left this machine.
    #[error("{0}")]
    NotSent(String),
    /// The request may have been read and acted on.
    #[error("{0}")]
    MaybeSent(String),
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// The client. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    inner: reqwest::Client,
    timeouts: Timeouts,
}

impl Client {
    /// A client that waits 2 s for a connection and 10 s for an answer.
    ///
    /// # Errors
    /// [`ClientError`] when the machine's certificates cannot be read.
    pub fn new() -> Result<Self, ClientError> {
        Self::with_timeouts(Timeouts::default())
    }

    /// A client that waits as long as it is told. Proxies come from the environment (`HTTPS_PROXY` and its kin).
    ///
    /// # Errors
    /// [`ClientError`] when the machine's certificates cannot be read.
    pub fn with_timeouts(timeouts: Timeouts) -> Result<Self, ClientError> {
        install_crypto();
        let inner = reqwest::Client::builder()
            .user_agent(concat!("tocsin/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .retry(retry::never())
            .connect_timeout(timeouts.connect)
            .timeout(timeouts.total)
            .build()
            .map_err(|error| ClientError { why: root_cause(&error) })?;
        Ok(Self { inner, timeouts })
    }

    pub(crate) fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.inner.request(method, url)
    }

    /// Sends once and reads the whole answer, of at most `body_bytes_max` bytes, whatever its status.
    pub(crate) async fn fetch(&self, request: RequestBuilder, body_bytes_max: usize) -> Result<Answer, FetchError> {
        let request = request.build().map_err(|error| FetchError::NotSent(unsendable(&error)))?;
        let host = host(request.url());
        let response = self.inner.execute(request).await.map_err(|error| unanswered(&host, &error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let cut_short = |why| FetchError::MaybeSent(format!("{host} answered {}, but its body {why}", status.as_u16()));
        let body = read_body(response, body_bytes_max).await.map_err(cut_short)?;
        Ok(Answer { status, headers, body })
    }
}

async fn read_body(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, String> {
    let too_large = || format!("is larger than {bytes_max} bytes");
    if response.content_length().is_some_and(|length| usize::try_from(length).is_ok_and(|l| l > bytes_max)) {
        return Err(too_large());
    }
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if chunk.len() > bytes_max.saturating_sub(body.len()) => return Err(too_large()),
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) if error.is_timeout() => return Err("did not come in time".to_owned()),
            Err(error) => return Err(format!("broke off: {}", root_cause(&error))),
        }
    }
}

fn unsendable(error: &reqwest::Error) -> String {
    format!("the request cannot be built: {}", root_cause(error))
}

fn unanswered(host: &str, error: &reqwest::Error) -> FetchError {
    let why = root_cause(error);
    if error.is_builder() {
        FetchError::NotSent(unsendable(error))
    } else if error.is_connect() {
        FetchError::NotSent(format!("{host} cannot be reached: {why}"))
    } else if error.is_timeout() {
        FetchError::MaybeSent(format!("{host} did not answer in time"))
    } else {
        FetchError::MaybeSent(format!("{host} gave no answer: {why}"))
    }
}

/// Host and port. Path, query and credentials of an address may be secret.
pub(crate) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or("the host");
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The innermost cause alone: the outer layers' texts hold the address.
fn root_cause(error: &reqwest::Error) -> String {
    let Some(mut cause) = error.source() else {
        return "an unknown cause".to_owned();
    };
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// Gives the process its cryptography for TLS; every client made here does so by itself.
pub fn install_crypto() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Lost only to another thread that installs the same one.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
}
