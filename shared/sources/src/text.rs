//! Free text, made safe to store and show.
//!
//! Invariant: at most [`TEXT_CHARS_MAX`] characters, none of which moves the cursor or turns the reading direction.

use serde_json::Value;

/// Characters in a field or a label; longer text ends in an ellipsis.
pub const TEXT_CHARS_MAX: usize = 256;

/// The text of a scalar; `None` for null, lists, objects and text that is empty.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => clean(text),
        Value::Number(number) => clean(&number.to_string()),
        Value::Bool(word) => word.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// The text with spaces for what is disruptive, without white space around it, cut at its bound.
pub(crate) fn clean(raw: &str) -> String {
    let spaced: String = raw.chars().map(|c| if is_disruptive(c) { ' ' } else { c }).collect();
    let text = spaced.trim();
    if text.chars().count() <= TEXT_CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(TEXT_CHARS_MAX - 1).chain(['…']).collect()
}

/// Control characters, line and paragraph separators, and the marks that turn the reading direction (UAX 9).
pub(crate) fn is_disruptive(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
