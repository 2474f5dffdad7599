//! `receivers:` who is told. Which fields a kind has, its own file in `shared/receivers` says.
//!
//! Invariant: a receiver's name fits a queue message and a table key; its secrets come from the environment.

mod json;
mod place;

use ::receivers::Receiver;
use domain::ReceiverKind;

use self::place::Written;
use super::shared::check_name;
use crate::mistake::choose;
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
        let kind = kind(value)?;
        let known = ::receivers::fields(kind, &|field| value.find(field).is_some());
        let known: Vec<&str> = std::iter::once(KIND).chain(known.iter().map(|field| field.name)).collect();
        let settings = ::receivers::settings(kind, &Written(value.fields(&known)?));
        named?;
        Some(Receiver::with(name, settings?))
    }))
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
