//! `PagerDuty` Events v2: one event a delivery.
//!
//! Invariant: every event of an episode carries the same dedup key, `tocsin-<incident id>`, so that an event sent twice
//! changes nothing; no event is larger than the vendor takes.
//!
//! Shapes and limits: <https://developer.pagerduty.com/docs/send-alert-event>.

use domain::{Handle, Outcome, ReceiverKind, Transition};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::answer::{Twice, of_failure, without};
use crate::facts::Facts;
use crate::form;
use crate::kind::{Definition, YES};
use crate::readiness::{Check, NotReady, reach};
use crate::section::Section;
use crate::templates::{Markup, Template};
use crate::text::{address, cut, is_web_address};
use crate::{Address, Context, Method, Request, Response, Step, Vendor};

mod details;

/// Registered in `domain`.
pub(crate) const DEFINITION: Definition = Definition {
    settings,
    templates: &[
        Template {
            name: "pagerduty/summary.hbs",
            markup: Markup::Plain,
            text: include_str!("../../../templates/pagerduty/summary.hbs"),
        },
        Template {
            name: "pagerduty/details.hbs",
            markup: Markup::Plain,
            text: include_str!("../../../templates/pagerduty/details.hbs"),
        },
    ],
    yes: YES,
};

/// Where Events v2 lives.
pub const BASE_URL: &str = "https://events.pagerduty.com";

/// Characters of a routing key.
const ROUTING_KEY_CHARS: usize = 32;

/// Longest summary, in UTF-16 units.
const SUMMARY_UNITS_MAX: usize = 1024;

/// Longest dedup key, in characters; an incident id has at most 64.
const DEDUP_KEY_MAX: usize = 255;

/// Largest event as JSON. The vendor says 512 KB; the smaller reading of it is kept.
const EVENT_BYTES_MAX: usize = 512_000;

/// Links shown at the incident.
const LINKS_MAX: usize = 20;

/// Longest text of source, component, group, class and of a link: no limit is documented.
const FIELD_UNITS_MAX: usize = 255;

/// Where events go, and whose they are.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Without path; [`BASE_URL`] unless a test or a region says otherwise.
    pub base_url: String,
    /// The integration key of 32 characters. It travels in the body.
    pub routing_key: SecretString,
}

fn settings(section: &Section<'_>) -> Option<Box<dyn Vendor>> {
    let base_url = section.base_url(Some(BASE_URL), "The Events API's address, where it is another.");
    let routing_key = form::secret().checked(
        "the routing key has not 32 characters",
        "copy the integration key of an Events v2 integration",
        |key| key.expose_secret().chars().count() == ROUTING_KEY_CHARS,
    );
    let routing_key = section.required("routing_key", routing_key, "An Events API v2 integration's key.");
    Some(Box::new(Settings { base_url: base_url?, routing_key: routing_key? }))
}

impl Vendor for Settings {
    fn kind(&self) -> ReceiverKind {
        ReceiverKind::Pagerduty
    }

    fn next(&self, context: &Context<'_>) -> Step {
        let action = action(context.notification.transition);
        if context.done(action) {
            return Step::Finished;
        }
        let body = self.event(action, context);
        let url = address(&self.base_url, "/v2/enqueue");
        Step::Send {
            name: action,
            request: Request { method: Method::Post, url, secret_path: false, headers: Vec::new(), body: Some(body) },
        }
    }

    fn interpret(&self, _step: &str, response: &Response) -> Outcome {
        let body = response.json();
        let said = body.as_ref().and_then(said).map(|said| without(&[self.routing_key.expose_secret()], &said));
        of_failure("PagerDuty", response, Twice::Harmless, said.as_deref()).unwrap_or_else(|| {
            let key = body.as_ref().and_then(|b| b.get("dedup_key")).and_then(Value::as_str);
            Outcome::Delivered(key.map(|k| Handle::with("dedup_key", cut(k, DEDUP_KEY_MAX))).unwrap_or_default())
        })
    }

    fn lookup_delay_secs(&self) -> u64 {
        // Nothing is ever looked up here: the key makes sending again the better question.
        0
    }

    fn is_harmless_twice(&self) -> bool {
        true
    }

    fn check(&self, answers: &[Response]) -> Result<Check, NotReady> {
        reach(&self.base_url, answers, |reached| {
            format!("PagerDuty: {reached}; the routing key has the right form (only an event proves it)")
        })
    }

    fn credentials(&self) -> Vec<&SecretString> {
        vec![&self.routing_key]
    }

    fn address(&mut self) -> Address<'_> {
        Address::Base(&mut self.base_url, "")
    }
}

impl Settings {
    fn event(&self, action: &str, context: &Context<'_>) -> Value {
        let notification = context.notification;
        let mut event = json!({
            "routing_key": self.routing_key.expose_secret(),
            "event_action": action,
            "dedup_key": cut(&format!("tocsin-{}", notification.incident), DEDUP_KEY_MAX),
        });
        if action != "trigger" {
            return event;
        }
        let facts = Facts::of(notification);
        let summary = context.templates.render_line("pagerduty/summary.hbs", &facts);
        let label = |name: &str| facts.labels.get(name).filter(|l| !l.is_empty());
        event["client"] = "Tocsin".into();
        event["payload"] = json!({
            "summary": cut(&summary, SUMMARY_UNITS_MAX),
            "source": field(label("endpoint").unwrap_or(&facts.service)),
            "severity": facts.severity,
            "timestamp": notification.opened_at.to_string(),
            "component": field(&facts.service),
            "group": field(label("environment").unwrap_or(&facts.rule)),
            "class": field(&facts.metric),
        });
        event["links"] = links(&facts);
        let text = context.templates.render("pagerduty/details.hbs", &facts);
        details::attach(&mut event, &text, &facts, EVENT_BYTES_MAX);
        event
    }
}

fn action(transition: Transition) -> &'static str {
    match transition {
        Transition::Opened
        | Transition::Escalated
        | Transition::Reminded
        | Transition::Updated
        | Transition::Reopened => "trigger",
        Transition::Acknowledged => "acknowledge",
        Transition::Resolved => "resolve",
    }
}

/// Required fields must not be empty.
fn field(text: &str) -> String {
    if text.is_empty() { "unknown".to_owned() } else { cut(text, FIELD_UNITS_MAX) }
}

fn links(facts: &Facts) -> Value {
    let runbook = facts.runbook.iter().map(|r| ("Runbook", r.url.as_str()));
    let others = facts.links.iter().chain(&facts.dashboards).map(|l| (l.text.as_str(), l.href.as_str()));
    let suspect =
        facts.suspects.iter().filter_map(|s| s.change.url.as_deref()).map(|url| ("Likely cause", url)).take(1);
    let all = runbook.chain(suspect).chain(others).filter(|(_, href)| is_web_address(href));
    all.take(LINKS_MAX).map(|(text, href)| json!({ "href": href, "text": field(text) })).collect()
}

/// `message` and `errors[]` of a refusal.
fn said(body: &Value) -> Option<String> {
    let message = body.get("message").and_then(Value::as_str);
    let errors = body.get("errors").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let words: Vec<&str> = message.into_iter().chain(errors).collect();
    (!words.is_empty()).then(|| words.join("; "))
}
