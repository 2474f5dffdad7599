//! `tocsin render`: the exact request that a receiver would be sent.
//!
//! Invariant: it is built by the receiver itself; only header values and the routing key are hidden.

use anyhow::{Context, bail};
use config::{Config, TemplateDirectory};
use domain::{
    Alert, Confirmation, Decision, DeliveryId, Fingerprint, Handle, Incident, Notification, Progress, Timestamp,
    Transition,
};
use pipeline::SystemClock;
use pipeline::ports::Clock;
use receivers::{Context as Delivering, Step};
use serde_json::{Value, json};

use crate::cli::RenderArgs;
use crate::event::decode;
use crate::example::load;
use crate::run::Answer;

/// Prints the request as JSON.
pub(crate) fn render(args: &RenderArgs, say: &mut impl FnMut(String)) -> anyhow::Result<Answer> {
    let config = load(args.config.as_deref())?;
    let Some(transition) = Transition::parse(&args.transition) else {
        let words = Transition::ALL.map(Transition::as_str).join(", ");
        bail!("--transition {}: use one of {words}", args.transition);
    };
    let Some(receiver) = config.receiver(&args.receiver) else {
        let known: Vec<&str> = config.receivers.iter().map(|r| r.name.as_str()).collect();
        bail!("--receiver {}: use one of {}", args.receiver, known.join(", "));
    };
    let alerts = decode(&args.event, args.source.as_deref(), &config, SystemClock.now())?;
    let alert = alerts.first().context("the event holds no alert")?;
    let notification = notification(alert, &config, transition)?;
    let delivery = DeliveryId { incident: notification.incident.clone(), receiver: receiver.name.clone(), seq: 0 };
    let current = TemplateDirectory::new(args.templates.clone()).current();
    let (known, progress) = (Handle::default(), Progress::default());
    let context = Delivering {
        notification: &notification,
        delivery: &delivery,
        known: &known,
        earlier: None,
        progress: &progress,
        templates: &current.templates,
        now: notification.at,
    };
    let shown = match receiver.next(&context) {
        Step::Send { name, request } | Step::LookUp { of: name, request } => {
            let (method, url) = (request.method.as_str(), request.shown_url());
            let headers: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
            json!({ "step": name, "method": method, "url": url, "headers": headers, "body": hide(request.body) })
        }
        Step::Finished => json!({ "step": null }),
    };
    say(serde_json::to_string_pretty(&shown)?);
    Ok(Answer::Done)
}

fn hide(body: Option<Value>) -> Value {
    let mut body = body.unwrap_or(Value::Null);
    if let Some(key) = body.get_mut("routing_key") {
        *key = json!("[hidden]");
    }
    body
}

/// The notification of an episode that was just opened, or ended ten minutes later, without anything learned but what
/// the rule says.
fn notification(alert: &Alert, config: &Config, transition: Transition) -> anyhow::Result<Notification> {
    let rule = config.rule_of(alert);
    let fingerprint = Fingerprint::of(alert, &rule.group_by);
    let now = alert.received_at;
    let unchecked = Confirmation::not_configured(now);
    let firing = [Alert { status: domain::Status::Firing, ..alert.clone() }];
    let decision: Decision = domain::decide(None, &firing, Some(&unchecked), &rule.policy, now);
    let incident = Incident::after(None, &fingerprint, &rule.name, &firing, &decision, &rule.policy, now)
        .context("no incident comes of this event")?;
    let mut told = pipeline::notification(&incident, alert, transition, now);
    told.enrichment.runbook.clone_from(&rule.runbook);
    told.enrichment.dashboards.clone_from(&rule.dashboards);
    if transition == Transition::Resolved {
        told.state = domain::State::Resolved;
        told.resolved_at = Some(Timestamp::from_second(now.as_second() + 600).unwrap_or(now));
        told.at = told.resolved_at.unwrap_or(now);
    }
    Ok(told)
}
