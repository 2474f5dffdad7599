//! A monitor of Arize AX, whose own history is the metric: `{ space: …, model: …, monitor: … }`.
//!
//! Invariant: no alert chooses the space.

use super::{fixed, value_template};
use crate::reader::Value;
use crate::sections::known::Known;
use crate::{ArizeQuery, Template};

pub(super) fn read(value: &Value<'_>, known: &Known) -> Option<ArizeQuery<Template>> {
    if !value.is_mapping() {
        let mend = "write { space: id, model: name, monitor: name }";
        return value.fail("an Arize query is a mapping", mend);
    }
    let fields = value.fields(&["space", "model", "monitor"])?;
    let space = fields.required("space", fixed);
    let model = fields.required("model", |value| value_template(value, known));
    let monitor = fields.required("monitor", |value| value_template(value, known));
    Some(ArizeQuery { space: space?, model: model?, monitor: monitor? })
}
