//! What is asked outside before people are told: the vendor where there are credentials, else its stand-in.
//!
//! Invariant: a vendor's address is left as it is where credentials, or an address of one's own, are given for it.

use aws::CloudWatch;
use config::{Cloudwatch, Config, Environment, ProcessEnvironment};
use domain::Timestamp;
use receivers::Receiver;
use secrecy::{ExposeSecret, SecretString};
use stand_ins::StandIns;
use stand_ins::prometheus::Shape;

use super::{LOCAL_SECRET, LocalError, part};

/// Puts stand-ins in the place of what has no credentials, and says so.
pub(super) fn configure(config: &mut Config, stand_ins: &StandIns, notes: &mut Vec<String>) {
    if let Some(github) = &mut config.github
        && github.token.as_ref().is_some_and(|token| stands_in(token, "TOCSIN_GITHUB_API_URL"))
    {
        github.base_url = stand_ins.github.url();
        notes.push("github has no credentials: deployments come from a stand-in".to_owned());
    }
    if let Some(prometheus) = &mut config.prometheus
        && prometheus.token.as_ref().is_some_and(|token| stands_in(token, "TOCSIN_PROMETHEUS_URL"))
    {
        prometheus.url = stand_ins.prometheus.url();
        notes.push("prometheus has no credentials: metrics come from a stand-in".to_owned());
    }
    if let Some(datadog) = &mut config.datadog
        && (stands_in(&datadog.api_key, "TOCSIN_DATADOG_API_URL")
            || stands_in(&datadog.app_key, "TOCSIN_DATADOG_API_URL"))
    {
        datadog.base_url = stand_ins.datadog.url();
        notes.push("datadog has no credentials: metrics come from a stand-in".to_owned());
    }
    if let Some(arize) = &mut config.arize_api {
        if stands_in(&arize.key, "TOCSIN_ARIZE_API_URL") {
            arize.base_url = format!("{}/v2", stand_ins.arize.url());
            notes.push("arize_api has no credentials: monitors come from a stand-in".to_owned());
        }
        if stands_in(arize.graphql_key.as_ref().unwrap_or(&arize.key), "TOCSIN_ARIZE_GRAPHQL_URL") {
            arize.graphql_url = format!("{}/graphql", stand_ins.arize.url());
            notes.push("arize_api has no credentials: monitors' history comes from a stand-in".to_owned());
        }
    }
}

/// Puts a stand-in in the place of a receiver without credentials; true where it did.
pub(super) fn stand_in_for(receiver: &mut Receiver, stand_ins: &StandIns) -> bool {
    let is_unset = receiver.credentials().into_iter().any(is_local);
    let is_elsewhere = receiver.address_variable().is_some_and(|name| ProcessEnvironment.var(&name).is_some());
    if !is_unset || is_elsewhere {
        return false;
    }
    let kind = receiver.kind();
    let (status, yes) = receivers::yes(kind);
    receiver.move_to(&stand_ins.receiver(kind.as_str(), status, yes));
    true
}

/// True for a secret, or an address, that is not set.
fn is_local(secret: &SecretString) -> bool {
    secret.expose_secret().ends_with(LOCAL_SECRET)
}

/// True where a secret is not set and no address was given for it.
pub(super) fn stands_in(secret: &SecretString, variable: &str) -> bool {
    secret.expose_secret() == LOCAL_SECRET && ProcessEnvironment.var(variable).is_none()
}

/// `CloudWatch` has no secret in the config: its credentials are the environment's.
pub(super) fn cloudwatch(
    own: &Cloudwatch,
    stand_ins: &StandIns,
    notes: &mut Vec<String>,
) -> Result<CloudWatch, LocalError> {
    let read = |name: &str| ProcessEnvironment.var(name).filter(|value| !value.is_empty());
    if read("AWS_ACCESS_KEY_ID").is_some() {
        return CloudWatch::from_env(own.region.as_deref()).map_err(part("CloudWatch"));
    }
    if let Some(url) = read("AWS_ENDPOINT_URL_CLOUDWATCH").or_else(|| read("AWS_ENDPOINT_URL")) {
        return Ok(CloudWatch::local(&url));
    }
    notes.push("cloudwatch has no credentials: metrics come from a stand-in".to_owned());
    Ok(CloudWatch::local(&stand_ins.cloudwatch.url()))
}

/// What the stand-ins know: two deployments, and the metrics that the example config asks for.
pub(super) fn seed(stand_ins: &StandIns, now: Timestamp) {
    stand_ins.github.seed_demo(now);
    let jump = |level, to, noise| Shape::Jump { level, to, since_secs_before_end: 600, noise };
    for (query, shape) in [
        ("vllm:e2e_request_latency_seconds_bucket", jump(1.3, 4.2, 0.08)),
        ("chat_request_errors_total", jump(2.0, 45.0, 1.0)),
        ("chat_requests_total", Shape::Flat { level: 600.0, noise: 20.0 }),
        ("chat_cost_usd_per_request", jump(0.012, 0.031, 0.0005)),
    ] {
        stand_ins.prometheus.script(query, shape);
    }
}
