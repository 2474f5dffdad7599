//! The preview page: every message of one event, for every receiver and transition.
//!
//! Invariant: every value passes handlebars' HTML escape; the page loads and runs nothing, and its own policy forbids it.

use config::Config;
use domain::{Alert, Transition};
use handlebars::Handlebars;
use receivers::{Receiver, Request, Templates};
use serde_json::{Value, json};

use crate::rehearsal::{notification, requests};

const PAGE: &str = include_str!("preview.html");

/// Fields of a body whose text people read.
const READ: [&str; 7] = ["summary", "title", "text", "description", "body", "content", "comment"];

/// The page, as HTML.
pub(super) fn page(alert: &Alert, event: &str, config: &Config, templates: &Templates) -> anyhow::Result<String> {
    let mut receivers = Vec::new();
    for receiver in &config.receivers {
        let mut transitions = Vec::new();
        for transition in Transition::ALL {
            transitions.push(told(receiver, alert, config, templates, transition)?);
        }
        let names = config.rule_of(alert).receivers.contains(&receiver.name);
        let (name, kind) = (&receiver.name, receiver.kind().as_str());
        receivers.push(json!({ "name": name, "kind": kind, "routed": names, "transitions": transitions }));
    }
    let rule = &config.rule_of(alert).name;
    let (service, metric, monitor) = (&alert.service, &alert.metric, &alert.monitor);
    let facts = json!({
        "event": event, "rule": rule, "service": service, "metric": metric, "monitor": monitor, "receivers": receivers,
    });
    Ok(Handlebars::new().render_template(PAGE, &facts)?)
}

fn told(
    receiver: &Receiver,
    alert: &Alert,
    config: &Config,
    templates: &Templates,
    transition: Transition,
) -> anyhow::Result<Value> {
    let told = notification(alert, config, transition)?;
    let requests = requests(receiver, &told, templates, transition != Transition::Opened);
    let steps: Vec<Value> = requests.iter().map(|(name, request)| step(name, request)).collect();
    Ok(json!({ "transition": transition.as_str(), "steps": steps }))
}

fn step(name: &str, request: &Request) -> Value {
    let shown = request.shown();
    let body = serde_json::to_string_pretty(&shown["body"]).unwrap_or_default();
    let mut texts = Vec::new();
    collect(&shown["body"], &mut texts);
    json!({ "name": name, "method": shown["method"], "url": shown["url"], "texts": texts, "body": body })
}

/// What people read of a body, in its order, each text once.
fn collect<'v>(value: &'v Value, texts: &mut Vec<&'v str>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| match value {
            Value::String(text) if READ.contains(&name.as_str()) && !texts.contains(&text.as_str()) => texts.push(text),
            other => collect(other, texts),
        }),
        Value::Array(items) => items.iter().for_each(|item| collect(item, texts)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use domain::{Status, Timestamp};

    use super::*;
    use crate::events::EVENTS;
    use crate::example::CONFIG;
    use crate::local::{LOCAL_SECRET, LocalEnvironment};
    use crate::rehearsal::decode;

    fn alert(config: &Config) -> Alert {
        let event = EVENTS.iter().find(|event| event.name == "arize/latency_p95.json").expect("bundled");
        let source = config.source("arize").expect("known");
        decode(source, event.body, Timestamp::UNIX_EPOCH).expect("it is read").remove(0)
    }

    #[test]
    fn it_has_every_receiver_and_transition_and_nothing_of_the_alert_runs() {
        let config = config::load(CONFIG, &LocalEnvironment::new(CONFIG)).expect("it is whole");
        let mut alert = alert(&config);
        assert_eq!(alert.status, Status::Firing);
        let hostile = "<script>alert(1)</script><img src=x onerror=\"y\"> {{headline}}";
        alert.monitor = hostile.to_owned();
        alert.labels.insert("team".to_owned(), hostile.to_owned());
        let page = page(&alert, "<b>event</b>", &config, &Templates::bundled()).expect("it renders");
        for receiver in &config.receivers {
            assert!(page.contains(&format!(">{}</h2>", receiver.name)), "{}", receiver.name);
        }
        for transition in Transition::ALL {
            let found = page.matches(&format!("<h3>{}</h3>", transition.as_str())).count();
            assert_eq!(found, config.receivers.len(), "{}", transition.as_str());
        }
        for part in ["<script", "<img", "<b>event", "src=x onerror=\"", "http-equiv=\"refresh"] {
            assert!(!page.contains(part), "{part}");
        }
        assert!(page.contains("&lt;script&gt;") && page.contains("default-src 'none'"));
        assert!(!page.contains(LOCAL_SECRET), "a secret is shown");
        assert!(!page.contains("<link") && !page.contains("<a "), "a link of an alert is text");
    }
}
