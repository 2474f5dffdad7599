//! Whether the account may make tickets.
//!
//! Invariant: an `ok` says that the project takes the issue type from this account.

use super::Settings;
use crate::Response;
use crate::readiness::{Check, NotReady, get, json_of, word_or};

/// Issue types that are read, at most.
const TYPES_MAX: usize = 200;

/// Who we are, and whether the project takes the issue type.
pub(super) fn check(own: &Settings, answers: &[Response]) -> Result<Check, NotReady> {
    let ask = |path: &str| Ok(Check::Ask(get(&own.base_url, path, own.headers())));
    let [myself, rest @ ..] = answers else { return ask("/rest/api/3/myself") };
    let refused = "look at email and token, and that the account is active";
    let mends = [(401, refused), (403, refused), (404, "look at base_url")];
    let myself = json_of("Jira", myself, &mends)?;
    let project = &own.project;
    let Some(types) = rest.first() else {
        return ask(&format!("/rest/api/3/issue/createmeta/{project}/issuetypes?maxResults={TYPES_MAX}"));
    };
    let unseen = format!("look at the project's key, and let the account create issues in {project}");
    let mends = [(400, unseen.as_str()), (403, unseen.as_str()), (404, unseen.as_str())];
    let types = json_of(&format!("Jira, for project {project},"), types, &mends)?;
    let list = types["issueTypes"].as_array().or_else(|| types["values"].as_array());
    let names: Vec<&str> = list.into_iter().flatten().filter_map(|one| one["name"].as_str()).collect();
    if !names.iter().any(|name| name.eq_ignore_ascii_case(&own.issue_type)) {
        let why = format!("Jira: project {project} has no issue type {} for this account", own.issue_type);
        return Err(NotReady::new(why, format!("write issue_type: one of {}", names.join(", "))));
    }
    let who = word_or(&myself["displayName"], "the account");
    Ok(Check::Ready(format!("Jira: {who} may create {} in {project}", own.issue_type)))
}
