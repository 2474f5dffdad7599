//! `arize_api:`, `prometheus:` and `github:` – what is asked before people are told.
//!
//! Invariant: a base address in the environment stands in place of the file's. A Prometheus in the environment alone is
//! enough.

use crate::environment::token;
use crate::fields::Fields;
use crate::{ArizeApi, Github, Prometheus, address};

/// Arize's REST API, version 2.
const ARIZE_URL: &str = "https://api.arize.com/v2";

/// GitHub's REST API.
const GITHUB_URL: &str = "https://api.github.com";

pub(crate) fn arize_api(root: &Fields<'_>) -> Option<Option<ArizeApi>> {
    root.optional("arize_api", |value| {
        let fields = value.fields(&["base_url", "key"])?;
        let base_url = base_url(&fields, "base_url", Some(ARIZE_URL), "TOCSIN_ARIZE_API_URL");
        let key = fields.required("key", token);
        Some(ArizeApi { base_url: base_url?, key: key? })
    })
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
