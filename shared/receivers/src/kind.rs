//! What a receiver's file says of its kind, and what is made of it.
//!
//! Invariant: a kind's fields are said once, by the function that reads them.

use domain::ReceiverKind;

use crate::section::{Field, Place, Section};
use crate::templates::Template;
use crate::{Vendor, definition};

/// What a receiver's file says of its kind.
pub(crate) struct Definition {
    /// Takes its fields out of a section of the config. It asks for each field before it gives up on any.
    pub(crate) settings: fn(&Section<'_>) -> Option<Box<dyn Vendor>>,
    /// How its messages read.
    pub(crate) templates: &'static [Template],
    /// A yes of its vendor: status and body. [`YES`] where that is enough, or where `tests/stand_ins` has the vendor.
    pub(crate) yes: (u16, &'static str),
}

/// A yes that says nothing more.
pub(crate) const YES: (u16, &str) = (200, "{}");

/// The settings of a receiver, out of its section; `None` after every mistake was reported there.
#[must_use]
pub fn settings(kind: ReceiverKind, place: &dyn Place) -> Option<Box<dyn Vendor>> {
    (definition(kind).settings)(&Section::given(kind, place))
}

/// The fields of a section, as those decide that are `present`: one of a kind's forms.
#[must_use]
pub fn fields(kind: ReceiverKind, present: &dyn Fn(&str) -> bool) -> Vec<Field> {
    described(kind, present).0
}

/// The forms that a kind's section may have: the plain one, then one for each field that decides.
#[must_use]
pub fn forms(kind: ReceiverKind) -> Vec<Vec<Field>> {
    let (plain, deciding) = described(kind, &|_| false);
    let others = deciding.into_iter().map(|decides| fields(kind, &|field| field == decides));
    std::iter::once(plain).chain(others).collect()
}

/// What a kind's vendor answers when it takes something.
#[must_use]
pub fn yes(kind: ReceiverKind) -> (u16, &'static str) {
    definition(kind).yes
}

/// The fields that are asked for, and those that decide which are.
fn described(kind: ReceiverKind, present: &dyn Fn(&str) -> bool) -> (Vec<Field>, Vec<&'static str>) {
    let section = Section::described(kind, present);
    drop((definition(kind).settings)(&section));
    section.into_description()
}
