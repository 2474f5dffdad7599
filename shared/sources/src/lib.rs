//! Alert sources: check who sent a webhook over its raw body, then decode it into alerts.
//!
//! Invariant: pure and synchronous, no clock; [`Inbound::received_at`] is the only time. [`Auth::verify`] comes before
//! [`Source::decode`], and only fields that a [`Mapping`] names reach an alert. Adding a source is one file with a
//! `DEFINITION` and one line below. What is absent: HTTP, storage, the replay guard.

mod arize_hmac;
mod auth;
mod auth_error;
mod bearer;
mod decode;
mod grafana_hmac;
mod inbound;
mod json;
mod kind;
mod label_sets;
mod link;
mod mapping;
mod non_finite;
mod observed_at;
mod reading;
mod redact;
mod signed;
mod sns;
mod sns_signature;
mod standard_webhooks;
mod text;
mod url_token;

pub use auth::{Auth, SECRET_BYTES_MIN, SECRETS_MAX};
pub use auth_error::{AuthError, InvalidAuth};
pub use decode::{ALERTS_MAX, DecodeError, Source};
pub use inbound::{BODY_BYTES_MAX, Inbound};
pub use json::DEPTH_MAX;
pub use link::{LINK_CHARS_MAX, LINKS_MAX};
pub use mapping::{Field, LABELS_MAX, Mapping};
pub use observed_at::AHEAD_SECS_MAX;
pub use signed::{FRESH_SECS, SIGNATURES_MAX};
pub use sns::{SNS_AGE_SECS_MAX, Subscription};
pub use text::TEXT_CHARS_MAX;

use kind::{Definition, register};

register! {
    Arize => arize, "Arize AX monitors.";
    Alertmanager => alertmanager, "Prometheus Alertmanager, version 4 of its webhook.";
    Grafana => grafana, "Grafana Alerting's webhook.";
    Datadog => datadog, "Datadog monitors, over its webhook integration.";
    Cloudwatch => cloudwatch, "`CloudWatch` alarms, over SNS or `EventBridge`.";
    Generic => generic, "Anything that posts flat JSON, or JSON that a mapping of its own describes.";
}
