//! The forms that a receiver's fields have: what each looks like, and how it is read.
//!
//! Invariant: a value that does not fit is reported where it stands, with the mend.

use std::collections::BTreeMap;

use domain::{Severity, Transition};
use secrecy::SecretString;
use serde_json::{Map, Value as Json};

use crate::section::{Shape, Value};

type Read<T> = Box<dyn Fn(&dyn Value) -> Option<T>>;

/// The form of a field whose value is a `T`.
pub(crate) struct Form<T> {
    pub(crate) shape: Shape,
    read: Read<T>,
}

impl<T> Form<T> {
    pub(crate) fn read(&self, value: &dyn Value) -> Option<T> {
        (self.read)(value)
    }
}

impl<T: 'static> Form<T> {
    fn new(shape: Shape, read: impl Fn(&dyn Value) -> Option<T> + 'static) -> Self {
        Self { shape, read: Box::new(read) }
    }

    /// The same, where more must hold; else `what` is reported with its mend.
    pub(crate) fn checked(
        self,
        what: &'static str,
        mend: impl Into<String>,
        fits: impl Fn(&T) -> bool + 'static,
    ) -> Self {
        let (read, mend) = (self.read, mend.into());
        Self::new(self.shape, move |value| {
            let own = read(value)?;
            if fits(&own) {
                return Some(own);
            }
            value.fail(what, &mend);
            None
        })
    }

    /// What is made of it.
    pub(crate) fn map<U: 'static>(self, make: impl Fn(T) -> U + 'static) -> Form<U> {
        let read = self.read;
        Form::new(self.shape, move |value| read(value).map(&make))
    }
}

/// An address that is called as it is.
#[derive(Debug, Clone)]
pub struct Called {
    /// The address, which may be a secret.
    pub address: SecretString,
    /// Whether it is kept in a variable, as a secret is.
    pub is_secret: bool,
}

/// A text that is not empty.
pub(crate) fn text() -> Form<String> {
    Form::new(Shape::Text, |value| value.text())
}

/// A secret, wherever it is sent.
pub(crate) fn secret() -> Form<SecretString> {
    Form::new(Shape::Secret, |value| value.secret())
}

/// A secret that is sent in a header.
pub(crate) fn token() -> Form<SecretString> {
    Form::new(Shape::Secret, |value| value.token())
}

/// An address that paths are put behind.
pub(crate) fn base_address() -> Form<String> {
    Form::new(Shape::Address, |value| value.base_address())
}

/// An address that is called as it is.
pub(crate) fn called() -> Form<Called> {
    Form::new(Shape::Text, |value| value.called())
}

/// An address that is a permission by itself.
pub(crate) fn secret_called() -> Form<SecretString> {
    Form::new(Shape::Secret, |value| value.secret_called())
}

/// `true` or `false`.
pub(crate) fn boolean() -> Form<bool> {
    Form::new(Shape::Boolean, |value| value.boolean())
}

/// A whole number in bounds.
pub(crate) fn whole(min: u64, max: u64) -> Form<u64> {
    Form::new(Shape::Whole(min, max), move |value| value.whole(min, max))
}

/// Seconds of a duration in bounds.
pub(crate) fn duration(secs_min: u64, secs_max: u64) -> Form<u64> {
    Form::new(Shape::Duration, move |value| value.secs(secs_min, secs_max))
}

/// What one of these words stands for; `thing` is what the word names, in a mistake.
pub(crate) fn words<T: Copy + 'static>(
    thing: &'static str,
    known: impl IntoIterator<Item = (&'static str, T)>,
) -> Form<T> {
    let known: Vec<(&'static str, T)> = known.into_iter().collect();
    let names: Vec<&'static str> = known.iter().map(|(name, _)| *name).collect();
    Form::new(Shape::Words(names.clone()), move |value| {
        let word = value.text()?;
        let found = known.iter().find(|(name, _)| *name == word).map(|(_, one)| *one);
        if found.is_none() {
            value.no_such(thing, &word, &names);
        }
        found
    })
}

/// The word of a transition.
pub(crate) fn transition() -> Form<Transition> {
    words("transition", Transition::ALL.map(|transition| (transition.as_str(), transition)))
}

/// One, or a list of them.
pub(crate) fn one_or_more<T: 'static>(item: Form<T>) -> Form<Vec<T>> {
    Form::new(Shape::OneOrMore(Box::new(item.shape)), move |value| {
        let items = value.one_or_more()?;
        let read: Vec<Option<T>> = items.iter().map(|value| (item.read)(&**value)).collect();
        read.into_iter().collect()
    })
}

/// One for each severity that is named.
pub(crate) fn by_severity<T: 'static>(item: Form<T>) -> Form<BTreeMap<Severity, T>> {
    Form::new(Shape::BySeverity(Box::new(item.shape)), move |value| {
        let one = |(name, value): &(String, Box<dyn Value + '_>)| {
            let (severity, own) = (value.severity(name), (item.read)(&**value));
            Some((severity?, own?))
        };
        let read: Vec<Option<(Severity, T)>> = value.entries()?.iter().map(one).collect();
        read.into_iter().collect()
    })
}

/// Fields that a vendor is sent as they are written; none of those that are `ours`, for each of which the mend is given.
pub(crate) fn vendors_own(
    whose: &'static str,
    ours: &'static [(&'static str, &'static str)],
) -> Form<Map<String, Json>> {
    Form::new(Shape::Mapping, move |value| {
        let read = |(name, value): &(String, Box<dyn Value + '_>)| match ours.iter().find(|(own, _)| own == name) {
            Some((_, mend)) => {
                value.fail("Tocsin sets this field itself", mend);
                None
            }
            None => Some((name.clone(), value.json(whose)?)),
        };
        let entries: Vec<Option<(String, Json)>> = value.entries()?.iter().map(read).collect();
        entries.into_iter().collect()
    })
}
