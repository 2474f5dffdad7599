//! What GitHub's refusals mean, in words.
//!
//! Invariant: the words are ours. GitHub's own text and the answer's content are not repeated.

use domain::Timestamp;
use http::{HeaderMap, StatusCode};
use octocrab::{Error, GitHubError};
use pipeline::ports::ReadError;

use crate::client::FetchError;

/// `repository` is `owner/name`.
pub(super) fn refusal(error: &Error, repository: &str) -> ReadError {
    let why = match error {
        Error::GitHub { source, .. } => refused(source, repository),
        Error::Json { source, .. } => {
            format!("GitHub's answer is not what was expected at {}", source.path())
        }
        Error::Service { source, .. } => match source.downcast_ref::<FetchError>() {
            Some(error) => format!("GitHub: {error}"),
            None => "GitHub: the connection to it has broken down".to_owned(),
        },
        _ => "GitHub: the request could not be made".to_owned(),
    };
    ReadError { why }
}

fn refused(error: &GitHubError, repository: &str) -> String {
    if let Some(why) = rate_limit(error) {
        return why;
    }
    match error.status_code {
        StatusCode::UNAUTHORIZED => "GitHub does not accept the token".to_owned(),
        StatusCode::FORBIDDEN => format!("the token may not read this of {repository} at GitHub"),
        StatusCode::NOT_FOUND => format!("GitHub has no repository {repository}, or the token may not see it"),
        moved if moved.is_redirection() => {
            format!("GitHub has moved the repository {repository}: write its new name in config")
        }
        other => format!("GitHub answered {}", other.as_u16()),
    }
}

/// A used-up quota answers 403 or 429 with `x-ratelimit-remaining: 0`; a secondary limit answers either with
/// `retry-after`, or with its name alone.
/// <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>
fn rate_limit(error: &GitHubError) -> Option<String> {
    let forbidden = error.status_code == StatusCode::FORBIDDEN;
    if !forbidden && error.status_code != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    let number = |name| error.headers.as_ref().and_then(|headers| header_number(headers, name));
    if number("x-ratelimit-remaining") == Some(0) {
        let reset = error.rate_limit_reset.and_then(|secs| i64::try_from(secs).ok());
        return Some(match reset.and_then(|secs| Timestamp::from_second(secs).ok()) {
            Some(at) => format!("GitHub's rate limit is used up until {at}"),
            None => "GitHub's rate limit is used up".to_owned(),
        });
    }
    if let Some(secs) = number("retry-after") {
        return Some(format!("GitHub was asked too often and wants a pause of {secs} s"));
    }
    let limited = !forbidden || error.message.to_ascii_lowercase().contains("rate limit");
    limited.then(|| "GitHub was asked too often".to_owned())
}

fn header_number(headers: &HeaderMap, name: &str) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}
