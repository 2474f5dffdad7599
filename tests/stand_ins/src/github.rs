//! GitHub's REST API: deployments, their statuses, and the comparison of two commits.
//!
//! Invariant: answers have every field that GitHub's own have, newest deployment and newest status first.
//! Source: GitHub's `OpenAPI` description.

mod demo;
mod pages;
mod shapes;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::http::header::{AUTHORIZATION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::now;
use crate::faults::Faults;
use crate::server::{Server, lock, refuse};
use pages::Page;

/// Requests an hour with a token.
const RATE_LIMIT: u64 = 5000;

/// One state that a deployment reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeploymentStatus {
    /// `success`, `failure`, `error`, `inactive`, `in_progress`, `queued` or `pending`.
    pub state: String,
    /// When it was reached.
    pub created_at: Timestamp,
    /// Its log's address; empty for none.
    pub log_url: String,
}

/// One deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deployment {
    /// Its number.
    pub id: u64,
    /// The commit.
    pub sha: String,
    /// The branch or tag that was asked for.
    pub git_ref: String,
    /// Where it went.
    pub environment: String,
    /// Login of whoever made it.
    pub creator: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The states it reached, in any order.
    pub statuses: Vec<DeploymentStatus>,
}

/// One commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Commit {
    /// Full hash.
    pub sha: String,
    /// The whole message.
    pub message: String,
    /// The author's login, which serves as name too.
    pub author: String,
    /// When it was written.
    pub at: Timestamp,
}

/// One repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repo {
    /// Its owner's login.
    pub owner: String,
    /// Its name.
    pub name: String,
    /// Its deployments, in any order.
    pub deployments: Vec<Deployment>,
    /// Its one branch, oldest commit first.
    pub commits: Vec<Commit>,
}

#[derive(Debug, Default)]
struct Inner {
    url: String,
    repos: Vec<Repo>,
    token: Option<String>,
}

type Shared = Arc<Mutex<Inner>>;
type Parameters = Query<BTreeMap<String, String>>;

/// A running stand-in. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Github {
    inner: Shared,
    server: Arc<Server>,
}

impl Github {
    /// Starts it, without any repository.
    ///
    /// # Errors
    /// When a loopback port cannot be bound.
    pub async fn start() -> io::Result<Self> {
        let inner = Shared::default();
        let router = Router::new()
            .route("/rate_limit", get(rate_limit))
            .route("/repos/{owner}/{repo}/deployments", get(deployments))
            .route("/repos/{owner}/{repo}/deployments/{id}/statuses", get(statuses))
            .route("/repos/{owner}/{repo}/compare/{range}", get(compare))
            .layer(from_fn_with_state(inner.clone(), authenticate))
            .with_state(inner.clone());
        let server = Arc::new(Server::start_behind(router, shape, |router| router.layer(from_fn(rate_headers))).await?);
        lock(&inner).url = server.url();
        Ok(Self { inner, server })
    }

    /// Its base address: what `https://api.github.com` is for the vendor.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Its script of faults. A 403 or 429 carries the headers of a rate limit: of the primary one, or of the secondary
    /// one where it has a `Retry-After`.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.server.faults()
    }

    /// Requests seen, whatever became of them.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.server.requests()
    }

    /// Adds a repository, or replaces the one with that owner and name.
    pub fn seed(&self, repo: Repo) {
        let mut inner = lock(&self.inner);
        inner.repos.retain(|old| !old.is_named(&repo.owner, &repo.name));
        inner.repos.push(repo);
    }

    /// Seeds `acme/support-chatbot`: production deployments 3 days and 12 minutes before `now`, the later one with four
    /// new commits, of which the newest switches the chat route to another model.
    pub fn seed_demo(&self, now: Timestamp) {
        self.seed(demo::repo(now));
    }

    /// Every request now needs this token as Bearer; `None`, the default, lets all in.
    pub fn require_token(&self, token: Option<&str>) {
        lock(&self.inner).token = token.map(str::to_owned);
    }

    /// The seeded repositories.
    #[must_use]
    pub fn repos(&self) -> Vec<Repo> {
        lock(&self.inner).repos.clone()
    }
}

impl Repo {
    fn is_named(&self, owner: &str, name: &str) -> bool {
        self.owner.eq_ignore_ascii_case(owner) && self.name.eq_ignore_ascii_case(name)
    }
}

impl Inner {
    fn repo(&self, owner: &str, name: &str) -> Option<&Repo> {
        self.repos.iter().find(|repo| repo.is_named(owner, name))
    }
}

