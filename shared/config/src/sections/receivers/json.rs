//! YAML as JSON, for what a vendor is sent as it is written.
//!
//! Invariant: what JSON cannot hold is refused, not rounded.

use saphyr::{Scalar, YamlData};
use serde_json::{Number, Value as Json};

use crate::reader::{Value, all};

pub(super) fn json(value: &Value<'_>, whose: &str) -> Option<Json> {
    let number = match &value.node().data {
        YamlData::Value(Scalar::Null) => return Some(Json::Null),
        YamlData::Value(Scalar::Boolean(value)) => return Some(Json::Bool(*value)),
        YamlData::Value(Scalar::String(value)) => return Some(Json::String(value.to_string())),
        YamlData::Sequence(_) => return all(value.items()?.iter().map(|item| json(item, whose))).map(Json::Array),
        YamlData::Mapping(_) => {
            let pair = |(name, value): (String, Value<'_>)| Some((name, json(&value, whose)?));
            return Some(Json::Object(all(value.entries()?.into_iter().map(pair))?.into_iter().collect()));
        }
        YamlData::Value(Scalar::Integer(value)) => Some(Number::from(*value)),
        YamlData::Value(Scalar::FloatingPoint(value)) => Number::from_f64(value.into_inner()),
        _ => None,
    };
    let unfit =
        || value.fail(format!("{whose} cannot be sent this"), "use text, numbers, lists and mappings with text keys");
    number.map(Json::Number).or_else(unfit)
}
