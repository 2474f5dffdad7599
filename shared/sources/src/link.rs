//! Links inside alerts: shown, never fetched.
//!
//! Invariant: only web addresses pass, and none that could break out of a message or show one host and mean another.

use serde_json::Value;

use crate::text::is_disruptive;

/// Characters in a link; a longer one is dropped, since half a link leads nowhere.
pub const LINK_CHARS_MAX: usize = 2000;

/// Links on one alert.
pub const LINKS_MAX: usize = 8;

/// The web addresses that a value holds: one text, or a list of them.
pub(crate) fn addresses(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => address(text).into_iter().collect(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).filter_map(address).take(LINKS_MAX).collect(),
        _ => Vec::new(),
    }
}

/// The address, with those characters encoded that markup gives a meaning; `None` when it is none to be shown.
pub(crate) fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let (scheme, rest) = text.split_once("://")?;
    let web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let misleads = host.is_empty() || host.contains(['@', '\\']);
    if !web || misleads || text.chars().any(|c| c.is_whitespace() || is_disruptive(c)) {
        return None;
    }
    let encoded: String = text.chars().map(encode).collect();
    (encoded.chars().count() <= LINK_CHARS_MAX).then_some(encoded)
}

fn encode(c: char) -> String {
    match c {
        '<' | '>' | '"' | '|' | '`' | '\\' => format!("%{:02X}", u32::from(c)),
        other => other.to_string(),
    }
}
