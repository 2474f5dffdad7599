//! A receiver's section of the config: its fields are asked for by name and form.
//!
//! Invariant: a receiver says its fields once. The same words read a section, refuse a field that nobody asks for, and are
//! the section's part of the JSON Schema. What gives `None` has reported why.

#![allow(clippy::option_option, reason = "the outer says whether it could be read, the inner whether it is there")]
#![allow(clippy::needless_pass_by_value, reason = "a form is made to be asked for")]

use std::cell::RefCell;

use domain::{ReceiverKind, Severity};
use secrecy::SecretString;
use serde_json::Value as Json;

use crate::form::{self, Form};
use crate::vendor::address_variable;

pub use crate::form::Called;

/// A section as it was written.
pub trait Place {
    /// A field's value, where it is there.
    fn field(&self, name: &str) -> Option<Box<dyn Value + '_>>;
    /// Reports that a field must be there.
    fn missing(&self, name: &str);
    /// Reports a mistake in a field, which may not be there.
    fn fail_at(&self, name: &str, what: &str, mend: &str);
    /// The base address in a variable; `Some(None)` where it is not set.
    fn address_in(&self, variable: &str) -> Option<Option<String>>;
}

/// One value as it was written, read as what it should be. Whatever it is not is reported.
pub trait Value {
    /// A text that is not empty.
    fn text(&self) -> Option<String>;
    /// A secret, by the name of its variable.
    fn secret(&self) -> Option<SecretString>;
    /// A secret whose characters a header can hold.
    fn token(&self) -> Option<SecretString>;
    /// An address that paths are put behind, without a slash at its end.
    fn base_address(&self) -> Option<String>;
    /// An address that is called as it is, in the file or in a variable.
    fn called(&self) -> Option<Called>;
    /// The same where the address alone is the permission: in a variable.
    fn secret_called(&self) -> Option<SecretString>;
    /// `true` or `false`.
    fn boolean(&self) -> Option<bool>;
    /// A whole number in bounds.
    fn whole(&self, min: u64, max: u64) -> Option<u64>;
    /// Seconds of a duration in bounds.
    fn secs(&self, min: u64, max: u64) -> Option<u64>;
    /// The items of a list, or the value itself where it is none; at least one.
    fn one_or_more(&self) -> Option<Vec<Box<dyn Value + '_>>>;
    /// A mapping whose keys the user chooses.
    fn entries(&self) -> Option<Vec<(String, Box<dyn Value + '_>)>>;
    /// The severity that the value's own name in such a mapping is.
    fn severity(&self, word: &str) -> Option<Severity>;
    /// Any value as JSON, for whom it is sent to.
    fn json(&self, whose: &str) -> Option<Json>;
    /// Reports a mistake here.
    fn fail(&self, what: &str, mend: &str);
    /// Reports a word that is none of those there are.
    fn no_such(&self, what: &str, word: &str, known: &[&str]);
}

/// The form of a field, for who describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Any text.
    Text,
    /// `${NAME}`.
    Secret,
    /// `https://…`.
    Address,
    /// `true` or `false`.
    Boolean,
    /// A whole number from the first to the second.
    Whole(u64, u64),
    /// `30s`, `1h30m`.
    Duration,
    /// One of these.
    Words(Vec<&'static str>),
    /// One, or a list.
    OneOrMore(Box<Shape>),
    /// One for each severity.
    BySeverity(Box<Shape>),
    /// A mapping whose keys the user chooses.
    Mapping,
}

/// A field as it is described.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it looks like.
    pub shape: Shape,
    /// Whether the section needs it.
    pub required: bool,
    /// What it is for.
    pub doc: &'static str,
}

/// Where a receiver asks for its fields.
pub struct Section<'v> {
    kind: ReceiverKind,
    source: Source<'v>,
}

enum Source<'v> {
    Given(&'v dyn Place),
    Described { present: &'v dyn Fn(&str) -> bool, fields: RefCell<Vec<Field>>, deciding: RefCell<Vec<&'static str>> },
}

impl<'v> Section<'v> {
    /// Gives what was written.
    pub(crate) fn given(kind: ReceiverKind, place: &'v dyn Place) -> Self {
        Self { kind, source: Source::Given(place) }
    }

    /// Gives nothing, and notes what is asked for where those fields are `present`.
    pub(crate) fn described(kind: ReceiverKind, present: &'v dyn Fn(&str) -> bool) -> Self {
        let source = Source::Described { present, fields: RefCell::default(), deciding: RefCell::default() };
        Self { kind, source }
    }

    /// What was asked for, and which fields decided that.
    pub(crate) fn into_description(self) -> (Vec<Field>, Vec<&'static str>) {
        match self.source {
            Source::Given(_) => (Vec::new(), Vec::new()),
            Source::Described { fields, deciding, .. } => (fields.into_inner(), deciding.into_inner()),
        }
    }

    /// True where a field is there that decides which others are.
    pub(crate) fn has(&self, name: &'static str) -> bool {
        match &self.source {
            Source::Given(place) => place.field(name).is_some(),
            Source::Described { present, deciding, .. } => {
                deciding.borrow_mut().push(name);
                present(name)
            }
        }
    }

    /// A field that must be there.
    pub(crate) fn required<T>(&self, name: &'static str, form: Form<T>, doc: &'static str) -> Option<T> {
        let place = self.asked(name, &form, true, doc)?;
        let Some(value) = place.field(name) else {
            place.missing(name);
            return None;
        };
        form.read(&*value)
    }

    /// `Some(None)` where the field is not there.
    pub(crate) fn optional<T>(&self, name: &'static str, form: Form<T>, doc: &'static str) -> Option<Option<T>> {
        let place = self.asked(name, &form, false, doc)?;
        place.field(name).map_or(Some(None), |value| form.read(&*value).map(Some))
    }

    /// The default where the field is not there.
    pub(crate) fn or<T>(&self, name: &'static str, default: T, form: Form<T>, doc: &'static str) -> Option<T> {
        Some(self.optional(name, form, doc)?.unwrap_or(default))
    }

    /// `base_url`: the file's, checked even where the variable `TOCSIN_<KIND>_API_URL` stands in its place.
    pub(crate) fn base_url(&self, default: Option<&str>, doc: &'static str) -> Option<String> {
        let own = match default {
            Some(default) => self.or("base_url", default.to_owned(), form::base_address(), doc),
            None => self.required("base_url", form::base_address(), doc),
        };
        let Source::Given(place) = &self.source else { return None };
        let overriding = place.address_in(&address_variable(self.kind));
        let own = own?;
        Some(overriding?.unwrap_or(own))
    }

    /// Reports a mistake in a field, which may not be there.
    pub(crate) fn fail_at<T>(&self, name: &str, what: &str, mend: &str) -> Option<T> {
        if let Source::Given(place) = &self.source {
            place.fail_at(name, what, mend);
        }
        None
    }

    /// Where to read a field; it is noted where there is nothing to read.
    fn asked<T>(&self, name: &'static str, form: &Form<T>, required: bool, doc: &'static str) -> Option<&dyn Place> {
        match &self.source {
            Source::Given(place) => Some(*place),
            Source::Described { fields, .. } => {
                fields.borrow_mut().push(Field { name, shape: form.shape.clone(), required, doc });
                None
            }
        }
    }
}
