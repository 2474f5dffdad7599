//! `kind: jira`: where tickets are made, as whom, and how they look.
//!
//! Invariant: what Jira is sent beyond our own fields is the user's, as it is written; none of ours is overwritten, so
//! that a ticket is made where it is looked up.

use std::collections::BTreeMap;

use ::receivers::jira::Settings;
use domain::Severity;
use saphyr::{Scalar, YamlData};
use serde_json::{Map, Number, Value as Json};

use crate::duration::Bounds;
use crate::environment::secret;
use crate::reader::{Value, all};
use crate::sections::outside::base_url;
use crate::sections::shared::severity_word;

/// Seconds after an episode's end in which its ticket is taken up again: bounds and default, 7 d.
const REOPEN: Bounds = Bounds { secs_min: 0, secs_max: 365 * 86_400 };
const REOPEN_DEFAULT_SECS: u64 = 7 * 86_400;

/// The issue type where none is given.
const ISSUE_TYPE: &str = "Task";

/// Jira's fields that a ticket has from us, and where to change them.
const OURS: [(&str, &str); 4] = [
    ("project", "use `project:` of the receiver"),
    ("issuetype", "use `issue_type:` of the receiver"),
    ("summary", "edit the template jira/summary.hbs"),
    ("description", "edit the template jira/description.hbs"),
];

const FIELDS: &[&str] = &[
    "kind",
    "base_url",
    "email",
    "token",
    "project",
    "issue_type",
    "labels",
    "priorities",
    "fields",
    "reopen_within",
    "reopen_transition",
    "resolve_transition",
];

pub(crate) fn read(value: &Value<'_>) -> Option<Settings> {
    let fields = value.fields(FIELDS)?;
    let base_url = base_url(&fields, "base_url", None, "TOCSIN_JIRA_API_URL");
    let email = fields.required("email", Value::text);
    let token = fields.required("token", secret);
    let project = fields.required("project", project);
    let issue_type = fields.or("issue_type", ISSUE_TYPE.to_owned(), Value::text);
    let labels = fields.or("labels", true, Value::boolean);
    let priorities = fields.or("priorities", BTreeMap::new(), priorities);
    let custom = fields.or("fields", Map::new(), custom_fields);
    let reopen_secs = fields.or("reopen_within", REOPEN_DEFAULT_SECS, |value| value.duration(REOPEN));
    let reopen_transition = fields.optional("reopen_transition", Value::text);
    let resolve_transition = fields.optional("resolve_transition", Value::text);
    Some(Settings {
        base_url: base_url?,
        email: email?,
        token: token?,
        project: project?,
        issue_type: issue_type?,
        labels: labels?,
        priorities: priorities?,
        fields: custom?,
        reopen_secs: reopen_secs?,
        reopen_transition: reopen_transition?,
        resolve_transition: resolve_transition?,
    })
}

/// A project's key goes into a search as it is.
fn project(value: &Value<'_>) -> Option<String> {
    let key = value.text()?;
    let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    if key.len() <= 50 && key.starts_with(|c: char| c.is_ascii_uppercase()) && key.bytes().all(fits) {
        return Some(key);
    }
    value.fail("this is no project key", "write the key before a ticket's number, for instance OPS")
}

fn priorities(value: &Value<'_>) -> Option<BTreeMap<Severity, String>> {
    let read = |(name, value): (String, Value<'_>)| {
        let (severity, priority) = (severity_word(&value, &name), value.text());
        Some((severity?, priority?))
    };
    Some(all(value.entries()?.into_iter().map(read))?.into_iter().collect())
}

fn custom_fields(value: &Value<'_>) -> Option<Map<String, Json>> {
    let read = |(name, value): (String, Value<'_>)| match OURS.iter().find(|(ours, _)| *ours == name) {
        Some((_, mend)) => value.fail("Tocsin sets this field itself", *mend),
        None => Some((name, json(&value)?)),
    };
    Some(all(value.entries()?.into_iter().map(read))?.into_iter().collect())
}

/// YAML as JSON.
fn json(value: &Value<'_>) -> Option<Json> {
    let number = match &value.node().data {
        YamlData::Value(Scalar::Null) => return Some(Json::Null),
        YamlData::Value(Scalar::Boolean(value)) => return Some(Json::Bool(*value)),
        YamlData::Value(Scalar::String(value)) => return Some(Json::String(value.to_string())),
        YamlData::Sequence(_) => return all(value.items()?.iter().map(json)).map(Json::Array),
        YamlData::Mapping(_) => {
            let pair = |(name, value): (String, Value<'_>)| Some((name, json(&value)?));
            return Some(Json::Object(all(value.entries()?.into_iter().map(pair))?.into_iter().collect()));
        }
        YamlData::Value(Scalar::Integer(value)) => Some(Number::from(*value)),
        YamlData::Value(Scalar::FloatingPoint(value)) => Number::from_f64(value.into_inner()),
        _ => None,
    };
    let unfit = || value.fail("Jira cannot be sent this", "use text, numbers, lists and mappings with text keys");
    number.map(Json::Number).or_else(unfit)
}
