//! octocrab's requests over our own client.
//!
//! Invariant: octocrab's own client would follow redirects and hold bodies of any size; over ours it does neither, and
//! each request goes to the configured base address with the configured token.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_LENGTH};
use http::{HeaderValue, Request, Response};
use octocrab::OctoBody;
use tower::Service;
use url::Url;

use crate::client::FetchError;
use crate::endpoint::Endpoint;

/// A comparison holds up to 250 commits and 300 files with their patches: 8 MiB.
const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A fact that comes later than this comes too late for a message.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Reads only: a request's body is not sent.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    endpoint: Endpoint,
}

impl Transport {
    pub(super) fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    async fn read(self, request: Request<OctoBody>) -> Result<Response<reqwest::Body>, FetchError> {
        let (mut parts, _) = request.into_parts();
        parts.headers.remove(CONTENT_LENGTH);
        parts.headers.insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
        let unusable = |_| FetchError::NotSent("the address is unusable".to_owned());
        let base = self.endpoint.base().as_str().trim_end_matches('/');
        let url = Url::parse(&format!("{base}{}", parts.uri)).map_err(unusable)?;
        let timeout = ANSWER_TIMEOUT.min(self.endpoint.client().timeouts().total);
        let request = self.endpoint.request(parts.method, url).headers(parts.headers).timeout(timeout);
        let answer = self.endpoint.client().fetch(request, BODY_BYTES_MAX).await?;
        let mut response = Response::new(reqwest::Body::from(answer.body));
        *response.status_mut() = answer.status;
        *response.headers_mut() = answer.headers;
        Ok(response)
    }
}

impl Service<Request<OctoBody>> for Transport {
    type Response = Response<reqwest::Body>;
    type Error = FetchError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, FetchError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), FetchError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<OctoBody>) -> Self::Future {
        Box::pin(self.clone().read(request))
    }
}
