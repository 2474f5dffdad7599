//! `services:` what is known of each service, by the name that alerts carry.
//!
//! Invariant: a repository's owner and name fit a URL's path as they are.

use std::collections::BTreeMap;

use super::shared::links;
use crate::fields::Fields;
use crate::reader::{Value, all};
use crate::{Repository, Service};

pub(crate) fn read(root: &Fields<'_>) -> Option<BTreeMap<String, Service>> {
    root.or("services", BTreeMap::new(), |value| {
        let services = value.entries()?;
        Some(all(services.iter().map(|(name, value)| Some((name.clone(), service(value)?))))?.into_iter().collect())
    })
}

fn service(value: &Value<'_>) -> Option<Service> {
    let fields = value.fields(&["repository", "environment", "dashboards"])?;
    let repository = fields.optional("repository", repository);
    let environment = fields.optional("environment", Value::text);
    let dashboards = fields.or("dashboards", Vec::new(), links);
    Some(Service { repository: repository?, environment: environment?, dashboards: dashboards? })
}

fn repository(value: &Value<'_>) -> Option<Repository> {
    let text = value.text()?;
    let parts: Vec<&str> = text.split('/').collect();
    match parts.as_slice() {
        [owner, name] if is_segment(owner) && is_segment(name) => {
            Some(Repository { owner: (*owner).to_owned(), name: (*name).to_owned() })
        }
        _ => value.fail(format!("`{text}` is no repository"), "write owner/name, for instance acme/support-chatbot"),
    }
}

/// What GitHub allows in an owner or a name: letters, digits, `-`, `_` and `.`, at most 100.
fn is_segment(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=100).contains(&text.len()) && text.bytes().all(fits) && !text.bytes().all(|b| b == b'.')
}
