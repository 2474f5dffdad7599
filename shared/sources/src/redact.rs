//! A webhook without what nobody here reads, so that it can be kept and read again.
//!
//! Invariant: an allow-list, the mapping's own: a place that no pointer names is not kept, and of a place that holds more
//! than words and numbers nothing is. Headers and the query string never come here. Reading it again gives the same alerts.

use domain::{Alert, AlertId, Timestamp};
use serde_json::{Map, Value};

use crate::{BODY_BYTES_MAX, DecodeError, Source, json};

/// Entries of a list that is made in a kept body, at most: a pointer may name a far place in a list.
const ENTRIES_MAX: usize = 4096;

impl Source {
    /// What this source's mapping reads of a body, in the shape that the mapping points into.
    ///
    /// # Errors
    /// As [`Source::decode`].
    pub fn redacted(&self, body: &[u8]) -> Result<Value, DecodeError> {
        if body.len() > BODY_BYTES_MAX {
            return Err(DecodeError::TooLarge { bytes: body.len() });
        }
        let body = self.kind.reshape(json::parse(body)?)?;
        let mut kept = Value::Object(Map::new());
        for (place, alert) in self.split(&body)? {
            put(&body, &place, Value::Object(Map::new()), &mut kept);
            let pointers = self.mapping.fields.values().chain(self.mapping.labels.values()).flatten();
            for pointer in pointers {
                if let Some(value) = alert.pointer(pointer).filter(|value| is_plain(value)) {
                    put(&body, &format!("{place}{pointer}"), value.clone(), &mut kept);
                }
            }
        }
        if let Some(pointer) = &self.mapping.alerts
            && kept.pointer(pointer).is_none()
        {
            put(&body, pointer, Value::Array(Vec::new()), &mut kept);
        }
        Ok(kept)
    }

    /// The alerts of a body that [`Source::redacted`] gave.
    ///
    /// # Errors
    /// As [`Source::decode`].
    pub fn decode_redacted(
        &self,
        kept: &Value,
        received_at: Timestamp,
        next_id: &mut dyn FnMut() -> AlertId,
    ) -> Result<Vec<Alert>, DecodeError> {
        self.alerts(kept, received_at, next_id)
    }
}

/// Words, numbers, and lists of them.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().all(|item| !item.is_array() && !item.is_object()),
        Value::Object(_) => false,
        _ => true,
    }
}

/// Puts a value at a pointer, with what has to stand around it: a list where the body has one.
fn put(body: &Value, pointer: &str, value: Value, kept: &mut Value) {
    let (mut from, mut to) = (Some(body), kept);
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        let index = token.parse::<usize>().ok().filter(|index| *index < ENTRIES_MAX);
        to = if let (Some(Value::Array(items)), Some(index)) = (from, index) {
            from = items.get(index);
            if !to.is_array() {
                *to = Value::Array(Vec::new());
            }
            let Value::Array(list) = to else { return };
            if list.len() <= index {
                list.resize(index + 1, Value::Null);
            }
            let Some(place) = list.get_mut(index) else { return };
            place
        } else {
            from = from.and_then(|from| from.get(&token));
            if !to.is_object() {
                *to = Value::Object(Map::new());
            }
            let Value::Object(fields) = to else { return };
            fields.entry(token).or_insert(Value::Null)
        };
    }
    if !(value.is_object() && to.is_object()) {
        *to = value;
    }
}
