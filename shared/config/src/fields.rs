//! A mapping whose fields are known.
//!
//! Invariant: a field that nobody knows is reported with the nearest known name.

use crate::mistake::choose;
use crate::reader::Value;

/// The fields of one mapping.
pub(crate) struct Fields<'r> {
    whole: Value<'r>,
    found: Vec<(String, Value<'r>)>,
}

impl<'r> Fields<'r> {
    pub(crate) fn new(whole: Value<'r>, found: Vec<(String, Value<'r>)>, known: &[&str]) -> Self {
        for (name, value) in &found {
            if !known.contains(&name.as_str()) {
                value.fail::<()>("there is no such field here", choose(name, known));
            }
        }
        Self { whole, found }
    }

    /// These fields, and those of another mapping where they are not here.
    pub(crate) fn over(mut self, above: &Self, inherited: &[&str]) -> Self {
        for (name, value) in &above.found {
            if inherited.contains(&name.as_str()) && self.get(name).is_none() {
                self.found.push((name.clone(), value.clone()));
            }
        }
        self
    }

    /// The mapping itself.
    pub(crate) fn whole(&self) -> &Value<'r> {
        &self.whole
    }

    /// A field, if it is there.
    pub(crate) fn get(&self, name: &str) -> Option<&Value<'r>> {
        self.found.iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    /// The field where it is there, else the mapping: where a mistake about the field is reported.
    pub(crate) fn place(&self, name: &str) -> &Value<'r> {
        self.get(name).unwrap_or(&self.whole)
    }

    /// A field that must be there.
    pub(crate) fn required<T>(&self, name: &str, read: impl FnOnce(&Value<'r>) -> Option<T>) -> Option<T> {
        match self.get(name) {
            Some(value) => read(value),
            None => self.missing(name),
        }
    }

    /// Reports a field that must be there.
    pub(crate) fn missing<T>(&self, name: &str) -> Option<T> {
        self.whole.fail_at(name, "it is missing", format!("add `{name}:`"))
    }

    /// `Some(None)` where the field is not there.
    pub(crate) fn optional<T>(&self, name: &str, read: impl FnOnce(&Value<'r>) -> Option<T>) -> Option<Option<T>> {
        self.get(name).map_or(Some(None), |value| read(value).map(Some))
    }

    /// The default where the field is not there.
    pub(crate) fn or<T>(&self, name: &str, default: T, read: impl FnOnce(&Value<'r>) -> Option<T>) -> Option<T> {
        self.get(name).map_or(Some(default), read)
    }
}
