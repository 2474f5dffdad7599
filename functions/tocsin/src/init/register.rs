//! How each source's webhook is registered, with address, header and the variable that holds its secret.
//!
//! Invariant: every kind of source is here, and what is said fits its default authentication or names another.

use std::path::Path;

use sources::Kind;

use crate::example::CONFIG;

/// Where to go in a vendor's pages, and what to write there; `{url}` and `{secret}` are filled in.
struct Registration {
    kind: Kind,
    variable: &'static str,
    auth: &'static str,
    lines: &'static [&'static str],
}

const REGISTRATIONS: [Registration; 6] = [
    Registration {
        kind: Kind::Arize,
        variable: "TOCSIN_ARIZE_SECRET",
        auth: "bearer",
        lines: &[
            "Integrations > Webhooks > New; URL {url}",
            "header Authorization: the token, the value of ${secret}, as it is",
            "or authentication HMAC_SHA256, and in the config auth: { kind: arize_hmac, … }",
            "then choose the webhook in each monitor's notifications",
        ],
    },
    Registration {
        kind: Kind::Alertmanager,
        variable: "TOCSIN_ALERTMANAGER_SECRET",
        auth: "bearer",
        lines: &[
            "receivers: [{ name: tocsin, webhook_configs: [{ url: {url}, max_alerts: 0, send_resolved: true,",
            "  http_config: { authorization: { type: Bearer, credentials_file: FILE } } }] }]",
            "FILE holds the value of ${secret}: header Authorization: Bearer …",
        ],
    },
    Registration {
        kind: Kind::Grafana,
        variable: "TOCSIN_GRAFANA_SECRET",
        auth: "bearer",
        lines: &[
            "Alerting > Contact points > Webhook; URL {url}",
            "Authorization header: scheme Bearer, credentials: the value of ${secret}",
            "or, from 12.0 on, HMAC signature with the timestamp header X-Grafana-Alerting-Timestamp, and in the config",
            "  auth: { kind: grafana_hmac, … }",
        ],
    },
    Registration {
        kind: Kind::Datadog,
        variable: "TOCSIN_DATADOG_SECRET",
        auth: "bearer",
        lines: &[
            "Integrations > Webhooks > New; URL {url}; the payload stands in README.md",
            "custom headers {\"Authorization\": \"Bearer <value of ${secret}>\"}; then @webhook-<name> in the monitors",
        ],
    },
    Registration {
        kind: Kind::Cloudwatch,
        variable: "",
        auth: "sns",
        lines: &[
            "no secret: SNS signs; list the topic's ARN in the config, auth: { kind: sns, topics: [ARN] }",
            "aws sns subscribe --topic-arn ARN --protocol https --notification-endpoint {url}",
            "it confirms itself; leave raw message delivery off",
        ],
    },
    Registration {
        kind: Kind::Generic,
        variable: "TOCSIN_GENERIC_SECRET",
        auth: "standard_webhooks",
        lines: &[
            "any sender of Standard Webhooks (https://www.standardwebhooks.com); URL {url}",
            "headers webhook-id, webhook-timestamp, webhook-signature; signing secret: whsec_<value of ${secret}>",
        ],
    },
];

/// Everything that is said after the files were written.
pub(super) fn lines(url: &str, config: &Path, templates: bool, fresh: &[(String, String)]) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        "Secrets are read from the environment; no file holds them. Fresh ones for the sources:".to_owned(),
    ];
    lines.extend(fresh.iter().map(|(name, secret)| format!("  export {name}='{secret}'")));
    lines.push("What the vendors give you; without one, `tocsin local` sends to a stand-in:".to_owned());
    let places = config::secret_places(CONFIG);
    let of_vendors = places.iter().filter(|(path, _)| !path.starts_with("sources."));
    lines.extend(of_vendors.map(|(path, name)| format!("  export {name}=      # {path}")));
    lines.push(String::new());
    lines.push("Register the webhooks of the sources that you have:".to_owned());
    for registration in &REGISTRATIONS {
        lines.extend(registration.lines(url));
    }
    lines.push(String::new());
    lines.push("Next:".to_owned());
    let config = config.display();
    let folder = if templates { " --templates templates" } else { "" };
    for (command, does) in [
        (format!("tocsin check {config}"), "every mistake at once"),
        (format!("tocsin route --config {config} --event EVENT.json"), "which rule an event comes to, and why"),
        (format!("tocsin render --config {config} --event EVENT.json --out preview"), "every message, as a page"),
        (format!("tocsin local --config {config}{folder}"), "the whole orchestrator in this process"),
        (format!("tocsin doctor --config {config}"), "whether every vendor is ready"),
    ] {
        lines.push(format!("  {command}    # {does}"));
    }
    lines
}

impl Registration {
    fn lines(&self, base: &str) -> Vec<String> {
        let name = self.kind.as_str();
        let url = format!("{}/alerts/{name}", base.trim_end_matches('/'));
        let used = CONFIG.lines().any(|line| line.starts_with(&format!("  {name}:")));
        let there = if used { "" } else { "; take the # from its line in the config" };
        let mut lines = vec![format!("  {name} ({}{there})", self.auth)];
        let fill = |line: &&str| format!("    {}", line.replace("{url}", &url).replace("{secret}", self.variable));
        lines.extend(self.lines.iter().map(fill));
        lines
    }
}

#[cfg(test)]
mod tests {
    use sources::Auth;

    use super::*;

    #[test]
    fn each_kind_of_source_is_registered_as_it_proves_who_it_is() {
        let kinds: Vec<Kind> = REGISTRATIONS.iter().map(|one| one.kind).collect();
        assert_eq!(kinds, Kind::ALL);
        for one in &REGISTRATIONS {
            assert_eq!(one.auth, one.kind.default_auth(), "{}", one.kind.as_str());
            assert!(Auth::KINDS.contains(&one.auth));
            let text = one.lines("https://alerts.acme.example/").join("\n");
            assert!(text.contains(&format!("https://alerts.acme.example/alerts/{}", one.kind.as_str())), "{text}");
            assert_eq!(text.contains(&format!("${}", one.variable)), !one.variable.is_empty(), "{text}");
            assert!(!text.contains("{url}") && !text.contains("{secret}"), "{text}");
            // The variable is the one that the example config names, in use or behind its `#`.
            assert!(one.variable.is_empty() || CONFIG.contains(&format!("${{{}}}", one.variable)), "{}", one.variable);
        }
    }
}
