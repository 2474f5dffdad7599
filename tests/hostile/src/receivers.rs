//! One receiver of every kind, in every form that the kind has, as a config names it.
//!
//! Invariant: a kind that is added does not compile before its forms stand here; each body that comes with the kind
//! `webhook` is a form.

use std::collections::BTreeMap;

use anyhow::Context as _;
use domain::ReceiverKind;
use receivers::{Receiver, webhook};
use stand_ins::StandIns;
use tocsin::LOCAL_SECRET;

/// The channel of the receiver `ai-ops`.
pub const CHANNEL: &str = "C0AIOPS001";

/// Name and fields of each form of a kind.
fn forms(kind: ReceiverKind) -> Vec<(String, String)> {
    let form = |name: &str, fields: &str| (name.to_owned(), fields.to_owned());
    match kind {
        ReceiverKind::Pagerduty => vec![form("on-call", r#"routing_key: "${HOSTILE_ROUTING_KEY}""#)],
        ReceiverKind::Slack => vec![
            form("ai-ops", &format!(r#"token: "${{HOSTILE_SLACK_TOKEN}}", channel: {CHANNEL}"#)),
            form("announce", r#"webhook_url: "${HOSTILE_SLACK_URL}""#),
        ],
        ReceiverKind::Jira => vec![form(
            "tickets",
            r#"base_url: "https://acme.atlassian.net", email: tocsin@acme.example, token: "${HOSTILE_JIRA_TOKEN}", project: OPS"#,
        )],
        ReceiverKind::Linear => {
            vec![form("issues", r#"api_key: "${HOSTILE_LINEAR_API_KEY}", team: 9cfb482a-81e3-4154-b5b9-2c805e70a02d"#)]
        }
        ReceiverKind::Webhook => webhook::TEMPLATES
            .iter()
            .map(|(template, _)| {
                let fields = r#"url: "${HOSTILE_WEBHOOK_URL}", secret: "${HOSTILE_WEBHOOK_SECRET}""#;
                (template.replace('_', "-"), format!("{fields}, template: {template}"))
            })
            .collect(),
        #[allow(unreachable_patterns, reason = "a kind that was just registered has no form here yet")]
        _ => Vec::new(),
    }
}

fn all() -> impl Iterator<Item = (ReceiverKind, String, String)> {
    let of = |kind: ReceiverKind| forms(kind).into_iter().map(move |(name, fields)| (kind, name, fields));
    ReceiverKind::ALL.into_iter().flat_map(of)
}

/// Their names, for a rule.
#[must_use]
pub fn names() -> Vec<String> {
    all().map(|(_, name, _)| name).collect()
}

/// The config's `receivers:`.
#[must_use]
pub fn section() -> String {
    all().fold("receivers:\n".to_owned(), |section, (kind, name, fields)| {
        format!("{section}  {name}: {{ kind: {}, {fields} }}\n", kind.as_str())
    })
}

/// The secret that everybody knows for every one that a config names.
#[must_use]
pub fn environment(config: &str) -> BTreeMap<String, String> {
    let value = |name: &String| {
        if name.ends_with("_URL") { format!("https://hooks.example/{LOCAL_SECRET}") } else { LOCAL_SECRET.to_owned() }
    };
    config::secret_names(config).into_iter().map(|name| (name.clone(), value(&name))).collect()
}

/// The receivers as the config's loader makes them, at the vendors' own addresses.
///
/// # Errors
/// When the section has a mistake.
pub fn loaded() -> anyhow::Result<Vec<Receiver>> {
    let names = names();
    let names = names.join(", ");
    let text = format!(
        "sources: {{ arize: {{ auth: {{ kind: bearer, secrets: [ \"${{HOSTILE_ARIZE_SECRET}}\" ] }} }} }}\n\
         rules: [ {{ name: everything, match: {{}}, receivers: [{names}] }} ]\n\
         default: {{ receivers: [{names}] }}\n{}",
        section()
    );
    let config = config::load(&text, &environment(&text)).map_err(|mistakes| anyhow::anyhow!("{mistakes:?}"))?;
    Ok(config.receivers)
}

/// The same, with stand-ins in the vendors' places.
///
/// # Errors
/// When the section has a mistake.
pub fn at(vendors: &StandIns) -> anyhow::Result<Vec<Receiver>> {
    let mut receivers = loaded().context("the receivers")?;
    for receiver in &mut receivers {
        let origin = match receiver.kind() {
            ReceiverKind::Pagerduty => vendors.pagerduty.url(),
            ReceiverKind::Slack => vendors.slack.url(),
            ReceiverKind::Jira => vendors.jira.url(),
            ReceiverKind::Linear => vendors.linear.url(),
            ReceiverKind::Webhook => vendors.webhook.url(),
            #[allow(unreachable_patterns, reason = "a kind that was just registered has no form here yet")]
            _ => continue,
        };
        receiver.move_to(&origin);
        let name = receiver.name.clone();
        if let Some(own) = receiver.settings_mut::<webhook::Settings>() {
            own.url = format!("{}/{name}/{}", vendors.webhook.url(), webhook::INCIDENT).into();
        }
    }
    Ok(receivers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_there_and_every_form_is_read() {
        let receivers = loaded().expect("a config without a mistake");
        let mut named: Vec<String> = receivers.iter().map(|receiver| receiver.name.clone()).collect();
        let mut expected = names();
        named.sort();
        expected.sort();
        assert_eq!(named, expected);
        for kind in ReceiverKind::ALL.into_iter().filter(|kind| !forms(*kind).is_empty()) {
            assert!(receivers.iter().any(|receiver| receiver.kind() == kind), "{}", kind.as_str());
        }
    }
}
