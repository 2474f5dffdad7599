//! What the stand-ins were sent, for the page.
//!
//! Invariant: this shows what the vendor holds, not what was meant to be sent.

use serde_json::{Value, json};
use stand_ins::StandIns;

/// One inbox a vendor.
pub(crate) fn of(stand_ins: &StandIns) -> Value {
    let alerts = stand_ins.pagerduty.alerts();
    let alerts = alerts.iter().map(|a| json!({ "key": a.dedup_key, "state": a.state, "text": a.summary }));
    let messages = stand_ins.slack.messages();
    let messages = messages.iter().map(|m| {
        let state = if m.thread_ts.is_some() { "in a thread" } else { "" };
        json!({ "key": m.ts, "state": state, "text": m.text })
    });
    let issues = stand_ins.jira.issues();
    let issues = issues.iter().map(|i| json!({ "key": i.key, "state": i.status, "text": i.text("summary") }));
    let linear = stand_ins.linear.issues();
    let linear = linear.iter().map(|i| {
        let state = if i.state == stand_ins::linear::DONE { "done" } else { "open" };
        json!({ "key": i.identifier, "state": state, "text": i.title })
    });
    let webhook = stand_ins.webhook.taken();
    let webhook =
        webhook.iter().map(|t| json!({ "key": t.id, "state": t.body["transition"], "text": t.body.to_string() }));
    let mut inboxes = vec![
        json!({ "vendor": "PagerDuty", "items": alerts.collect::<Vec<_>>() }),
        json!({ "vendor": "Slack", "items": messages.collect::<Vec<_>>() }),
        json!({ "vendor": "Jira", "items": issues.collect::<Vec<_>>() }),
        json!({ "vendor": "Linear", "items": linear.collect::<Vec<_>>() }),
        json!({ "vendor": "Webhook", "items": webhook.collect::<Vec<_>>() }),
    ];
    inboxes.extend(stand_ins.others.taken().into_iter().map(|(vendor, bodies)| {
        let items =
            bodies.iter().map(|taken| json!({ "key": taken.path, "state": "", "text": taken.body.to_string() }));
        json!({ "vendor": vendor, "items": items.collect::<Vec<_>>() })
    }));
    inboxes.into()
}
