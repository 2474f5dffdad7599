//! What an HTTP status means, the same for every vendor.
//!
//! Invariant: a 5xx to a request that must not happen twice is `Unknown`, never `Retry`; words taken from a vendor's
//! answer are one bounded line without a secret of ours, and a name that it gave us is short and nothing but a name.

use domain::Outcome;

use crate::Response;
use crate::request::HIDDEN;
use crate::text::{cut, one_line};

/// Longest reason kept of a vendor's answer, in UTF-16 units.
const WHY_UNITS_MAX: usize = 300;

/// Longest name that a vendor gives to what it made, in bytes: a key, a `ts`, an id. It is kept with the delivery.
const NAME_BYTES_MAX: usize = 255;

/// Whether a request may happen twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twice {
    /// The vendor's own key, or the nature of the request, makes a second one harmless.
    Harmless,
    /// A second one would be seen.
    Seen,
}

/// The meaning of a status that is no success; `None` for a 2xx. `said` is what the vendor gave as its reason.
pub(crate) fn of_failure(vendor: &str, response: &Response, twice: Twice, said: Option<&str>) -> Option<Outcome> {
    let status = response.status;
    let why = match said {
        Some(said) => reason(&format!("{vendor} answered {status}: {said}")),
        None => format!("{vendor} answered {status}"),
    };
    let retry = |why| Some(Outcome::Retry { after_secs: response.retry_after_secs, why });
    match status {
        200..=299 => None,
        408 | 500.. if twice == Twice::Seen => Some(Outcome::Unknown { why }),
        408 | 425 | 429 | 500.. => retry(why),
        _ => Some(Outcome::Rejected { why }),
    }
}

/// The meaning of a success whose body cannot be read.
pub(crate) fn unreadable(vendor: &str, response: &Response, twice: Twice) -> Outcome {
    let why = format!("{vendor} answered {} with a body that cannot be read", response.status);
    match twice {
        Twice::Harmless => Outcome::Retry { after_secs: None, why },
        Twice::Seen => Outcome::Unknown { why },
    }
}

/// A vendor's words as one bounded line.
pub(crate) fn reason(words: &str) -> String {
    cut(&one_line(words), WHY_UNITS_MAX)
}

/// A vendor's words without our secrets, which some repeat. Before anything is cut: a part of a secret is one, too.
pub(crate) fn without(secrets: &[&str], words: &str) -> String {
    let given = secrets.iter().filter(|secret| !secret.is_empty());
    given.fold(words.to_owned(), |words, secret| words.replace(secret, HIDDEN))
}

/// True for what may name a message or a ticket: letters, digits, `_`, `-` and `.`, and no step to another folder.
pub(crate) fn is_name(text: &str) -> bool {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    plain && text.len() <= NAME_BYTES_MAX && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}
