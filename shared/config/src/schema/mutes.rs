//! The forms of `match:`, `time_intervals:`, `silences:`, `maintenance:` and `inhibit:`.
//!
//! Invariant: a match has one form, whatever it is for.

use serde_json::{Value, json};

use super::types::{list, map, object, one_of, one_or_more, required, text};

/// Label to what it must be.
pub(super) fn matchers() -> Value {
    let value = || one_or_more(text());
    let inner = operator(None);
    map(one_of(&[value(), operator(Some(one_of(&[value(), inner])))]))
}

/// `{ glob: … }`, `{ regex: … }`, `{ at_least: … }` or `{ not: … }`.
fn operator(negated: Option<Value>) -> Value {
    let not = negated.unwrap_or_else(|| one_or_more(text()));
    let mut operator = object(&[
        ("glob", text(), "* is any text, ? any one character."),
        ("regex", text(), "Over the whole value."),
        ("at_least", text(), "A severity."),
        ("not", not, "What it must not be."),
    ]);
    operator["minProperties"] = json!(1);
    operator["maxProperties"] = json!(1);
    operator
}

/// An interval of `time_intervals:`.
pub(super) fn interval() -> Value {
    let text_or_number = || one_or_more(one_of(&[text(), json!({ "type": "integer" })]));
    let times = object(&[
        ("days", one_or_more(text()), "mon or mon-fri."),
        ("from", text(), "\"09:00\"; midnight without it."),
        ("to", text(), "\"17:00\", the first minute after; before `from` it is of the next day."),
        ("days_of_month", text_or_number(), "1, 1-5, or -1 for the last."),
        ("months", text_or_number(), "dec, 12 or jun-aug."),
        ("years", text_or_number(), "2026 or 2026-2027."),
    ]);
    let mut interval = object(&[
        ("time_zone", text(), "Europe/Berlin; UTC without it."),
        ("times", one_of(&[times.clone(), list(times)]), "It is one of these."),
    ]);
    required(&mut interval, &["times"]);
    interval
}

/// A silence.
pub(super) fn silence() -> Value {
    let mut silence = object(&[
        ("match", matchers(), "Which alerts."),
        ("from", text(), "2026-12-01T22:00:00Z; without it, from ever."),
        ("until", text(), "2026-12-02T06:00:00+01:00."),
        ("because", text(), "Why, for whoever wonders."),
    ]);
    required(&mut silence, &["match", "until", "because"]);
    silence
}

/// A maintenance window.
pub(super) fn maintenance() -> Value {
    let mut window = object(&[
        ("match", matchers(), "Which alerts."),
        ("during", one_or_more(text()), "Time intervals, by name."),
        ("from", text(), "2026-12-01T22:00:00Z, where it is once."),
        ("until", text(), "Its end, where it is once."),
    ]);
    required(&mut window, &["match"]);
    window
}

/// An inhibition.
pub(super) fn inhibition() -> Value {
    let mut inhibition = object(&[
        ("source", matchers(), "What explains others while its incident is open."),
        ("target", matchers(), "What is explained."),
        ("equal", one_or_more(text()), "Labels that both have alike."),
    ]);
    required(&mut inhibition, &["source", "target"]);
    inhibition
}
