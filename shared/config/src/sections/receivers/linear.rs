//! `kind: linear`: where issues are made, as whom, and how they look.
//!
//! Invariant: team, project, labels and state are UUIDs, the form in which Linear's API wants them.

use std::collections::BTreeMap;

use ::receivers::linear::{BASE_URL, Settings};
use domain::Severity;

use crate::environment::token;
use crate::reader::{Value, all};
use crate::sections::outside::base_url;
use crate::sections::shared::severity_word;

/// Linear's priorities: 1 is urgent, 2 high, 3 medium, 4 low; 0 is none.
const PRIORITY_MAX: u64 = 4;

const FIELDS: &[&str] = &["kind", "base_url", "api_key", "team", "project", "labels", "priorities", "resolved_state"];

/// Hexadecimal digits between the hyphens of a UUID.
const UUID: [usize; 5] = [8, 4, 4, 4, 12];

pub(crate) fn read(value: &Value<'_>) -> Option<Settings> {
    let fields = value.fields(FIELDS)?;
    let base_url = base_url(&fields, "base_url", Some(BASE_URL), "TOCSIN_LINEAR_API_URL");
    let api_key = fields.required("api_key", token);
    let team = fields.required("team", uuid);
    let project = fields.optional("project", uuid);
    let labels = fields.or("labels", Vec::new(), |value| all(value.one_or_more()?.iter().map(uuid)));
    let priorities = fields.or("priorities", usual(), priorities);
    let resolved_state = fields.optional("resolved_state", uuid);
    Some(Settings {
        base_url: base_url?,
        api_key: api_key?,
        team: team?,
        project: project?,
        labels: labels?,
        priorities: priorities?,
        resolved_state: resolved_state?,
    })
}

fn usual() -> BTreeMap<Severity, u8> {
    BTreeMap::from([(Severity::Critical, 1), (Severity::Error, 2), (Severity::Warning, 3), (Severity::Info, 4)])
}

fn priorities(value: &Value<'_>) -> Option<BTreeMap<Severity, u8>> {
    let read = |(name, value): (String, Value<'_>)| {
        let (severity, priority) = (severity_word(&value, &name), value.whole(0, PRIORITY_MAX));
        Some((severity?, u8::try_from(priority?).ok()?))
    };
    let mut priorities = usual();
    priorities.extend(all(value.entries()?.into_iter().map(read))?);
    Some(priorities)
}

fn uuid(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str| part.bytes().all(|b| b.is_ascii_hexdigit());
    if parts.iter().map(|part| part.len()).eq(UUID) && parts.iter().all(|part| hex(part)) {
        return Some(text.to_ascii_lowercase());
    }
    value.fail("this is no UUID", "copy it in Linear: command menu, \"Copy model UUID\"")
}
