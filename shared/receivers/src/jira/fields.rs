//! `kind: jira`: where tickets are made, as whom, and how they look.
//!
//! Invariant: what Jira is sent beyond our own fields is the user's, as it is written; none of ours is overwritten, so
//! that a ticket is made where it is looked up.

use std::collections::BTreeMap;

use serde_json::Map;

use super::Settings;
use crate::Vendor;
use crate::form::{boolean, by_severity, duration, secret, text, vendors_own};
use crate::section::Section;

/// Seconds after an episode's end in which its ticket is taken up again: at most, and where nothing is said, 7 d.
const REOPEN_SECS_MAX: u64 = 365 * 86_400;
const REOPEN_DEFAULT_SECS: u64 = 7 * 86_400;

/// The issue type where none is given.
const ISSUE_TYPE: &str = "Task";

/// Jira's fields that a ticket has from us, and where to change them.
const OURS: &[(&str, &str)] = &[
    ("project", "use `project:` of the receiver"),
    ("issuetype", "use `issue_type:` of the receiver"),
    ("summary", "edit the template jira/summary.hbs"),
    ("description", "edit the template jira/description.hbs"),
];

pub(super) fn settings(section: &Section<'_>) -> Option<Box<dyn Vendor>> {
    let base_url = section.base_url(None, "https://<site>.atlassian.net");
    let email = section.required("email", text(), "The account.");
    let token = section.required("token", secret(), "Its API token.");
    let project =
        text().checked("this is no project key", "write the key before a ticket's number, for instance OPS", |key| {
            is_project(key)
        });
    let project = section.required("project", project, "The project's key.");
    let issue_type = section.or("issue_type", ISSUE_TYPE.to_owned(), text(), "Task, where it is left out.");
    let labels = section.or("labels", true, boolean(), "false where the project refuses labels.");
    let priorities = section.or("priorities", BTreeMap::new(), by_severity(text()), "The priority's name by severity.");
    let fields = section.or("fields", Map::new(), vendors_own("Jira", OURS), "More fields, as Jira wants them.");
    let window = duration(0, REOPEN_SECS_MAX);
    let reopen_secs =
        section.or("reopen_within", REOPEN_DEFAULT_SECS, window, "A recurrence in this time reopens the ticket.");
    let reopen_transition = section.optional("reopen_transition", text(), "The transition that reopens.");
    let resolve_transition = section.optional("resolve_transition", text(), "The transition that closes.");
    Some(Box::new(Settings {
        base_url: base_url?,
        email: email?,
        token: token?,
        project: project?,
        issue_type: issue_type?,
        labels: labels?,
        priorities: priorities?,
        fields: fields?,
        reopen_secs: reopen_secs?,
        reopen_transition: reopen_transition?,
        resolve_transition: resolve_transition?,
    }))
}

/// A project's key goes into a search as it is.
fn is_project(key: &str) -> bool {
    let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    key.len() <= 50 && key.starts_with(|c: char| c.is_ascii_uppercase()) && key.bytes().all(fits)
}
