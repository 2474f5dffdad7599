//! Numbers that JSON cannot hold: Python's `NaN`, `Infinity` and `-Infinity`, and what overflows, as `1e999`.
//!
//! Invariant: only such numbers change, outside of strings, and each becomes `null`.

use serde::de::IgnoredAny;

/// The text with `null` for every number that is not finite; `None` when there is none.
pub(crate) fn nulled(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let (mut token, mut found, mut quoted, mut escaped) = (String::new(), false, false, false);
    for c in text.chars() {
        if !quoted && is_token(c) {
            token.push(c);
            continue;
        }
        found |= settle(&mut token, &mut out);
        (quoted, escaped) = match c {
            '"' if !escaped => (!quoted, false),
            '\\' => (quoted, quoted && !escaped),
            _ => (quoted, false),
        };
        out.push(c);
    }
    found |= settle(&mut token, &mut out);
    found.then_some(out)
}

/// What a JSON number or word is made of.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')
}

/// Writes the token, or `null` for it; true if `null`.
fn settle(token: &mut String, out: &mut String) -> bool {
    let null = is_non_finite(token);
    out.push_str(if null { "null" } else { token });
    token.clear();
    null
}

fn is_non_finite(token: &str) -> bool {
    let numeric = token.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    let overflows = || serde_json::from_str::<IgnoredAny>(token).is_ok() && serde_json::from_str::<f64>(token).is_err();
    matches!(token, "NaN" | "Infinity" | "-Infinity") || (numeric && overflows())
}
