//! The forms that fields have.
//!
//! Invariant: an object refuses what it does not name.

#![allow(clippy::needless_pass_by_value, reason = "a form is made to be put into another")]

use serde_json::{Map, Value, json};

/// A mapping with these fields: name, form, and what it is for.
pub(super) fn object(fields: &[(&str, Value, &str)]) -> Value {
    let mut properties = Map::new();
    for (name, form, what) in fields {
        let mut form = form.clone();
        if let Some(form) = form.as_object_mut().filter(|_| !what.is_empty()) {
            form.insert("description".to_owned(), json!(what));
        }
        properties.insert((*name).to_owned(), form);
    }
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

/// The fields that an object must have.
pub(super) fn required(object: &mut Value, names: &[&str]) {
    object["required"] = json!(names);
}

/// A mapping whose names the user chooses.
pub(super) fn map(form: Value) -> Value {
    json!({ "type": "object", "additionalProperties": form })
}

pub(super) fn list(form: Value) -> Value {
    json!({ "type": "array", "items": form })
}

pub(super) fn one_of(forms: &[Value]) -> Value {
    json!({ "anyOf": forms })
}

/// One, or a list of them.
pub(super) fn one_or_more(form: Value) -> Value {
    let items = json!({ "type": "array", "minItems": 1, "items": form });
    json!({ "anyOf": [form, items] })
}

pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

pub(super) fn words(known: &[&str]) -> Value {
    json!({ "type": "string", "enum": known })
}

pub(super) fn number(min: f64, max: f64) -> Value {
    json!({ "type": "number", "minimum": min, "maximum": max })
}

pub(super) fn whole(min: u64, max: u64) -> Value {
    json!({ "type": "integer", "minimum": min, "maximum": max })
}

pub(super) fn boolean() -> Value {
    json!({ "type": "boolean" })
}

/// `30s`, `1h30m`.
pub(super) fn duration() -> Value {
    json!({ "type": "string", "pattern": "^([0-9]+(d|h|m|s))+$" })
}

pub(super) fn address() -> Value {
    json!({ "type": "string", "pattern": "^https?://" })
}

/// `${NAME}`: the secret itself is in the environment.
pub(super) fn secret() -> Value {
    json!({ "type": "string", "pattern": "^\\$\\{[A-Z_][A-Z0-9_]*\\}$" })
}

/// One secret, or two.
pub(super) fn secrets() -> Value {
    let items = json!({ "type": "array", "minItems": 1, "maxItems": sources::SECRETS_MAX, "items": secret() });
    one_of(&[secret(), items])
}
