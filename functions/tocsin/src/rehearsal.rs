//! What receivers would be sent for an event: built by the receivers themselves, sent to nobody.
//!
//! Invariant: nothing here leaves the process; an address, a header or a key that is secret is never shown.

use std::path::Path;

use anyhow::{Context, ensure};
use config::Config;
use domain::{
    Alert, AlertId, Confirmation, Decision, DeliveryId, Fingerprint, Handle, Incident, Notification, Progress, Reason,
    State, Status, Timestamp, Transition,
};
use receivers::{Context as Delivering, Receiver, Request, Step, TemplateError, Templates};
use secrecy::SecretString;
use sources::{Auth, Inbound, Source};

use crate::events::{EVENTS, Event};
use crate::local::LOCAL_SECRET;

/// Requests of one delivery, at most: none has more.
const REQUESTS_MAX: usize = 8;

/// What a vendor would have given for a message, or for a step of that name alone.
const GIVEN: [(&str, &str, Option<&str>); 6] = [
    ("channel", "C0AIOPS001", None),
    ("ts", "1764151200.000100", None),
    ("key", "OPS-1", None),
    ("issue", "9cfb482a-81e3-4154-b5b9-2c805e70a02d", None),
    ("transition_id", "31", Some("transitions")),
    ("state", "5e1a0f0e-0b0c-4d0e-8f00-000000000002", Some("states")),
];

/// A template that cannot be used for an event.
pub(crate) struct Failing {
    /// Which template, where, and why.
    pub(crate) error: TemplateError,
    /// The first receiver, transition and event that it failed for.
    pub(crate) first: String,
}

/// Every template that gives way to a plain message for one of the bundled events, with any receiver of the config and
/// any transition, be it the first or a later one that it hears of.
pub(crate) fn failing(config: &Config, templates: &Templates, now: Timestamp) -> Vec<Failing> {
    let noting = templates.noting();
    let mut found: Vec<Failing> = Vec::new();
    for (event, alert) in
        EVENTS.iter().flat_map(|event| alerts(config, event, now).into_iter().map(move |a| (event, a)))
    {
        for transition in Transition::ALL {
            let Ok(told) = notification(&alert, config, transition) else { continue };
            for receiver in &config.receivers {
                for heard_before in [false, true] {
                    requests(receiver, &told, &noting, heard_before);
                }
                for error in noting.noted() {
                    if found.iter().all(|known| known.error != error) {
                        let first = format!("{} of {} for {}", transition.as_str(), event.name, receiver.name);
                        found.push(Failing { error, first });
                    }
                }
            }
        }
    }
    found
}

/// The alerts of a bundled event, by the config's own source of that kind where it reads them, else as the kind does.
fn alerts(config: &Config, event: &Event, now: Timestamp) -> Vec<Alert> {
    let Some(kind) = event.kind() else { return Vec::new() };
    let secret = || vec![SecretString::from(LOCAL_SECRET)];
    let usual = Auth::new("bearer", secret()).ok().map(|auth| {
        let mapping = kind.default_mapping();
        Source { name: kind.as_str().to_owned(), kind, auth, mapping }
    });
    let own = config.sources.iter().filter(|source| source.kind == kind);
    let mut read = own.chain(&usual).filter_map(|source| decode(source, event.body, now).ok());
    // An event that cannot be read has no message: some are there to be refused.
    read.next().unwrap_or_default()
}

/// The alerts of a file, at least one; its folder names the source where nothing else does.
pub(crate) fn decode_file(
    event: &Path,
    source: Option<&str>,
    config: &Config,
    now: Timestamp,
) -> anyhow::Result<Vec<Alert>> {
    let folder = event.parent().and_then(|p| p.file_name()).map(|name| name.to_string_lossy().into_owned());
    let shown = event.display();
    let said = if source.is_some() { format!("--source of {shown}") } else { format!("{shown}: its folder says") };
    let source = source.map(str::to_owned).or(folder).context("--source: name the event's source")?;
    let known = || config.sources.iter().map(|own| own.name.as_str()).collect::<Vec<_>>().join(", ");
    let unknown = || format!("{said} {source}, and the config has no such source; give --source, one of {}", known());
    let source = config.source(&source).with_context(unknown)?;
    let body = std::fs::read(event).with_context(|| format!("{shown}: cannot be read; give an event's path"))?;
    let alerts = decode(source, &body, now).with_context(|| format!("{shown}: cannot be decoded"))?;
    ensure!(!alerts.is_empty(), "{shown}: holds no alert");
    Ok(alerts)
}

/// The alerts of a body.
pub(crate) fn decode(source: &Source, body: &[u8], now: Timestamp) -> anyhow::Result<Vec<Alert>> {
    let inbound = Inbound { headers: &[], query: "", body, received_at: now };
    let mut ids = 1..;
    Ok(source.decode(&inbound, &mut || AlertId::new(format!("rehearsal-{}", ids.next().unwrap_or(0))))?)
}

/// The notification of an episode that was just opened, or ended ten minutes later, without anything learned but what
/// the rule says.
pub(crate) fn notification(alert: &Alert, config: &Config, transition: Transition) -> anyhow::Result<Notification> {
    let rule = config.rule_of(alert);
    let fingerprint = Fingerprint::of(alert, &rule.group_by);
    let now = alert.received_at;
    let unchecked = Confirmation::not_configured(now);
    let firing = [Alert { status: Status::Firing, ..alert.clone() }];
    let decision: Decision = domain::decide(None, &firing, Some(&unchecked), &rule.policy, now);
    let incident = Incident::after(None, &fingerprint, &rule.name, &firing, &decision, &rule.policy, now)
        .context("no incident comes of this event")?;
    let mut told = pipeline::notification(&incident, alert, transition, now);
    told.enrichment.runbook.clone_from(&rule.runbook);
    told.enrichment.dashboards.clone_from(&rule.dashboards);
    if let (Transition::Escalated, Some(step)) = (transition, rule.policy.escalate.first()) {
        told.severity = step.severity.map_or(told.severity, |severity| severity.max(told.severity));
        told.because = Some(Reason::NotAcknowledged { after_secs: step.after_secs }.explain());
    }
    if transition == Transition::Resolved {
        told.state = State::Resolved;
        told.resolved_at = Some(Timestamp::from_second(now.as_second() + 600).unwrap_or(now));
        told.at = told.resolved_at.unwrap_or(now);
    }
    Ok(told)
}

