//! `sources:` who may raise alerts, by the name in `/alerts/{name}`.
//!
//! Invariant: a source has at least one secret, or topics that AWS signs for; what a mapping may say is the source's own
//! business.

use std::collections::BTreeMap;

use ::sources::{Auth, Field, InvalidAuth, Kind, Mapping, SECRETS_MAX, Source};
use secrecy::SecretString;

use super::shared::check_name;
use crate::PULL;
use crate::environment::secret;
use crate::fields::Fields;
use crate::mistake::choose;
use crate::reader::{Value, all};

pub(crate) fn read(value: &Value<'_>) -> Option<Vec<Source>> {
    let entries = value.entries()?;
    if entries.is_empty() {
        return value.fail("there is no source", "add one, for instance arize");
    }
    all(entries.iter().map(|(name, value)| source(name, value)))
}

fn source(name: &str, value: &Value<'_>) -> Option<Source> {
    let fields = value.fields(&["kind", "auth", "mapping"])?;
    let named = check_name(value, name).and_then(|()| not_ours(value, name));
    let kind = kind(name, &fields);
    let auth = fields.required("auth", |value| auth(value, kind));
    let custom = fields.or("mapping", Mapping::default(), mapping);
    let (kind, custom) = (kind?, custom?);
    let mapping = kind.default_mapping().overlay(custom);
    let checked = check_mapping(fields.place("mapping"), &mapping);
    named?;
    checked?;
    Some(Source { name: name.to_owned(), kind, auth: auth?, mapping })
}

/// Alerts that Tocsin pulls itself carry this source.
fn not_ours(value: &Value<'_>, name: &str) -> Option<()> {
    if name != PULL {
        return Some(());
    }
    value.fail(format!("`{PULL}` is the source of what Tocsin pulls itself"), "give it another name")
}

/// As the source is named, where it does not say.
fn kind(name: &str, fields: &Fields<'_>) -> Option<Kind> {
    let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    match fields.get("kind") {
        Some(value) => {
            let word = value.text()?;
            Kind::parse(&word).or_else(|| value.fail(format!("there is no kind `{word}`"), choose(&word, &names)))
        }
        None => Kind::parse(name).or_else(|| {
            fields.whole().fail_at("kind", "it is missing", format!("add `kind:`, one of {}", names.join(", ")))
        }),
    }
}

fn auth(value: &Value<'_>, source: Option<Kind>) -> Option<Auth> {
    let named = match value.find("kind") {
        Some(value) => auth_kind(&value),
        None => source.map(Kind::default_auth),
    };
    if named == Some(Auth::SNS) {
        return topics(value);
    }
    let fields = value.fields(&["kind", "secrets"])?;
    let kind = named;
    let secrets = fields.required("secrets", secrets);
    match Auth::new(kind?, secrets?) {
        Ok(auth) => Some(auth),
        Err(error) => invalid(&fields, "secrets", &error),
    }
}

/// SNS has no secret: who may send is said by topic.
fn topics(value: &Value<'_>) -> Option<Auth> {
    let fields = value.fields(&["kind", "topics"])?;
    let topics = fields.required("topics", Value::texts)?;
    match Auth::sns(topics) {
        Ok(auth) => Some(auth),
        Err(error) => invalid(&fields, "topics", &error),
    }
}

fn auth_kind(value: &Value<'_>) -> Option<&'static str> {
    let word = value.text()?;
    let known = Auth::parse_kind(&word).ok();
    known.or_else(|| value.fail(format!("there is no authentication `{word}`"), choose(&word, Auth::KINDS)))
}

fn secrets(value: &Value<'_>) -> Option<Vec<SecretString>> {
    let items = value.one_or_more()?;
    if items.len() > SECRETS_MAX {
        return value.fail("there are too many secrets", "give one, or two while you rotate");
    }
    all(items.iter().map(secret))
}

fn invalid<T>(fields: &Fields<'_>, field: &str, error: &InvalidAuth) -> Option<T> {
    let text = error.to_string();
    let (what, mend) = text.split_once(": ").unwrap_or((&text, "look at the section"));
    fields.place(field).fail(what, mend)
}

fn mapping(value: &Value<'_>) -> Option<Mapping> {
    let fields = value.fields(&["alerts", "fields", "labels", "defaults", "firing", "cleared"])?;
    let alerts = fields.optional("alerts", Value::text);
    let by_field = fields.or("fields", BTreeMap::new(), |value| named(value, field, pointers));
    let labels = fields.or("labels", BTreeMap::new(), |value| named(value, |_, name| Some(name.to_owned()), pointers));
    let defaults = fields.or("defaults", BTreeMap::new(), |value| named(value, field, text));
    let firing = fields.or("firing", Vec::new(), Value::texts);
    let cleared = fields.or("cleared", Vec::new(), Value::texts);
    Some(Mapping {
        alerts: alerts?,
        fields: by_field?,
        labels: labels?,
        defaults: defaults?,
        firing: firing?,
        cleared: cleared?,
    })
}

fn named<K: Ord, V>(
    value: &Value<'_>,
    key: impl Fn(&Value<'_>, &str) -> Option<K>,
    read: impl Fn(&Value<'_>) -> Option<V>,
) -> Option<BTreeMap<K, V>> {
    let entries = value.entries()?;
    let pair = |(name, value): &(String, Value<'_>)| {
        let (key, read) = (key(value, name), read(value));
        Some((key?, read?))
    };
    Some(all(entries.iter().map(pair))?.into_iter().collect())
}

fn text(value: &Value<'_>) -> Option<String> {
    value.text()
}

fn field(value: &Value<'_>, name: &str) -> Option<Field> {
    let names = Field::ALL.map(Field::as_str);
    Field::parse(name).or_else(|| value.fail("an alert has no such field", choose(name, &names)))
}

/// One pointer or several. The empty one is the whole body.
fn pointers(value: &Value<'_>) -> Option<Vec<String>> {
    let pointer = |value: &Value<'_>| match value.scalar_text() {
        Some("") => Some(String::new()),
        _ => value.text(),
    };
    all(value.one_or_more()?.iter().map(pointer))
}

/// Puts the mapping's own mistakes (`fields.value: what: mend`) at their places.
fn check_mapping(value: &Value<'_>, mapping: &Mapping) -> Option<()> {
    let mistakes = mapping.check();
    for mistake in &mistakes {
        let (place, text) = mistake.split_once(": ").unwrap_or(("", mistake));
        let (what, mend) = text.rsplit_once(": ").unwrap_or((text, "look at the mapping"));
        value.find(place).unwrap_or_else(|| value.clone()).fail::<()>(what, mend);
    }
    mistakes.is_empty().then_some(())
}
