//! `match:` – which alerts something concerns; the same words in rules, silences, maintenance windows and inhibitions.
//!
//! Invariant: a label that no source gives, a word that is no severity and a pattern that is none are mistakes here, not
//! conditions that never hold.

use domain::{Glob, InvalidMatcher, METRIC_KIND, METRIC_KINDS, Matcher, Pattern, Test};

use super::known::Known;
use super::shared::{severity, severity_word};
use crate::mistake::choose;
use crate::reader::{Value, all};

/// The ways to say what a value must be, other than the value itself.
const OPERATOR_FIELDS: &[&str] = &["glob", "regex", "at_least", "not"];

/// What has to hold of the labels, all of it; empty: every alert.
pub(super) fn matchers(value: &Value<'_>, known: &Known) -> Option<Vec<Matcher>> {
    all(value.entries()?.iter().map(|(label, value)| {
        let fits = known.label(value, label);
        let (test, negated) = test(value, label, known)?;
        fits?;
        Some(Matcher { label: label.clone(), test, negated })
    }))
}

/// As [`matchers`], where nothing to match would concern everything.
pub(super) fn some_matchers(value: &Value<'_>, known: &Known) -> Option<Vec<Matcher>> {
    let matchers = matchers(value, known)?;
    if matchers.is_empty() {
        return value.fail("it concerns every alert", "name at least one label");
    }
    Some(matchers)
}

/// What the value must be, and whether it must not.
fn test(value: &Value<'_>, label: &str, known: &Known) -> Option<(Test, bool)> {
    if !value.is_mapping() {
        return Some((Test::OneOf(words(value, label, known)?), false));
    }
    let fields = value.fields(OPERATOR_FIELDS)?;
    let found: Vec<&str> = OPERATOR_FIELDS.iter().copied().filter(|name| fields.get(name).is_some()).collect();
    let ([operator], Some(operand)) = (found.as_slice(), found.first().and_then(|name| fields.get(name))) else {
        let mend = format!("write one of {}, for instance {{ glob: \"gpt-4*\" }}", OPERATOR_FIELDS.join(", "));
        return value.fail("one condition belongs here", mend);
    };
    match *operator {
        "glob" => Some((Test::Glob(pattern(operand, Glob::new)?), false)),
        "regex" => Some((Test::Regex(pattern(operand, Pattern::new)?), false)),
        "at_least" if label == "severity" => Some((Test::AtLeast(severity(operand)?), false)),
        "at_least" => operand.fail(format!("`{label}` has no order"), "only severity can be at_least"),
        _ => match test(operand, label, known)? {
            (_, true) => operand.fail("it is negated twice", "leave out both"),
            (test, false) => Some((test, true)),
        },
    }
}

fn words(value: &Value<'_>, label: &str, known: &Known) -> Option<Vec<String>> {
    let words = value.texts()?;
    all(words.iter().map(|word| match label {
        "severity" => severity_word(value, word).map(|_| ()),
        "source" => known.source(value, word),
        METRIC_KIND if !METRIC_KINDS.contains(&word.as_str()) => {
            value.fail(format!("there is no kind of metric `{word}`"), choose(word, &METRIC_KINDS))
        }
        _ => Some(()),
    }))?;
    Some(words)
}

fn pattern<T>(value: &Value<'_>, new: impl Fn(&str) -> Result<T, InvalidMatcher>) -> Option<T> {
    let text = value.text()?;
    new(&text).map_or_else(|error| value.fail(error.to_string(), "write it otherwise"), Some)
}
