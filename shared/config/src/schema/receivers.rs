//! The forms of `receivers:`, as each kind describes its fields.
//!
//! Invariant: a receiver's kind decides which fields there are.

use domain::{ReceiverKind, Severity};
use receivers::forms;
use receivers::section::{Field, Shape};
use serde_json::{Value, json};

use super::types::{address, boolean, duration, object, one_of, one_or_more, required, secret, text, whole, words};

/// Of any kind.
pub(super) fn receiver() -> Value {
    let of = |kind: ReceiverKind| forms(kind).into_iter().map(move |fields| receiver_of(kind, &fields));
    one_of(&ReceiverKind::ALL.into_iter().flat_map(of).collect::<Vec<_>>())
}

fn receiver_of(kind: ReceiverKind, fields: &[Field]) -> Value {
    let kind = ("kind", json!({ "const": kind.as_str() }), "Which kind of receiver this is.");
    let others = fields.iter().map(|field| (field.name, form(&field.shape), field.doc));
    let needed = fields.iter().filter(|field| field.required).map(|field| field.name);
    let needed: Vec<&str> = std::iter::once("kind").chain(needed).collect();
    let mut receiver = object(&std::iter::once(kind).chain(others).collect::<Vec<_>>());
    required(&mut receiver, &needed);
    receiver
}

fn form(shape: &Shape) -> Value {
    match shape {
        Shape::Text => text(),
        Shape::Secret => secret(),
        Shape::Address => address(),
        Shape::Boolean => boolean(),
        Shape::Whole(min, max) => whole(*min, *max),
        Shape::Duration => duration(),
        Shape::Words(known) => words(known),
        Shape::OneOrMore(item) => one_or_more(form(item)),
        Shape::BySeverity(item) => by_severity(&form(item)),
        Shape::Mapping => json!({ "type": "object" }),
    }
}

fn by_severity(form: &Value) -> Value {
    let severities = [Severity::Info, Severity::Warning, Severity::Error, Severity::Critical];
    object(&severities.map(|severity| (severity.as_str(), form.clone(), "")))
}
