//! A rule's query, in the form of the metric source that it goes to.
//!
//! Invariant: a query has the form of exactly one source, and a template is told by its type from a text whose labels are
//! filled in, so that neither can be sent as the other.

use std::collections::BTreeMap;

/// Where metrics are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MetricSource {
    /// Prometheus, or what is compatible with it.
    Prometheus,
    /// Datadog.
    Datadog,
    /// Amazon `CloudWatch`.
    Cloudwatch,
    /// Arize AX: a monitor's own history.
    Arize,
}

impl MetricSource {
    /// Every source.
    pub const ALL: [Self; 4] = [Self::Prometheus, Self::Datadog, Self::Cloudwatch, Self::Arize];

    /// Its word in `from:`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Prometheus => "prometheus",
            Self::Datadog => "datadog",
            Self::Cloudwatch => "cloudwatch",
            Self::Arize => "arize",
        }
    }

    /// The section of the file that says how it is reached.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::Arize => "arize_api",
            other => other.as_str(),
        }
    }
}

/// A query. `Text` is a [`Template`] in a rule, and text where an alert's labels are filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query<Text = String> {
    /// `PromQL`; a label stands inside double quotes.
    Prometheus(Text),
    /// Datadog's query text; a label stands in a tag's value.
    Datadog(Text),
    /// One metric of `CloudWatch`.
    Cloudwatch(CloudwatchQuery<Text>),
    /// One monitor of Arize AX.
    Arize(ArizeQuery<Text>),
}

/// What identifies a `CloudWatch` metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudwatchQuery<Text = String> {
    /// `AWS/SageMaker`.
    pub namespace: String,
    /// `ModelLatency`.
    pub metric: String,
    /// `Average`, `Sum`, `p95`.
    pub stat: String,
    /// Values by name; only the metric with all of these and no other is read.
    pub dimensions: BTreeMap<String, Text>,
}

/// What identifies a monitor of Arize AX.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArizeQuery<Text = String> {
    /// The space's id.
    pub space: String,
    /// The model's or project's name.
    pub model: Text,
    /// The monitor's name.
    pub monitor: Text,
}

impl<Text> Query<Text> {
    /// Where it goes.
    #[must_use]
    pub fn source(&self) -> MetricSource {
        match self {
            Self::Prometheus(_) => MetricSource::Prometheus,
            Self::Datadog(_) => MetricSource::Datadog,
            Self::Cloudwatch(_) => MetricSource::Cloudwatch,
            Self::Arize(_) => MetricSource::Arize,
        }
    }

    /// The same query with other texts.
    ///
    /// # Errors
    /// The first that `change` gives.
    pub fn try_map<Other, E>(&self, mut change: impl FnMut(&Text) -> Result<Other, E>) -> Result<Query<Other>, E> {
        Ok(match self {
            Self::Prometheus(text) => Query::Prometheus(change(text)?),
            Self::Datadog(text) => Query::Datadog(change(text)?),
            Self::Cloudwatch(own) => {
                let dimensions = own.dimensions.iter().map(|(name, value)| Ok((name.clone(), change(value)?)));
                Query::Cloudwatch(CloudwatchQuery {
                    namespace: own.namespace.clone(),
                    metric: own.metric.clone(),
                    stat: own.stat.clone(),
                    dimensions: dimensions.collect::<Result<_, E>>()?,
                })
            }
            Self::Arize(own) => Query::Arize(ArizeQuery {
                space: own.space.clone(),
                model: change(&own.model)?,
                monitor: change(&own.monitor)?,
            }),
        })
    }
}

impl Query<Template> {
    /// The labels that it asks for.
    #[must_use]
    pub fn labels(&self) -> Vec<&str> {
        match self {
            Self::Prometheus(text) | Self::Datadog(text) => text.labels().collect(),
            Self::Cloudwatch(own) => own.dimensions.values().flat_map(Template::labels).collect(),
            Self::Arize(own) => own.model.labels().chain(own.monitor.labels()).collect(),
        }
    }
}

/// A text in which `{{label}}` stands for an alert's label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Label(String),
}

impl Template {
    /// Splits a text whose placeholders have been checked.
    pub(crate) fn of(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, (label, after))) =
            rest.split_once("{{").and_then(|(before, tail)| Some((before, tail.split_once("}}")?)))
        {
            parts.extend([Part::Text(before.to_owned()), Part::Label(label.to_owned())]);
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Self { parts }
    }

    /// The labels that it names.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Label(label) => Some(label.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text, with what `value` gives in a label's place.
    ///
    /// # Errors
    /// The first that `value` gives.
    pub fn fill_in<E>(&self, mut value: impl FnMut(&str) -> Result<String, E>) -> Result<String, E> {
        let written = self.parts.iter().map(|part| match part {
            Part::Text(text) => Ok(text.clone()),
            Part::Label(label) => value(label),
        });
        written.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_its_text_with_labels_in_it() {
        for (text, labels, filled) in [
            ("up", vec![], "up"),
            ("", vec![], ""),
            (r#"x{m="{{model}}"}"#, vec!["model"], r#"x{m="<model>"}"#),
            ("avg:x{m:{{model}},e:{{e}}}", vec!["model", "e"], "avg:x{m:<model>,e:<e>}"),
            ("{{a}}{{b}}", vec!["a", "b"], "<a><b>"),
        ] {
            let template = Template::of(text);
            assert_eq!(template.labels().collect::<Vec<_>>(), labels, "{text}");
            let written = template.fill_in(|label| Ok::<_, ()>(format!("<{label}>")));
            assert_eq!(written.as_deref(), Ok(filled), "{text}");
        }
    }
}
