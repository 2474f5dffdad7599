//! A rule's `query:` and `total_query:`, in the form of the source that they go to.
//!
//! Invariant: a placeholder stands only where a label's value cannot change the query around it, and names a label that
//! some source gives.

mod arize;
mod cloudwatch;
mod datadog;
mod promql;

use super::known::Known;
use crate::reader::Value;
use crate::{MetricSource, Query, Template};

/// Characters of a query, at most.
const QUERY_CHARS_MAX: usize = 8000;

/// Why a query cannot be used, and the mend.
type Flaw = (String, &'static str);

/// A query as it is written.
pub(crate) fn query(value: &Value<'_>, source: MetricSource, known: &Known) -> Option<Query<Template>> {
    match source {
        MetricSource::Prometheus => text(value, promql::scan, known).map(Query::Prometheus),
        MetricSource::Datadog => text(value, datadog::scan, known).map(Query::Datadog),
        MetricSource::Cloudwatch => cloudwatch::read(value, known).map(Query::Cloudwatch),
        MetricSource::Arize => arize::read(value, known).map(Query::Arize),
    }
}

/// A query that is text; `scan` gives the labels that its placeholders name.
fn text(value: &Value<'_>, scan: fn(&str) -> Result<Vec<String>, Flaw>, known: &Known) -> Option<Template> {
    if value.is_mapping() {
        let mend = "write it as text; a mapping is for `from: cloudwatch` and `from: arize`";
        return value.fail("a query for this source is text", mend);
    }
    template(value, &value.text()?, scan, known)
}

/// A value in a mapping: a placeholder may stand anywhere in it, since it is sent as a value and not as text of a query.
fn value_template(value: &Value<'_>, known: &Known) -> Option<Template> {
    template(value, &value.text()?, scan_value, known)
}

/// A value that no alert chooses.
fn fixed(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    if text.contains("{{") {
        return value.fail("no placeholder can stand here", "write the value itself");
    }
    Some(text)
}

fn template(
    value: &Value<'_>,
    text: &str,
    scan: fn(&str) -> Result<Vec<String>, Flaw>,
    known: &Known,
) -> Option<Template> {
    if text.chars().count() > QUERY_CHARS_MAX {
        return value.fail("the query is too long", format!("write at most {QUERY_CHARS_MAX} characters"));
    }
    match scan(text) {
        Ok(labels) => {
            let fits: Vec<Option<()>> = labels.iter().map(|label| known.label(value, label)).collect();
            fits.into_iter().collect::<Option<()>>().map(|()| Template::of(text))
        }
        Err((what, mend)) => value.fail(what, mend),
    }
}

fn scan_value(text: &str) -> Result<Vec<String>, Flaw> {
    let mut labels = Vec::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c == '{' && rest.as_str().starts_with('{') {
            labels.push(placeholder(&mut rest)?);
        }
    }
    Ok(labels)
}

/// Reads `{label}}`, after its first brace.
fn placeholder(rest: &mut std::str::Chars<'_>) -> Result<String, Flaw> {
    let inner = rest.as_str().strip_prefix('{').and_then(|text| text.split_once("}}"));
    let is_label = |label: &str| {
        let fits = label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        fits && label.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    };
    match inner {
        Some((label, after)) if is_label(label) => {
            *rest = after.chars();
            Ok(label.to_owned())
        }
        _ => Err(("a placeholder is not written as {{label}}".to_owned(), "use letters, digits and _, no spaces")),
    }
}
