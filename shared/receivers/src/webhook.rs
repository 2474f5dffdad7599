//! Any system that takes JSON over HTTPS: one request a transition, signed as Standard Webhooks says.
//!
//! Invariant: a request sent again has the same `webhook-id` and `idempotency-key`, the delivery's id, so that whoever
//! heeds one of them sees a transition once; the signature is over the very bytes of the body and the time of the sending.
//! Source: <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::BASE64_STANDARD;
use domain::{Handle, Outcome, ReceiverKind, Transition};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::answer::{Twice, of_failure};
use crate::facts::Facts;
use crate::form;
use crate::kind::{Definition, YES};
use crate::readiness::{Check, NotReady, reach};
use crate::section::Section;
use crate::templates::{Markup, Template};
use crate::text::percent_encoded;
use crate::{Address, Context, Method, Request, Response, Step, Vendor};

/// Registered in `domain`.
pub(crate) const DEFINITION: Definition = Definition {
    settings,
    templates: &[
        Template {
            name: "webhook/body.hbs",
            markup: Markup::Json,
            text: include_str!("../../../templates/webhook/body.hbs"),
        },
        Template {
            name: "webhook/zendesk.hbs",
            markup: Markup::Json,
            text: include_str!("../../../templates/webhook/zendesk.hbs"),
        },
        Template {
            name: "webhook/salesforce.hbs",
            markup: Markup::Json,
            text: include_str!("../../../templates/webhook/salesforce.hbs"),
        },
        Template {
            name: "webhook/power_bi.hbs",
            markup: Markup::Json,
            text: include_str!("../../../templates/webhook/power_bi.hbs"),
        },
        Template {
            name: "webhook/wandb.hbs",
            markup: Markup::Json,
            text: include_str!("../../../templates/webhook/wandb.hbs"),
        },
    ],
    yes: YES,
};

/// The one step.
const SEND: &str = "send";

/// Bytes that a signing key has, at least.
const KEY_BYTES_MIN: usize = 16;

/// What signing secrets begin with.
const SECRET_PREFIX: &str = "whsec_";

/// Stands in an address for the incident's id.
pub const INCIDENT: &str = "{incident}";

/// Keys are handed out with and without padding.
const KEY_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bodies that come with Tocsin, by the name in config.
pub const TEMPLATES: [(&str, &str); 5] = [
    ("body", "webhook/body.hbs"),
    ("zendesk", "webhook/zendesk.hbs"),
    ("salesforce", "webhook/salesforce.hbs"),
    ("power_bi", "webhook/power_bi.hbs"),
    ("wandb", "webhook/wandb.hbs"),
];

/// Where requests go, and how they prove who sent them.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The whole address; [`INCIDENT`] in it becomes the incident's id. Often a secret itself.
    pub url: SecretString,
    /// How the request is made: not [`Method::Get`].
    pub method: Method,
    /// The template of the body, one of [`TEMPLATES`].
    pub template: &'static str,
    /// Signs each request; Base64, with or without `whsec_`.
    pub secret: Option<SecretString>,
    /// The whole value of `Authorization`.
    pub authorization: Option<SecretString>,
    /// The transitions that are told; the others are passed over, but for the first call for help of an episode.
    pub transitions: Vec<Transition>,
}

/// The key that a signing secret holds; `None` where it is not Base64 or holds nothing.
#[must_use]
pub fn signing_key(secret: &SecretString) -> Option<Vec<u8>> {
    let text = secret.expose_secret();
    let key = KEY_BASE64.decode(text.strip_prefix(SECRET_PREFIX).unwrap_or(text)).ok()?;
    (!key.is_empty()).then_some(key)
}

