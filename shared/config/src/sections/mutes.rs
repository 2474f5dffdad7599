//! `silences:`, `maintenance:` and `inhibit:` – who is not told, and why.
//!
//! Invariant: each concerns some labels and ends: nothing here mutes everything, or for ever by mistake.

use domain::{Interval, Silence, SilenceId, Timestamp};

use super::intervals;
use super::known::Known;
use super::matchers::some_matchers;
use super::shared::check_name;
use crate::mute::{Inhibition, Maintenance, When};
use crate::reader::{Value, all};

/// `silences:`.
pub(super) fn silences(value: &Value<'_>, known: &Known) -> Option<Vec<Silence>> {
    all(value.entries()?.iter().map(|(name, value)| {
        let named = check_name(value, name);
        let fields = value.fields(&["match", "from", "until", "because"])?;
        let matchers = fields.required("match", |value| some_matchers(value, known));
        let from = fields.or("from", Timestamp::MIN, moment);
        let until = fields.required("until", moment);
        let because = fields.required("because", Value::text);
        named?;
        let (from, until) = ordered(value, from?, until?)?;
        let id = SilenceId::try_from(name.clone()).ok()?;
        Some(Silence { id, matchers: matchers?, from, until, because: because?, by: "config".to_owned() })
    }))
}

/// `maintenance:`.
pub(super) fn maintenance(
    value: &Value<'_>,
    known: &Known,
    intervals: Option<&[Interval]>,
) -> Option<Vec<Maintenance>> {
    all(value.entries()?.iter().map(|(name, value)| {
        let named = check_name(value, name);
        let fields = value.fields(&["match", "during", "from", "until"])?;
        let matchers = fields.required("match", |value| some_matchers(value, known));
        let during = fields.optional("during", |value| intervals::named(value, intervals));
        let from = fields.optional("from", moment);
        let until = fields.optional("until", moment);
        named?;
        let when = match (during?, from?, until?) {
            (Some(during), None, None) => When::During(during),
            (None, Some(from), Some(until)) => {
                let (from, until) = ordered(value, from, until)?;
                When::Once { from, until }
            }
            _ => {
                let mend = "write `during:` with time intervals, or `from:` and `until:`";
                return value.fail("it does not say when", mend);
            }
        };
        Some(Maintenance { name: name.clone(), matchers: matchers?, when })
    }))
}

/// `inhibit:`.
pub(super) fn inhibitions(value: &Value<'_>, known: &Known) -> Option<Vec<Inhibition>> {
    all(value.items()?.iter().map(|item| {
        let fields = item.fields(&["source", "target", "equal"])?;
        let source = fields.required("source", |value| some_matchers(value, known));
        let target = fields.required("target", |value| some_matchers(value, known));
        let equal = fields.or("equal", Vec::new(), |value| {
            let labels = value.texts()?;
            all(labels.iter().map(|label| known.label(value, label)))?;
            Some(labels)
        });
        Some(Inhibition { source: source?, target: target?, equal: equal? })
    }))
}

fn moment(value: &Value<'_>) -> Option<Timestamp> {
    let text = value.text()?;
    let mend = "write for instance 2026-12-01T22:00:00Z or 2026-12-01T22:00:00+01:00";
    text.parse().ok().or_else(|| value.fail(format!("`{text}` is no time with its offset"), mend))
}

fn ordered(value: &Value<'_>, from: Timestamp, until: Timestamp) -> Option<(Timestamp, Timestamp)> {
    if from < until {
        return Some((from, until));
    }
    value.fail("it ends before it begins", "let `until` be after `from`")
}
