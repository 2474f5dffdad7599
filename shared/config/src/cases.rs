//! Alerts and where each should go: routing tests as data, for `tocsin route --cases`.
//!
//! Invariant: a case that expects nothing is a mistake, since it could not fail.

use std::collections::BTreeMap;

use domain::{Alert, AlertId, Severity, Status, Timestamp};

use crate::fields::Fields;
use crate::mistake::choose;
use crate::reader::{Report, Value, all};
use crate::sections::severity_word;
use crate::{Environment, Mistake, yaml};

/// What a case may say.
const FIELDS: &[&str] = &["name", "alert", "event", "source", "at", "expect"];

/// What a case may expect.
const EXPECTED: &[&str] = &["rule", "also", "phase", "receivers", "muted"];

/// Where an alert should go.
#[derive(Debug, Clone)]
pub struct RouteCase {
    /// Its name, or `case <number>`.
    pub name: String,
    /// Its line in the file.
    pub line: usize,
    /// The alert.
    pub of: CaseAlert,
    /// When; `None`: now.
    pub at: Option<Timestamp>,
    /// What should become of it.
    pub expect: Expected,
}

/// What may mute an alert, by the names of its reasons; `yes` is any of them, `no` none.
const MUTED: [&str; 6] = ["no", "yes", "silenced", "maintenance", "muted_time", "outside_active_time"];

/// The alert of a case.
#[derive(Debug, Clone)]
pub enum CaseAlert {
    /// Its labels.
    Labels(BTreeMap<String, String>),
    /// A file with an event, relative to the cases; and its source, where the file's folder does not name it.
    Event(String, Option<String>),
}

/// What should become of an alert; what is absent is not compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected {
    /// The rule that decides.
    pub rule: Option<String>,
    /// The rules that follow it.
    pub also: Option<Vec<String>>,
    /// How far its rollout is.
    pub phase: Option<String>,
    /// Who is told; none where it is muted.
    pub receivers: Option<Vec<String>>,
    /// Why nobody is told: a reason's name, `yes` for any, or `no`.
    pub muted: Option<String>,
}

impl CaseAlert {
    /// An alert of these labels. `service`, `metric`, `severity`, `source` and `monitor` are its own fields.
    #[must_use]
    pub fn alert(labels: &BTreeMap<String, String>, at: Timestamp) -> Alert {
        let mut labels = labels.clone();
        let mut own = |name: &str, default: &str| labels.remove(name).unwrap_or_else(|| default.to_owned());
        let (source, monitor) = (own("source", "generic"), own("monitor", "case"));
        let (service, metric) = (own("service", ""), own("metric", ""));
        let severity = Severity::parse(&own("severity", "error")).unwrap_or(Severity::Error);
        Alert {
            id: AlertId::new("case"),
            source,
            monitor,
            monitor_id: None,
            service,
            metric,
            status: Status::Firing,
            severity,
            labels,
            value: None,
            baseline: None,
            threshold: None,
            observed_at: at,
            received_at: at,
            links: Vec::new(),
            rule: None,
            also: Vec::new(),
        }
    }
}

/// Reads cases from YAML.
///
/// # Errors
/// Every mistake, in the file's order.
pub fn load_cases(text: &str, environment: &dyn Environment) -> Result<Vec<RouteCase>, Vec<Mistake>> {
    let root = yaml::parse(text).map_err(|mistake| vec![mistake])?;
    let report = Report::new(environment);
    let root = Value::root(&report, &root);
    let cases = root.items().and_then(|items| {
        if items.is_empty() {
            return root.fail("there is no case", "write `- alert: { … }` with `expect: { … }`");
        }
        all(items.iter().enumerate().map(|(index, item)| case(item, index)))
    });
    match (cases, report.into_mistakes()) {
        (Some(cases), mistakes) if mistakes.is_empty() => Ok(cases),
        (_, mistakes) => Err(mistakes),
    }
}

fn case(item: &Value<'_>, index: usize) -> Option<RouteCase> {
    let fields = item.fields(FIELDS)?;
    let name = fields.or("name", format!("case {}", index + 1), Value::text);
    let of = of(&fields);
    let at = fields.optional("at", |value| {
        let text = value.text()?;
        text.parse()
            .ok()
            .or_else(|| value.fail(format!("`{text}` is no time"), "write for instance 2026-12-01T22:00:00Z"))
    });
    let expect = fields.required("expect", expected);
    Some(RouteCase { name: name?, line: item.line(), of: of?, at: at?, expect: expect? })
}

fn of(fields: &Fields<'_>) -> Option<CaseAlert> {
    match (fields.get("alert"), fields.get("event")) {
        (Some(alert), None) => {
            let labels = all(alert.entries()?.into_iter().map(|(label, value)| {
                let text = value.text_or_number()?;
                if label == "severity" {
                    severity_word(&value, &text)?;
                }
                Some((label, text))
            }));
            labels.map(|labels| CaseAlert::Labels(labels.into_iter().collect()))
        }
        (None, Some(event)) => {
            let source = fields.optional("source", Value::text);
            Some(CaseAlert::Event(event.text()?, source?))
        }
        _ => fields.whole().fail("it needs one alert", "write `alert:` with labels, or `event:` with a file"),
    }
}

fn expected(value: &Value<'_>) -> Option<Expected> {
    let fields = value.fields(EXPECTED)?;
    let names = |value: &Value<'_>| {
        let items = if value.is_null() { Vec::new() } else { value.items()? };
        all(items.iter().map(Value::text))
    };
    let rule = fields.optional("rule", Value::text);
    let also = fields.optional("also", names);
    let phase = fields.optional("phase", |value| {
        let (word, phases) = (value.text()?, domain::Phase::ALL.map(domain::Phase::as_str));
        let known = phases.contains(&word.as_str());
        if known { Some(word) } else { value.fail(format!("`{word}` is no phase"), choose(&word, &phases)) }
    });
    let receivers = fields.optional("receivers", names);
    let muted = fields.optional("muted", |value| {
        let word = value.text()?;
        let known = MUTED.contains(&word.as_str());
        let what = format!("`{word}` is no reason why people are not told");
        if known { Some(word) } else { value.fail(what, choose(&word, &MUTED)) }
    });
    let expected = Expected { rule: rule?, also: also?, phase: phase?, receivers: receivers?, muted: muted? };
    if expected == Expected::default() {
        return value.fail("it expects nothing", "write for instance `rule:` or `receivers: [on-call]`");
    }
    Some(expected)
}
