//! The parts of GitHub's answers that we read.
//!
//! Invariant: what GitHub documents as nullable may be missing; texts are cut to what a message can show.

use domain::{Change, ChangeKind, Commit, CommitRange, Timestamp};
use serde::Deserialize;

use crate::excerpt::{excerpt, shown_address};

/// Commits told of one range.
const COMMITS_MAX: usize = 10;

/// Characters of a commit's first line.
const TITLE_CHARS_MAX: usize = 120;

/// Characters of a hash that people read.
const SHORT_SHA_CHARS: usize = 7;

/// <https://docs.github.com/en/rest/deployments/deployments#list-deployments>
#[derive(Debug, Deserialize)]
pub(super) struct Deployment {
    pub(super) id: u64,
    sha: String,
    #[serde(rename = "ref")]
    git_ref: String,
    environment: Option<String>,
    creator: Option<Account>,
    created_at: Timestamp,
}

/// <https://docs.github.com/en/rest/deployments/statuses#list-deployment-statuses>
#[derive(Debug, Clone, Deserialize)]
pub(super) struct DeploymentStatus {
    state: String,
    created_at: Timestamp,
    log_url: Option<String>,
    target_url: Option<String>,
    environment_url: Option<String>,
}

/// <https://docs.github.com/en/rest/commits/commits#compare-two-commits>
#[derive(Debug, Deserialize)]
pub(super) struct Comparison {
    total_commits: usize,
    /// Oldest first; without paging the newest 250.
    commits: Vec<ComparedCommit>,
    html_url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct ComparedCommit {
    sha: String,
    commit: CommitDetail,
    author: Option<Account>,
}

#[derive(Debug, Deserialize)]
struct CommitDetail {
    message: String,
    author: Option<Signature>,
}

#[derive(Debug, Deserialize)]
struct Signature {
    name: Option<String>,
}

/// GitHub writes `null` or `{}` for an account that it does not know.
#[derive(Debug, Deserialize)]
struct Account {
    login: Option<String>,
}

/// What was learned of a deployment's statuses.
pub(super) enum Statuses {
    /// They were not asked for.
    NotAsked,
    /// They could not be read.
    Unreadable,
    /// Newest first.
    Read(Vec<DeploymentStatus>),
}

impl Deployment {
    pub(super) fn change(self, statuses: &Statuses) -> Change {
        let told = match statuses {
            Statuses::Read(statuses) => effective(statuses),
            Statuses::NotAsked | Statuses::Unreadable => None,
        };
        let status = match statuses {
            Statuses::Unreadable => Some("unknown".to_owned()),
            Statuses::NotAsked | Statuses::Read(_) => told.map(|status| status.state.clone()),
        };
        Change {
            kind: ChangeKind::Deployment,
            id: self.id.to_string(),
            at: told.map_or(self.created_at, |status| status.created_at),
            title: title(&self.git_ref, &self.sha),
            environment: self.environment,
            status,
            author: self.creator.and_then(|creator| creator.login),
            commit: Some(self.sha),
            url: told.and_then(DeploymentStatus::page),
        }
    }
}

impl DeploymentStatus {
    fn page(&self) -> Option<String> {
        [&self.log_url, &self.target_url, &self.environment_url]
            .into_iter()
            .flatten()
            .find_map(|url| shown_address(url))
    }
}

impl Comparison {
    pub(super) fn range(self, base: &str, head: &str) -> CommitRange {
        CommitRange {
            base: base.to_owned(),
            head: head.to_owned(),
            total: self.total_commits,
            commits: self.commits.into_iter().rev().take(COMMITS_MAX).map(ComparedCommit::commit).collect(),
            url: self.html_url.and_then(|url| shown_address(&url)),
        }
    }
}

impl ComparedCommit {
    fn commit(self) -> Commit {
        let first_line = self.commit.message.lines().next().unwrap_or_default();
        let title = excerpt(first_line, TITLE_CHARS_MAX);
        let login = self.author.and_then(|author| author.login);
        let author = login.or_else(|| self.commit.author.and_then(|author| author.name));
        Commit { sha: self.sha, title, author }
    }
}

/// The newest status that is about this deployment. `inactive` is not: GitHub adds it to the older deployments when a
/// newer one succeeds, and its time is the newer one's.
fn effective(statuses: &[DeploymentStatus]) -> Option<&DeploymentStatus> {
    statuses.iter().find(|status| status.state != "inactive")
}

fn title(git_ref: &str, sha: &str) -> String {
    let short: String = sha.chars().take(SHORT_SHA_CHARS).collect();
    if git_ref == sha { short } else { format!("{} @ {short}", excerpt(git_ref, TITLE_CHARS_MAX)) }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SHA: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d";

    fn deployment(git_ref: &str) -> Deployment {
        let body = json!({
            "id": 42, "sha": SHA, "ref": git_ref, "environment": "production", "creator": {"login": "ada"},
            "created_at": "2026-11-20T10:00:00Z", "task": "deploy", "payload": {},
        });
        serde_json::from_value(body).unwrap()
    }

    fn status(state: &str, at: &str, urls: &Value) -> DeploymentStatus {
        let mut body = urls.clone();
        body["state"] = json!(state);
        body["created_at"] = json!(at);
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn the_newest_status_dates_a_deployment() {
        let urls = json!({"log_url": "https://github.com@evil.example/", "target_url": "javascript:alert(1)", "environment_url": "https://chat.example/"});
        let statuses = vec![
            status("success", "2026-11-20T10:05:00Z", &urls),
            status("in_progress", "2026-11-20T10:01:00Z", &json!({})),
        ];
        let change = deployment("main").change(&Statuses::Read(statuses));
        assert_eq!(change.at, "2026-11-20T10:05:00Z".parse().unwrap());
        assert_eq!(change.title, "main @ 1a2b3c4");
        assert_eq!(change.status.as_deref(), Some("success"));
        assert_eq!(change.author.as_deref(), Some("ada"));
        assert_eq!(change.commit.as_deref(), Some(SHA));
        assert_eq!(change.url.as_deref(), Some("https://chat.example/"));
    }

    #[test]
    fn a_superseded_deployment_keeps_its_own_time() {
        let statuses = vec![
            status("inactive", "2026-11-23T09:00:00Z", &json!({"log_url": null})),
            status("success", "2026-11-20T10:05:00Z", &json!({"log_url": "https://ci.example/1"})),
        ];
        let change = deployment("main").change(&Statuses::Read(statuses));
        assert_eq!(change.at, "2026-11-20T10:05:00Z".parse().unwrap());
        assert_eq!(change.status.as_deref(), Some("success"));
        assert_eq!(change.url.as_deref(), Some("https://ci.example/1"));
    }

    #[test]
    fn without_a_status_the_creation_dates_a_deployment() {
        for (statuses, said) in
            [(Statuses::NotAsked, None), (Statuses::Unreadable, Some("unknown")), (Statuses::Read(Vec::new()), None)]
        {
            let change = deployment(SHA).change(&statuses);
            assert_eq!(change.at, "2026-11-20T10:00:00Z".parse().unwrap());
            assert_eq!((change.status.as_deref(), change.url), (said, None));
            assert_eq!(change.title, "1a2b3c4");
        }
    }

    fn comparison(messages: &[String]) -> CommitRange {
        let commits: Vec<Value> = messages
            .iter()
            .enumerate()
            .map(|(n, message)| {
                let author = if n % 2 == 0 { json!({"login": "ada"}) } else { json!({}) };
                json!({"sha": format!("{n:040}"), "author": author, "commit": {"message": message, "author": {"name": "Bo"}}})
            })
            .collect();
        let body = json!({"total_commits": commits.len(), "commits": commits, "html_url": "https://github.com/acme/x/compare/a...b", "files": []});
        serde_json::from_value::<Comparison>(body).unwrap().range("a", "b")
    }

    #[test]
    fn commits_come_newest_first_and_at_most_ten() {
        let range = comparison(&(0..11).map(|n| format!("Commit {n}\n\nbody")).collect::<Vec<_>>());
        assert_eq!((range.total, range.commits.len()), (11, 10));
        assert_eq!(range.commits.first().map(|c| c.title.as_str()), Some("Commit 10"));
        assert_eq!(range.commits.last().map(|c| c.title.as_str()), Some("Commit 1"));
        assert_eq!(range.commits[0].author.as_deref(), Some("ada"));
        assert_eq!(range.commits[1].author.as_deref(), Some("Bo"));
    }

    #[test]
    fn a_title_is_cut_at_its_limit() {
        let range = comparison(&["é".repeat(120), "é".repeat(121), String::new()]);
        let titles: Vec<usize> = range.commits.iter().map(|c| c.title.chars().count()).collect();
        assert_eq!(titles, [0, 120, 120]);
        assert!(range.commits[1].title.ends_with('…'));
        assert!(!range.commits[2].title.ends_with('…'));
    }
}
