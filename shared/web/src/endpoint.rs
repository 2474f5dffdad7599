//! A vendor's API: base address, token, and the words for its refusals.
//!
//! Invariant: a path is built from percent-encoded segments under the base address that config gave, so that the token
//! goes there and nowhere else.

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use pipeline::ports::ReadError;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;
use url::Url;

use crate::client::{Answer, Client, host};

/// An API cannot be used as configured. Neither the address nor the token is repeated: both may be secret.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The base address is none.
    #[error("the address of {whose} cannot be used: {why}")]
    Address {
        /// The vendor.
        whose: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The token cannot stand in a header.
    #[error("the token for {whose} is empty or holds spaces, line breaks or other characters that no token has")]
    Token {
        /// The vendor.
        whose: &'static str,
    },
    /// There is no runtime to work on.
    #[error("{whose} can only be set up inside a tokio runtime")]
    NoRuntime {
        /// The vendor.
        whose: &'static str,
    },
}

#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    whose: &'static str,
    client: Client,
    base: Url,
    credentials: Vec<(HeaderName, HeaderValue)>,
}

impl Endpoint {
    /// Checks address and token; nothing is sent. A path in the base address is kept.
    pub(crate) fn new(
        whose: &'static str,
        client: &Client,
        base_url: &str,
        token: Option<&SecretString>,
    ) -> Result<Self, EndpointError> {
        let bearer = |token: &SecretString| Some((AUTHORIZATION, header("Bearer ", token)?));
        let credentials = token.map(|token| bearer(token).ok_or(EndpointError::Token { whose })).transpose()?;
        Self::with_credentials(whose, client, base_url, credentials.into_iter().collect())
    }

    /// The same for a vendor that takes its keys in headers of their own.
    pub(crate) fn with_keys(
        whose: &'static str,
        client: &Client,
        base_url: &str,
        keys: &[(HeaderName, &SecretString)],
    ) -> Result<Self, EndpointError> {
        let key = |(name, key): &(HeaderName, &SecretString)| Some((name.clone(), header("", key)?));
        let credentials: Option<_> = keys.iter().map(key).collect();
        Self::with_credentials(whose, client, base_url, credentials.ok_or(EndpointError::Token { whose })?)
    }

    fn with_credentials(
        whose: &'static str,
        client: &Client,
        base_url: &str,
        credentials: Vec<(HeaderName, HeaderValue)>,
    ) -> Result<Self, EndpointError> {
        let base = parse_base(base_url).map_err(|why| EndpointError::Address { whose, why })?;
        Ok(Self { whose, client: client.clone(), base, credentials })
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// The address under the base; each segment is percent-encoded. Not for `.` and `..`, which would vanish.
    pub(crate) fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    /// A request with the token or the keys in its headers.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        let request = self.client.request(method, url);
        self.credentials.iter().fold(request, |request, (name, value)| request.header(name, value.clone()))
    }

    pub(crate) async fn fetch(&self, request: RequestBuilder, body_bytes_max: usize) -> Result<Answer, ReadError> {
        self.client.fetch(request, body_bytes_max).await.map_err(|error| self.error(error))
    }

    /// A reason for people, after the vendor's name.
    pub(crate) fn error(&self, why: impl std::fmt::Display) -> ReadError {
        ReadError { why: format!("{}: {why}", self.whose) }
    }

    /// What a status means that brought no answer.
    pub(crate) fn refusal(&self, status: StatusCode) -> ReadError {
        let whose = self.whose;
        let why = match status {
            StatusCode::UNAUTHORIZED if self.credentials.is_empty() => format!("{whose} asks for a token"),
            StatusCode::UNAUTHORIZED => format!("{whose} does not accept the token"),
            StatusCode::FORBIDDEN => format!("the token may not read this at {whose}"),
            StatusCode::NOT_FOUND => format!("{whose} has nothing at this address: check its base address in config"),
            StatusCode::TOO_MANY_REQUESTS => format!("{whose} was asked too often"),
            moved if moved.is_redirection() => {
                format!(
                    "{whose} answered {} and redirects are not followed: write its new address in config",
                    moved.as_u16()
                )
            }
            other => format!("{whose} answered {}", other.as_u16()),
        };
        ReadError { why }
    }

    /// For an answer that does not read as JSON of the expected shape. Only the place is told: the content is a body.
    pub(crate) fn unreadable(&self, error: &serde_json::Error) -> ReadError {
        let host = host(&self.base);
        self.error(format_args!(
            "the answer of {host} is not what was expected at line {}, column {}",
            error.line(),
            error.column()
        ))
    }
}

fn parse_base(text: &str) -> Result<Url, String> {
    let base = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(base.scheme(), "http" | "https") {
        return Err("it must begin with https:// or http://".to_owned());
    }
    if !base.username().is_empty() || base.password().is_some() {
        return Err("it must hold no user name and no password; give the token instead".to_owned());
    }
    if base.query().is_some() || base.fragment().is_some() {
        return Err("it must end with its path, without ? or #".to_owned());
    }
    Ok(base)
}

fn header(before: &str, token: &SecretString) -> Option<HeaderValue> {
    let token = token.expose_secret();
    if token.is_empty() || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return None;
    }
    let mut value = HeaderValue::from_str(&format!("{before}{token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(base: &str, token: Option<&str>) -> Result<Endpoint, EndpointError> {
        let token = token.map(SecretString::from);
        Endpoint::new("Arize", &Client::new().unwrap(), base, token.as_ref())
    }

    #[track_caller]
    fn check_refused(base: &str, token: Option<&str>, mention: &str) {
        let error = endpoint(base, token).unwrap_err().to_string();
        assert!(error.contains(mention), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn unusable_addresses_and_tokens_are_refused_without_repeating_them() {
        check_refused("", None, "relative URL");
        check_refused("api.arize.com", None, "relative URL");
        check_refused("ftp://api.arize.com", None, "https://");
        check_refused("https://me:hunter2@api.arize.com", None, "user name");
        check_refused("https://hunter2@api.arize.com", None, "user name");
        check_refused("https://api.arize.com/?key=hunter2", None, "without ?");
        check_refused("https://api.arize.com/v2", Some(""), "token");
        check_refused("https://api.arize.com/v2", Some("hunter2\n"), "token");
        check_refused("https://api.arize.com/v2", Some("hunter2 ä"), "token");
    }

    #[test]
    fn segments_stand_under_the_base_and_stay_segments() {
        for base in ["https://api.arize.com/v2", "https://api.arize.com/v2/"] {
            let url = endpoint(base, None).unwrap().url(&["monitors", "a/../b?c#d e"]);
            assert_eq!(url.as_str(), "https://api.arize.com/v2/monitors/a%2F..%2Fb%3Fc%23d%20e");
        }
        let url = endpoint("http://127.0.0.1:9090", None).unwrap().url(&["api", "v1"]);
        assert_eq!(url.as_str(), "http://127.0.0.1:9090/api/v1");
    }

    #[test]
    fn a_token_does_not_show_in_debug() {
        let shown = format!("{:?}", endpoint("https://api.arize.com/v2", Some("hunter2")).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