/// Every request of a delivery whose vendor takes each of them; `heard_before`: the receiver was told of the opening.
pub(crate) fn requests(
    receiver: &Receiver,
    told: &Notification,
    templates: &Templates,
    heard_before: bool,
) -> Vec<(&'static str, Request)> {
    let seq = u32::from(heard_before);
    let delivery = DeliveryId { incident: told.incident.clone(), receiver: receiver.name.clone(), seq };
    let given = |step: &str| {
        let fields = GIVEN.iter().filter(|(_, _, of)| of.is_none_or(|of| of == step));
        fields.fold(Handle::default(), |handle, (name, value, _)| handle.and(name, *value))
    };
    let known = if heard_before { given("") } else { Handle::default() };
    let mut progress = Progress::default();
    let mut requests = Vec::new();
    while requests.len() < REQUESTS_MAX {
        let context = Delivering {
            notification: told,
            delivery: &delivery,
            known: &known,
            earlier: None,
            progress: &progress,
            templates,
            now: told.at,
        };
        match receiver.next(&context) {
            Step::Send { name, request } | Step::LookUp { of: name, request } => {
                progress.complete(name, &given(name));
                requests.push((name, request));
            }
            Step::Finished => break,
        }
    }
    requests
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::local::LocalEnvironment;

    /// A receiver of each kind, and each body of a webhook.
    fn config() -> Config {
        let receivers = "receivers:
  pages: { kind: pagerduty, routing_key: \"${A}\" }
  chat: { kind: slack, token: \"${B}\", channel: C0AIOPS001 }
  board: { kind: slack, webhook_url: \"${B_URL}\" }
  tickets: { kind: jira, base_url: \"https://acme.atlassian.net\", email: a@b.example, token: \"${C}\", project: OPS }
  issues: { kind: linear, api_key: \"${D}\", team: 9cfb482a-81e3-4154-b5b9-2c805e70a02d }
";
        let mut text = "sources: { generic: { auth: { secrets: [ \"${S}\" ] } } }\n".to_owned();
        text.push_str("default: { receivers: [pages, chat, board, tickets, issues, body, zendesk, salesforce, power_bi, wandb] }\n");
        text.push_str(receivers);
        for template in ["body", "zendesk", "salesforce", "power_bi", "wandb"] {
            writeln!(text, "  {template}: {{ kind: webhook, url: \"${{E_URL}}\", template: {template} }}")
                .expect("text");
        }
        config::load(&text, &LocalEnvironment::new(&text)).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"))
    }

    #[test]
    fn the_bundled_templates_write_every_message_of_every_event() {
        let found = failing(&config(), &Templates::bundled(), Timestamp::UNIX_EPOCH);
        let found: Vec<String> = found.iter().map(|one| format!("{} ({})", one.error, one.first)).collect();
        assert_eq!(found, [""; 0]);
        let read = EVENTS.iter().filter(|event| !alerts(&config(), event, Timestamp::UNIX_EPOCH).is_empty());
        let unread: Vec<&str> = EVENTS
            .iter()
            .filter(|event| alerts(&config(), event, Timestamp::UNIX_EPOCH).is_empty())
            .map(|event| event.name)
            .collect();
        assert!(read.count() > 18, "{unread:?}");
        assert!(unread.iter().all(|name| !name.contains("latency") && !name.contains("triggered")), "{unread:?}");
    }

    #[test]
    fn a_template_that_fails_for_some_event_alone_is_found_with_that_event() {
        let once = "*{{headline}}*\n{{#if (eq transition \"escalated\")}}{{unknown_helper headline}}{{/if}}";
        let files = [("slack/reply.hbs".to_owned(), once.to_owned())];
        // It passes where it is read: neither the full nor the empty facts are of an escalation.
        let templates = Templates::from_files(files).expect("no mistake is seen yet");
        let found = failing(&config(), &templates, Timestamp::UNIX_EPOCH);
        let names: Vec<&str> = found.iter().map(|one| one.error.name.as_str()).collect();
        assert_eq!(names, ["slack/reply.hbs"]);
        assert_eq!(found[0].error.line, 2);
        assert!(found[0].first.starts_with("escalated of "), "{}", found[0].first);
    }

    #[test]
    fn each_step_of_each_transition_is_shown() {
        let config = config();
        let alert = alerts(&config, &EVENTS[EVENTS.len() - 1], Timestamp::UNIX_EPOCH).remove(0);
        let names = |receiver: &str, transition, heard_before| -> Vec<&'static str> {
            let told = notification(&alert, &config, transition).expect("it is told");
            let receiver = config.receiver(receiver).expect("known");
            requests(receiver, &told, &Templates::bundled(), heard_before).into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names("chat", Transition::Opened, false), ["post"]);
        assert_eq!(names("chat", Transition::Resolved, true), ["update", "reply"]);
        assert_eq!(names("tickets", Transition::Resolved, true), ["comment", "transitions", "transition"]);
        assert_eq!(names("issues", Transition::Resolved, true), ["comment", "states", "move"]);
    }
}
