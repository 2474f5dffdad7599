//! `arize_api:`, `prometheus:`, `datadog:`, `cloudwatch:` and `github:` – what is asked before people are told.
//!
//! Invariant: a base address in the environment stands in place of the file's. A Prometheus in the environment alone is
//! enough.

use sources::Source;

use crate::duration::Bounds;
use crate::environment::token;
use crate::fields::Fields;
use crate::mistake::choose;
use crate::reader::Value;
use crate::{ArizeApi, Cloudwatch, Datadog, Github, Prometheus, Reconcile, address};

/// Arize's REST API, version 2.
const ARIZE_URL: &str = "https://api.arize.com/v2";

/// Where a monitor's history is read.
const ARIZE_GRAPHQL_URL: &str = "https://app.arize.com/graphql";

/// Datadog's sites, the default first (`datadog-api-client`, `configuration`).
const DATADOG_SITES: [&str; 9] = [
    "datadoghq.com",
    "us3.datadoghq.com",
    "us5.datadoghq.com",
    "ap1.datadoghq.com",
    "ap2.datadoghq.com",
    "uk1.datadoghq.com",
    "datadoghq.eu",
    "ddog-gov.com",
    "us2.ddog-gov.com",
];

/// GitHub's REST API.
const GITHUB_URL: &str = "https://api.github.com";

/// How long a webhook may be on its way: bounds and default. Arize gives an endpoint up to 60 s, and tries again.
const GRACE: Bounds = Bounds { secs_min: 0, secs_max: 3600 };
const GRACE_DEFAULT_SECS: u64 = 2 * 60;

/// `sources` is `None` where the file's own cannot be read.
pub(crate) fn arize_api(root: &Fields<'_>, sources: Option<&[Source]>) -> Option<Option<ArizeApi>> {
    root.optional("arize_api", |value| {
        let fields = value.fields(&["base_url", "key", "graphql_url", "graphql_key", "reconcile"])?;
        let rest_url = base_url(&fields, "base_url", Some(ARIZE_URL), "TOCSIN_ARIZE_API_URL");
        let key = fields.required("key", token);
        let graphql_url = base_url(&fields, "graphql_url", Some(ARIZE_GRAPHQL_URL), "TOCSIN_ARIZE_GRAPHQL_URL");
        let graphql_key = fields.optional("graphql_key", token);
        let reconcile = fields.optional("reconcile", |value| reconcile(value, sources));
        Some(ArizeApi {
            base_url: rest_url?,
            key: key?,
            graphql_url: graphql_url?,
            graphql_key: graphql_key?,
            reconcile: reconcile?,
        })
    })
}

fn reconcile(value: &Value<'_>, sources: Option<&[Source]>) -> Option<Reconcile> {
    let fields = value.fields(&["webhook", "grace"])?;
    let webhook = fields.required("webhook", address::base);
    let grace = fields.or("grace", GRACE_DEFAULT_SECS, |value| value.duration(GRACE));
    let webhook = webhook?;
    let place = fields.place("webhook");
    let Some((_, source)) = webhook.rsplit_once("/alerts/") else {
        return place.fail("the address has no source in it", "write it as Arize has it: https://host/alerts/<source>");
    };
    let known = |name: &str| sources.is_none_or(|all| all.iter().any(|s| s.name == name && s.kind.as_str() == "arize"));
    if !known(source) {
        return place.fail(format!("there is no source `{source}` of kind arize"), "name one of `sources:`");
    }
    Some(Reconcile { source: source.to_owned(), webhook, grace_secs: u32::try_from(grace?).ok()? })
}

pub(crate) fn prometheus(root: &Fields<'_>) -> Option<Option<Prometheus>> {
    const VARIABLE: &str = "TOCSIN_PROMETHEUS_URL";
    if root.get("prometheus").is_none() {
        let url = address::overriding(root.whole(), VARIABLE)?;
        return Some(url.map(|url| Prometheus { url, token: None }));
    }
    root.optional("prometheus", |value| {
        let fields = value.fields(&["url", "token"])?;
        let url = base_url(&fields, "url", None, VARIABLE);
        let token = fields.optional("token", token);
        Some(Prometheus { url: url?, token: token? })
    })
}

pub(crate) fn datadog(root: &Fields<'_>) -> Option<Option<Datadog>> {
    root.optional("datadog", |value| {
        let fields = value.fields(&["site", "url", "api_key", "app_key"])?;
        let site = fields.or("site", DATADOG_SITES[0].to_owned(), |value| {
            let site = value.text()?;
            if DATADOG_SITES.contains(&site.as_str()) {
                return Some(site);
            }
            value.fail(
                format!("Datadog has no site `{site}`"),
                format!("{}, or give `url:`", choose(&site, &DATADOG_SITES)),
            )
        });
        let two = fields.get("site").is_some() && fields.get("url").is_some();
        let one =
            if two { fields.place("url").fail("there is a site and a url", "keep one of the two") } else { Some(()) };
        let default = site.map(|site| format!("https://api.{site}"));
        let base_url = base_url(&fields, "url", Some(default.as_deref().unwrap_or_default()), "TOCSIN_DATADOG_API_URL");
        let key = fields.required("api_key", token);
        let application = fields.required("app_key", token);
        one?;
        default?;
        Some(Datadog { base_url: base_url?, api_key: key?, app_key: application? })
    })
}

pub(crate) fn cloudwatch(root: &Fields<'_>) -> Option<Option<Cloudwatch>> {
    root.optional("cloudwatch", |value| {
        let fields = value.fields(&["region"])?;
        let region = fields.optional("region", |value| {
            let region = value.text()?;
            if region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
                return Some(region);
            }
            value.fail("this is no region", "write for instance eu-central-1")
        });
        Some(Cloudwatch { region: region? })
    })
}

pub(crate) fn github(root: &Fields<'_>) -> Option<Option<Github>> {
    root.optional("github", |value| {
        let fields = value.fields(&["base_url", "token"])?;
        let base_url = base_url(&fields, "base_url", Some(GITHUB_URL), "TOCSIN_GITHUB_API_URL");
        let token = fields.optional("token", token);
        Some(Github { base_url: base_url?, token: token? })
    })
}

/// The file's address, checked even where the environment's stands in its place.
pub(crate) fn base_url(fields: &Fields<'_>, name: &str, default: Option<&str>, variable: &str) -> Option<String> {
    let own = match default {
        Some(default) => fields.or(name, default.to_owned(), address::base),
        None => fields.required(name, address::base),
    };
    let overriding = address::overriding(fields.whole(), variable);
    let own = own?;
    Some(overriding?.unwrap_or(own))
}
