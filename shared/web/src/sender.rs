//! Sends what a receiver wants sent.
//!
//! Invariant: one call is at most one request, and an error says whether the vendor can have taken it. Only what surely
//! never left is `NotSent`; a lost or broken answer is `MaybeSent`, also when its status line had arrived.

use async_trait::async_trait;
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use pipeline::ports::{HttpSender, SendError};
use receivers::{Request, Response};
use secrecy::ExposeSecret;
use url::Url;

use crate::client::{BODY_BYTES_MAX, Client, FetchError};

/// Bytes of a vendor's answer; a look-up reads a hundred messages of a channel, whoever wrote them.
const ANSWER_BYTES_MAX: usize = 4 * BODY_BYTES_MAX;

/// The way to the vendors over HTTP.
#[derive(Debug, Clone)]
pub struct Sender {
    client: Client,
}

impl Sender {
    /// Sends with this client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    fn build(&self, request: &Request) -> Result<reqwest::RequestBuilder, FetchError> {
        let url =
            Url::parse(&request.url).map_err(|why| FetchError::NotSent(format!("the address is unusable: {why}")))?;
        let method = match request.method {
            receivers::Method::Get => Method::GET,
            receivers::Method::Post => Method::POST,
            receivers::Method::Put => Method::PUT,
            receivers::Method::Patch => Method::PATCH,
        };
        let mut headers = headers(request)?;
        let mut builder = self.client.request(method, url);
        if let Some(body) = &request.body {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
            builder = builder.body(body.to_string());
        }
        Ok(builder.headers(headers))
    }
}

#[async_trait]
impl HttpSender for Sender {
    async fn send(&self, request: &Request) -> Result<Response, SendError> {
        let builder = self.build(request).map_err(send_error)?;
        let answer = self.client.fetch(builder, ANSWER_BYTES_MAX).await.map_err(send_error)?;
        Ok(Response {
            status: answer.status.as_u16(),
            retry_after_secs: retry_after_secs(&answer.headers),
            body: answer.body,
        })
    }
}

fn send_error(error: FetchError) -> SendError {
    match error {
        FetchError::NotSent(why) => SendError::NotSent { why },
        FetchError::MaybeSent(why) => SendError::MaybeSent { why },
    }
}

fn headers(request: &Request) -> Result<HeaderMap, FetchError> {
    let unusable = |name: &str| FetchError::NotSent(format!("the header {name} holds what no header may hold"));
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let header = HeaderName::try_from(*name).map_err(|_| unusable(name))?;
        let mut value = HeaderValue::from_str(value.expose_secret()).map_err(|_| unusable(name))?;
        value.set_sensitive(true);
        headers.append(header, value);
    }
    Ok(headers)
}

/// `Retry-After` as seconds (RFC 9110, section 10.2.3). A date counts from the answer's own `Date`, so that no clock of
/// ours has to agree with the vendor's; without a `Date` it says nothing.
fn retry_after_secs(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(secs) = text.parse() {
        return Some(secs);
    }
    let until = http_date(text)?;
    let from = http_date(headers.get(DATE)?.to_str().ok()?)?;
    Some(u64::try_from(until.as_second() - from.as_second()).unwrap_or(0))
}

fn http_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_retry_after(retry_after: &str, date: Option<&str>, expected: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(retry_after).unwrap());
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_str(date).unwrap());
        }
        assert_eq!(retry_after_secs(&headers), expected, "{retry_after}");
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let date = Some("Fri, 20 Nov 2026 10:00:00 GMT");
        check_retry_after("30", None, Some(30));
        check_retry_after(" 0 ", None, Some(0));
        check_retry_after("Fri, 20 Nov 2026 10:02:00 GMT", date, Some(120));
        check_retry_after("Fri, 20 Nov 2026 09:59:00 GMT", date, Some(0));
        check_retry_after("Fri, 20 Nov 2026 10:02:00 GMT", None, None);
        check_retry_after("Fri, 20 Nov 2026 10:02:00 GMT", Some("now"), None);
        for unreadable in ["", "-5", "1.5", "soon", "99999999999999999999999"] {
            check_retry_after(unreadable, date, None);
        }
        assert_eq!(retry_after_secs(&HeaderMap::new()), None);
    }
}
