//! `escalate:` – who is told, and how bad it becomes, when nobody acknowledges an incident.
//!
//! Invariant: each step comes later than the one before.

use domain::EscalationStep;

use super::known::Known;
use super::rule_fields::receivers;
use super::shared::severity;
use crate::duration::Bounds;
use crate::reader::{Value, all};

/// Steps of one rule, at most.
const STEPS_MAX: usize = 10;

/// Time from the opening to a step: bounds.
const AFTER: Bounds = Bounds { secs_min: 60, secs_max: 7 * 86_400 };

pub(super) fn read(value: &Value<'_>, known: &Known) -> Option<Vec<EscalationStep>> {
    let items = value.items()?;
    if items.is_empty() || items.len() > STEPS_MAX {
        return value.fail("there are no steps, or too many", format!("give 1 to {STEPS_MAX}"));
    }
    let steps = all(items.iter().map(|item| step(item, known)))?;
    all(items.iter().skip(1).zip(steps.windows(2)).map(|(item, pair)| match pair {
        [before, step] if step.after_secs <= before.after_secs => {
            item.fail("it comes no later than the step before", "put the steps in order, each with a longer `after`")
        }
        _ => Some(()),
    }))?;
    Some(steps)
}

fn step(item: &Value<'_>, known: &Known) -> Option<EscalationStep> {
    let fields = item.fields(&["after", "severity", "receivers"])?;
    let after = fields.required("after", |value| value.duration(AFTER));
    let severity = fields.optional("severity", severity);
    let receivers = fields.or("receivers", Vec::new(), |value| receivers(value, known));
    Some(EscalationStep { after_secs: after?, severity: severity?, receivers: receivers? })
}