async fn deployments(
    State(shared): State<Shared>,
    Path((owner, name)): Path<(String, String)>,
    Query(query): Parameters,
) -> Response {
    let inner = lock(&shared);
    let Some(repo) = inner.repo(&owner, &name) else { return not_found() };
    let wants = |field: &str, own: &str| query.get(field).is_none_or(|wanted| wanted.is_empty() || wanted == own);
    let mut found: Vec<&Deployment> = repo
        .deployments
        .iter()
        .filter(|d| wants("environment", &d.environment) && wants("sha", &d.sha) && wants("ref", &d.git_ref))
        .collect();
    found.sort_by_key(|deployment| (deployment.created_at, deployment.id));
    found.reverse();
    let path = format!("{}/repos/{owner}/{name}/deployments", inner.url);
    let page = Page::read(&query);
    page.answer(&path, &query, &found, |deployment| shapes::deployment(&inner.url, repo, deployment))
}

async fn statuses(
    State(shared): State<Shared>,
    Path((owner, name, id)): Path<(String, String, String)>,
    Query(query): Parameters,
) -> Response {
    let inner = lock(&shared);
    let Some(repo) = inner.repo(&owner, &name) else { return not_found() };
    let Some(deployment) = repo.deployments.iter().find(|deployment| deployment.id.to_string() == id) else {
        return not_found();
    };
    let mut found: Vec<(usize, &DeploymentStatus)> = deployment.statuses.iter().enumerate().collect();
    found.sort_by_key(|(at, status)| (status.created_at, *at));
    found.reverse();
    let path = format!("{}/repos/{owner}/{name}/deployments/{id}/statuses", inner.url);
    let page = Page::read(&query);
    page.answer(&path, &query, &found, |(at, status)| shapes::status(&inner.url, repo, deployment, *at, status))
}

async fn compare(
    State(shared): State<Shared>,
    Path((owner, name, range)): Path<(String, String, String)>,
    Query(query): Parameters,
) -> Response {
    let inner = lock(&shared);
    let Some(repo) = inner.repo(&owner, &name) else { return not_found() };
    let Some((base, head)) = range.split_once("...") else { return not_found() };
    match (position(repo, base), position(repo, head)) {
        (Some(base), Some(head)) => {
            let page = Page::read_comparison(&query);
            Json(shapes::comparison(&inner.url, repo, base, head, &page)).into_response()
        }
        _ => not_found(),
    }
}

/// A commit by its hash, or by 7 or more of the hash's first characters.
fn position(repo: &Repo, name: &str) -> Option<usize> {
    let is_named = |commit: &Commit| commit.sha == name || (name.len() >= 7 && commit.sha.starts_with(name));
    repo.commits.iter().position(is_named)
}

async fn authenticate(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let wanted = lock(&shared).token.clone();
    let sent = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let sent = sent.and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("token ")));
    if wanted.is_some() && wanted.as_deref() != sent {
        return refuse(StatusCode::UNAUTHORIZED, shape);
    }
    next.run(request).await
}

/// Adds the headers that every answer of GitHub has; a refusal without `Retry-After` has nothing left.
async fn rate_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let limited = matches!(response.status(), StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS);
    let used_up = limited && !response.headers().contains_key(RETRY_AFTER);
    let used = if used_up { RATE_LIMIT } else { 1 };
    let reset = now().as_second() + 1800;
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-limit", HeaderValue::from(RATE_LIMIT));
    headers.insert("x-ratelimit-remaining", HeaderValue::from(RATE_LIMIT - used));
    headers.insert("x-ratelimit-used", HeaderValue::from(used));
    headers.insert("x-ratelimit-reset", HeaderValue::from(reset));
    headers.insert("x-ratelimit-resource", HeaderValue::from_static("core"));
    response
}

async fn rate_limit() -> Response {
    let core =
        json!({ "limit": RATE_LIMIT, "used": 1, "remaining": RATE_LIMIT - 1, "reset": now().as_second() + 1800 });
    Json(json!({ "resources": { "core": core }, "rate": core })).into_response()
}

fn not_found() -> Response {
    refuse(StatusCode::NOT_FOUND, shape)
}

fn shape(status: StatusCode) -> Value {
    let message = match status {
        StatusCode::UNAUTHORIZED => "Bad credentials",
        StatusCode::FORBIDDEN => "API rate limit exceeded for user ID 1.",
        StatusCode::TOO_MANY_REQUESTS => {
            "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        }
        other => other.canonical_reason().unwrap_or("Error"),
    };
    json!({
        "message": message,
        "documentation_url": "https://docs.github.com/rest",
        "status": status.as_str(),
    })
}
