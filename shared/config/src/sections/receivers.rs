//! `receivers:` who is told. Which fields a kind has, its own file in `shared/receivers` says.
//!
//! Invariant: a receiver's name fits a queue message and a table key; its secrets come from the environment.

mod json;
mod place;

use ::receivers::{Receiver, Vendor};
use domain::ReceiverKind;

use self::place::Written;
use super::shared::check_name;
use crate::mistake::{choose, nearest};
use crate::reader::{Value, all};

/// Says which other fields there are.
const KIND: &str = "kind";

pub(crate) fn read(value: &Value<'_>) -> Option<Vec<Receiver>> {
    let entries = value.entries()?;
    if entries.is_empty() {
        return value.fail("there is no receiver", "add one, for instance a pagerduty receiver");
    }
    all(entries.iter().map(|(name, value)| {
        let named = check_name(value, name);
        let settings = settings(value);
        named?;
        Some(Receiver::with(name, settings?))
    }))
}

fn settings(value: &Value<'_>) -> Option<Box<dyn Vendor>> {
    let Some(kind) = kind(value) else {
        // What is wrong beside its kind is told as well.
        if let Some(meant) = meant(value) {
            of(meant, value);
        }
        return None;
    };
    of(kind, value)
}

fn of(kind: ReceiverKind, value: &Value<'_>) -> Option<Box<dyn Vendor>> {
    let known = ::receivers::fields(kind, &|field| value.find(field).is_some());
    let known: Vec<&str> = std::iter::once(KIND).chain(known.iter().map(|field| field.name)).collect();
    ::receivers::settings(kind, &Written(value.fields(&known)?))
}

/// The kind that a receiver without a good one is meant to have: by its word, else by a field that one kind alone has.
fn meant(value: &Value<'_>) -> Option<ReceiverKind> {
    let word = value.find(KIND).and_then(|kind| kind.scalar_text());
    let near = word.and_then(|word| nearest(word, ReceiverKind::ALL.map(ReceiverKind::as_str)));
    near.and_then(|word| ReceiverKind::parse(word).ok()).or_else(|| {
        let has = |kind: &ReceiverKind, name: &str| ::receivers::forms(*kind).iter().flatten().any(|f| f.name == name);
        let only = |name: &str| {
            let mut kinds = ReceiverKind::ALL.into_iter().filter(|kind| has(kind, name));
            kinds.next().filter(|_| kinds.next().is_none())
        };
        value.entries()?.iter().find_map(|(name, _)| only(name))
    })
}

/// Read first: it decides which fields there are.
fn kind(value: &Value<'_>) -> Option<ReceiverKind> {
    let names = ReceiverKind::ALL.map(ReceiverKind::as_str);
    value.entries()?;
    let Some(kind) = value.find(KIND) else {
        return value.fail_at(KIND, "it is missing", format!("add `kind:`, one of {}", names.join(", ")));
    };
    let word = kind.text()?;
    let known = ReceiverKind::parse(&word).ok();
    known.or_else(|| kind.fail(format!("there is no kind `{word}`"), choose(&word, &names)))
}
