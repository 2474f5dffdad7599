//! What several sections read alike: names, links, severities.
//!
//! Invariant: a name fits a URL's path, a queue message and a table key as it is.

use domain::{Link, Severity};

use crate::address;
use crate::mistake::choose;
use crate::reader::{Value, all};

/// Characters of a name, at most.
const NAME_CHARS_MAX: usize = 64;

/// Severities from least to most severe.
const SEVERITIES: [Severity; 4] = [Severity::Info, Severity::Warning, Severity::Error, Severity::Critical];

/// True for 1 to 64 letters, digits, `-` and `_`.
pub(crate) fn is_name(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=NAME_CHARS_MAX).contains(&text.len()) && text.bytes().all(fits)
}

/// Reports a name that is none.
pub(crate) fn check_name(value: &Value<'_>, name: &str) -> Option<()> {
    if is_name(name) {
        return Some(());
    }
    value.fail("this name cannot be used", format!("use 1 to {NAME_CHARS_MAX} letters, digits, - and _"))
}

/// Links that are shown.
pub(crate) fn links(value: &Value<'_>) -> Option<Vec<Link>> {
    all(value.items()?.iter().map(link))
}

fn link(value: &Value<'_>) -> Option<Link> {
    let fields = value.fields(&["text", "href"])?;
    let text = fields.required("text", Value::text);
    let href = fields.required("href", address::link);
    Some(Link { text: text?, href: href? })
}

/// One of the four severities.
pub(crate) fn severity(value: &Value<'_>) -> Option<Severity> {
    severity_word(value, &value.text()?)
}

/// As [`severity`], for a word that stands elsewhere.
pub(crate) fn severity_word(value: &Value<'_>, word: &str) -> Option<Severity> {
    let found = SEVERITIES.into_iter().find(|severity| severity.as_str() == word);
    found.or_else(|| value.fail(format!("`{word}` is no severity"), choose(word, &SEVERITIES.map(Severity::as_str))))
}