fn settings(section: &Section<'_>) -> Option<Box<dyn Vendor>> {
    let doc = "The address, or ${NAME}; {incident} in it becomes the incident's id.";
    let url = section.required("url", form::called(), doc);
    let methods = [("post", Method::Post), ("put", Method::Put), ("patch", Method::Patch)];
    let method = section.or("method", Method::Post, form::words("", methods), "post, where it is left out.");
    let template = section.or("template", TEMPLATES[0].1, form::words("", TEMPLATES), "Which body is sent.");
    let key = form::secret().checked(
        "its variable holds no signing key",
        format!("set {KEY_BYTES_MIN} or more random bytes in Base64, with or without whsec_"),
        |secret| signing_key(secret).is_some_and(|key| key.len() >= KEY_BYTES_MIN),
    );
    let secret = section.optional("secret", key, "Signs each request (Standard Webhooks).");
    let authorization = section.optional("authorization", form::secret(), "The whole value of Authorization.");
    let told = form::one_or_more(form::transition()).checked(
        "who hears of the end hears of the beginning",
        "add opened",
        |told| told.contains(&Transition::Opened),
    );
    let transitions = section.or("transitions", Transition::ALL.to_vec(), told, "Those that are told.");
    let (secret, authorization) = (secret?, authorization?);
    let secret_address = url.as_ref().is_some_and(|url| url.is_secret);
    if secret.is_none() && authorization.is_none() && !secret_address {
        let mend = "add `secret:` (Standard Webhooks) or `authorization:`, or keep the address in a variable";
        return section.fail_at("secret", "nothing proves who sends", mend);
    }
    Some(Box::new(Settings {
        url: url?.address,
        method: method?,
        template: template?,
        secret,
        authorization,
        transitions: transitions?,
    }))
}

impl Vendor for Settings {
    fn kind(&self) -> ReceiverKind {
        ReceiverKind::Webhook
    }

    fn next(&self, context: &Context<'_>) -> Step {
        let transition = context.notification.transition;
        if context.done(SEND) || !(self.transitions.contains(&transition) || is_first_call(context)) {
            return Step::Finished;
        }
        let body = context.templates.render_json(self.template, &Facts::of(context.notification));
        let id = context.delivery.to_string();
        let url = self.url.expose_secret().replace(INCIDENT, &percent_encoded(context.notification.incident.as_str()));
        let mut headers = vec![("webhook-id", id.clone().into()), ("idempotency-key", id.clone().into())];
        let timestamp = context.now.as_second().to_string();
        if let Some(key) = self.secret.as_ref().and_then(signing_key) {
            // Whoever sends it writes the body so as well.
            let signature = signature(&key, &format!("{id}.{timestamp}.{body}"));
            headers.push(("webhook-signature", signature.into()));
        }
        headers.push(("webhook-timestamp", timestamp.into()));
        if let Some(authorization) = &self.authorization {
            headers.push(("authorization", authorization.clone()));
        }
        Step::Send {
            name: SEND,
            request: Request { method: self.method, url, secret_path: true, headers, body: Some(body) },
        }
    }

    fn interpret(&self, _step: &str, response: &Response) -> Outcome {
        of_failure("the webhook", response, Twice::Harmless, None)
            .unwrap_or_else(|| Outcome::Delivered(Handle::with("status", response.status.to_string())))
    }

    fn check(&self, answers: &[Response]) -> Result<Check, NotReady> {
        reach(self.url.expose_secret(), answers, |reached| {
            format!("webhook: {reached} (only a message proves the credentials)")
        })
    }

    fn credentials(&self) -> Vec<&SecretString> {
        std::iter::once(&self.url).chain(&self.secret).chain(&self.authorization).collect()
    }

    fn address(&mut self) -> Address<'_> {
        Address::Whole(&mut self.url, "/{incident}")
    }
}

/// Who is called later than at the opening, by a worse severity or in place of another, hears of it all the same: an
/// opening is always told, and this one is theirs.
fn is_first_call(context: &Context<'_>) -> bool {
    let calls = matches!(
        context.notification.transition,
        Transition::Opened | Transition::Escalated | Transition::Reminded | Transition::Reopened
    );
    calls && context.known.is_empty()
}

/// `v1,<base64 of HMAC-SHA256>`.
fn signature(key: &[u8], text: &str) -> String {
    // An HMAC takes a key of any length.
    let mac = Hmac::<Sha256>::new_from_slice(key).map(|mut mac| {
        mac.update(text.as_bytes());
        mac.finalize().into_bytes()
    });
    format!("v1,{}", mac.map(|mac| BASE64_STANDARD.encode(mac)).unwrap_or_default())
}
