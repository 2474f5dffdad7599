//! `/rest/api/3/search/jql`, and the search that is gone.
//!
//! Invariant: an issue younger than the lag is not found, unless the request names its id to be reconciled.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::issue::Wanted;
use super::jql::Jql;
use super::{Inner, Issue, Refusal, Shared, read};
use crate::clock::now;
use crate::server::lock;

/// Issues a page, where the request does not say.
const PAGE_DEFAULT: usize = 50;
/// Most issues a page.
const PAGE_MAX: usize = 5000;
/// Most ids to be reconciled.
const RECONCILE_MAX: usize = 50;

#[derive(Debug)]
struct Search {
    jql: String,
    fields: Vec<String>,
    max_results: usize,
    next_page_token: Option<String>,
    reconcile: Vec<String>,
}

pub(super) async fn by_query(State(shared): State<Shared>, Query(pairs): Query<Vec<(String, String)>>) -> Response {
    let all = |name: &str| -> Vec<String> {
        let values = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
        values.flat_map(|value| value.split(',')).map(str::to_owned).collect()
    };
    let one: BTreeMap<&str, &str> = pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let search = Search {
        jql: one.get("jql").copied().unwrap_or_default().to_owned(),
        fields: all("fields"),
        max_results: one.get("maxResults").and_then(|text| text.parse().ok()).unwrap_or(PAGE_DEFAULT),
        next_page_token: one.get("nextPageToken").map(|&token| token.to_owned()),
        reconcile: all("reconcileIssues"),
    };
    answer(&lock(&shared), &search, now())
}

pub(super) async fn by_body(State(shared): State<Shared>, body: Bytes) -> Response {
    let request = match read(&body) {
        Ok(request) => request,
        Err(refusal) => return refusal.into_response(),
    };
    let text = |name: &str| request.get(name).and_then(Value::as_str).map(str::to_owned);
    let list = |name: &str| request.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let max_results = request.get("maxResults").and_then(Value::as_u64);
    let search = Search {
        jql: text("jql").unwrap_or_default(),
        fields: list("fields").iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        max_results: max_results.and_then(|max| usize::try_from(max).ok()).unwrap_or(PAGE_DEFAULT),
        next_page_token: text("nextPageToken"),
        reconcile: list("reconcileIssues").iter().map(|id| id.to_string().replace('"', "")).collect(),
    };
    answer(&lock(&shared), &search, now())
}

pub(super) async fn gone() -> Response {
    let why = "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full migration \
               guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046";
    Refusal::message(StatusCode::GONE, why).into_response()
}

fn answer(inner: &Inner, search: &Search, at: Timestamp) -> Response {
    match found(inner, search, at) {
        Ok(page) => Json(page).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn found(inner: &Inner, search: &Search, at: Timestamp) -> Result<Value, Refusal> {
    let jql = Jql::parse(&search.jql).map_err(|error| Refusal::bad(error.to_string()))?;
    if search.reconcile.len() > RECONCILE_MAX {
        return Err(Refusal::bad("No more than 50 issues can be reconciled."));
    }
    let start = match &search.next_page_token {
        None => 0,
        Some(token) => offset(token).ok_or_else(|| Refusal::bad("The nextPageToken is invalid."))?,
    };
    let is_indexed = |issue: &&Issue| {
        at.duration_since(issue.created_at).unsigned_abs() >= inner.search_lag || search.reconcile.contains(&issue.id)
    };
    let mut issues: Vec<&Issue> = inner.issues.iter().filter(is_indexed).filter(|issue| jql.matches(issue)).collect();
    jql.sort(&mut issues);
    let wanted = Wanted::listed(search.fields.iter().cloned());
    let end = start.saturating_add(search.max_results.clamp(1, PAGE_MAX));
    let shown: Vec<Value> = issues
        .iter()
        .skip(start)
        .take(end - start)
        .map(|issue| if wanted.only_ids() { json!({ "id": issue.id }) } else { issue.shown(&inner.url, &wanted) })
        .collect();
    let is_last = end >= issues.len();
    let mut page = json!({ "issues": shown, "isLast": is_last });
    if !is_last {
        page["nextPageToken"] = json!(URL_SAFE_NO_PAD.encode(format!("from:{end}")));
    }
    Ok(page)
}

fn offset(token: &str) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    text.strip_prefix("from:")?.parse().ok()
}
