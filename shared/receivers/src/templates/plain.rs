//! The message when a template cannot be used.
//!
//! Invariant: it depends on no template, names the one that failed, and carries what someone woken at night needs:
//! service, metric, severity, value, incident, verdict, suspect, every gap, runbook.

use serde_json::{Value, json};

use super::Markup;
use crate::facts::Facts;
use crate::text::cut;

/// Longest service or metric name on the one line, in UTF-16 units: what stands after them must fit, too.
const NAME_UNITS_MAX: usize = 60;

/// A message in the markup.
pub(super) fn message(template: &str, markup: Markup, facts: &Facts) -> String {
    let mut text = markup.header(&title(facts));
    for line in lines(template, facts) {
        text.push_str("\n\n");
        text.push_str(&markup.escape(&line));
    }
    text
}

/// One line without markup.
pub(super) fn line(template: &str, facts: &Facts) -> String {
    let unconfirmed = if facts.unconfirmed { "UNCONFIRMED " } else { "" };
    let name = |name: &str| cut(name, NAME_UNITS_MAX);
    let (service, metric) = (name(&facts.service), name(&facts.metric));
    let value = facts.value.as_ref().map(|v| format!(" {v}")).unwrap_or_default();
    let (severity, incident) = (facts.severity, &facts.incident);
    format!("[{severity}] {unconfirmed}{service} {metric}{value} ({incident}; template {template} failed)")
}

/// A JSON object.
pub(super) fn object(template: &str, facts: &Facts) -> Value {
    json!({
        "error": format!("the template {template} failed: this is the plain message"),
        "incident": facts.incident,
        "transition": facts.transition,
        "severity": facts.severity,
        "service": facts.service,
        "metric": facts.metric,
        "text": message(template, Markup::Plain, facts),
    })
}

fn title(facts: &Facts) -> String {
    let unconfirmed = if facts.unconfirmed { "UNCONFIRMED: " } else { "" };
    format!("{unconfirmed}{}", facts.headline)
}

fn lines(template: &str, facts: &Facts) -> Vec<String> {
    let mut lines = vec![
        format!("The template {template} failed: this is the plain message."),
        format!("Incident {} {} at {}, severity {}.", facts.incident, facts.transition, facts.at, facts.severity),
        format!(
            "Service {}, metric {}, value {}.",
            facts.service,
            facts.metric,
            facts.value.as_deref().unwrap_or("unknown")
        ),
    ];
    lines.push(match &facts.unconfirmed_because {
        Some(because) => format!("Verdict: {}. UNCONFIRMED: {because}", facts.verdict),
        None => format!("Verdict: {}.", facts.verdict),
    });
    let evidence = facts.confirmation.iter().flat_map(|c| &c.evidence);
    lines.extend(evidence.map(|e| format!("{}: {}", e.detector, e.because)));
    lines.push(match (&facts.suspect, &facts.no_suspect) {
        (Some(suspect), _) => format!("Likely cause: {suspect}"),
        (None, because) => format!("No suspect: {}", because.as_deref().unwrap_or("no change is known")),
    });
    lines.extend(facts.gaps.iter().map(|g| format!("Not known: {} ({})", g.what, g.why)));
    if let Some(runbook) = &facts.runbook {
        lines.push(format!("Runbook: {}", runbook.url));
        lines.extend(runbook.first_steps.iter().map(|step| format!("Step: {step}")));
    }
    lines
}
