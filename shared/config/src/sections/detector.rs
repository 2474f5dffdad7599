//! One detector of a rule: `- robust_z: {z: 4, direction: above}`, or `- iqr` with its defaults.
//!
//! Invariant: names, parameters and bounds are the detector's own; nothing is said of them here.

use std::collections::BTreeMap;

use ::detectors::{ALL, Detector, Direction, ParamError, Spec, find};

use crate::mistake::choose;
use crate::reader::{Value, all};

pub(crate) fn read(item: &Value<'_>) -> Option<Detector> {
    if item.scalar_text().is_some() {
        let spec = spec(item, &item.text()?)?;
        return make(item, spec, None, &BTreeMap::new());
    }
    let entries = item.entries()?;
    let [(name, value)] = entries.as_slice() else {
        return item.fail("a detector is one name with its parameters", "write `- name: {parameter: value}`");
    };
    let spec = spec(value, name)?;
    if value.is_null() {
        return make(value, spec, None, &BTreeMap::new());
    }
    let entries = value.entries()?;
    let (directions, numbers): (Vec<_>, Vec<_>) = entries.iter().partition(|(name, _)| name == "direction");
    let direction = match directions.first() {
        Some((_, value)) => direction(value).map(Some),
        None => Some(None),
    };
    let read = |(name, value): &&(String, Value<'_>)| Some((name.clone(), value.number(f64::MIN, f64::MAX)?));
    let numbers: BTreeMap<String, f64> = all(numbers.iter().map(read))?.into_iter().collect();
    make(value, spec, direction?, &numbers)
}

fn spec(value: &Value<'_>, name: &str) -> Option<&'static Spec> {
    let names: Vec<&str> = ALL.iter().map(|spec| spec.name).collect();
    find(name).or_else(|| value.fail(format!("there is no detector `{name}`"), choose(name, &names)))
}

fn direction(value: &Value<'_>) -> Option<Direction> {
    let word = value.text()?;
    let words = Direction::ALL.map(Direction::as_str);
    Direction::parse(&word).or_else(|| value.fail(format!("`{word}` is no direction"), choose(&word, &words)))
}

fn make(
    value: &Value<'_>,
    spec: &'static Spec,
    direction: Option<Direction>,
    numbers: &BTreeMap<String, f64>,
) -> Option<Detector> {
    match Detector::new(spec, direction, numbers) {
        Ok(detector) => Some(detector),
        Err(errors) => {
            for error in &errors {
                report(value, spec, error);
            }
            None
        }
    }
}

fn report(value: &Value<'_>, spec: &Spec, error: &ParamError) {
    let at = |param: &str| value.find(param).unwrap_or_else(|| value.clone());
    let _: Option<()> = match error {
        ParamError::Unknown { param, .. } => {
            let names: Vec<&str> = spec.params.iter().map(|p| p.name).chain(["direction"]).collect();
            at(param).fail(format!("{} has no such parameter", spec.name), choose(param, &names))
        }
        ParamError::Missing { param, doc, .. } => value.fail_at(param, "it is missing", format!("give it: {doc}")),
        ParamError::OutOfRange { param, value: number, min, max, .. } => {
            at(param).fail(format!("{number} is out of bounds"), format!("give {min} to {max}"))
        }
        ParamError::OneSided { .. } => {
            at("direction").fail(format!("{} looks to one side", spec.name), "write above or below, or use two")
        }
        ParamError::NoSide { direction, .. } => {
            at("direction").fail(format!("{} has no side, so it cannot look {direction}", spec.name), "leave it out")
        }
        other => value.fail(other.to_string(), "look at the detector's parameters"),
    };
}
