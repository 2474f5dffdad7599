//! How GitHub writes deployments, statuses, users and comparisons.
//!
//! Invariant: no field that GitHub always sends is left out: typed clients refuse an answer without it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::pages::Page;
use super::{Commit, Deployment, DeploymentStatus, Repo};

/// Where people, not programs, look at things.
const WEB: &str = "https://github.com";

pub(super) fn deployment(url: &str, repo: &Repo, deployment: &Deployment) -> Value {
    let repository = repository(url, repo);
    let own = format!("{repository}/deployments/{}", deployment.id);
    let updated_at = deployment.statuses.iter().map(|status| status.created_at).max();
    json!({
        "url": own,
        "id": deployment.id,
        "node_id": format!("DE_{}", deployment.id),
        "task": "deploy",
        "original_environment": deployment.environment,
        "environment": deployment.environment,
        "description": null,
        "created_at": time(deployment.created_at),
        "updated_at": time(updated_at.unwrap_or(deployment.created_at)),
        "statuses_url": format!("{own}/statuses"),
        "repository_url": repository,
        "creator": user(url, &deployment.creator),
        "sha": deployment.sha,
        "ref": deployment.git_ref,
        "payload": {},
        "transient_environment": false,
        "production_environment": deployment.environment == "production",
        "performed_via_github_app": null,
    })
}

pub(super) fn status(url: &str, repo: &Repo, deployment: &Deployment, at: usize, status: &DeploymentStatus) -> Value {
    let repository = repository(url, repo);
    let own = format!("{repository}/deployments/{}", deployment.id);
    json!({
        "url": format!("{own}/statuses/{at}"),
        "id": at,
        "node_id": format!("DES_{}_{at}", deployment.id),
        "state": status.state,
        "creator": user(url, &deployment.creator),
        "description": "",
        "environment": deployment.environment,
        "target_url": status.log_url,
        "created_at": time(status.created_at),
        "updated_at": time(status.created_at),
        "deployment_url": own,
        "repository_url": repository,
        "environment_url": "",
        "log_url": status.log_url,
        "performed_via_github_app": null,
    })
}

/// Commits after `base` up to `head`, oldest first; both are positions in the repository's commits.
pub(super) fn comparison(url: &str, repo: &Repo, base: usize, head: usize, page: &Page) -> Value {
    let commits = repo.commits.get(base + 1..=head).unwrap_or_default();
    let shown: Vec<Value> = page.of(commits).map(|each| commit(url, repo, each)).collect();
    let at = |position: usize| repo.commits.get(position).map(|each| commit(url, repo, each));
    let sha = |position: usize| repo.commits.get(position).map(|each| each.sha.as_str()).unwrap_or_default();
    let web = format!("{WEB}/{}/{}/compare/{}...{}", repo.owner, repo.name, sha(base), sha(head));
    let status = match base.cmp(&head) {
        std::cmp::Ordering::Less => "ahead",
        std::cmp::Ordering::Equal => "identical",
        std::cmp::Ordering::Greater => "behind",
    };
    json!({
        "url": format!("{}/compare/{}...{}", repository(url, repo), sha(base), sha(head)),
        "html_url": web,
        "permalink_url": web,
        "diff_url": format!("{web}.diff"),
        "patch_url": format!("{web}.patch"),
        "base_commit": at(base),
        "merge_base_commit": at(base.min(head)),
        "status": status,
        "ahead_by": head.saturating_sub(base),
        "behind_by": base.saturating_sub(head),
        "total_commits": head.saturating_sub(base),
        "commits": shown,
        "files": [],
    })
}

fn commit(url: &str, repo: &Repo, commit: &Commit) -> Value {
    let own = format!("{}/commits/{}", repository(url, repo), commit.sha);
    let git_user = json!({
        "name": commit.author,
        "email": format!("{}@users.noreply.github.com", commit.author),
        "date": time(commit.at),
    });
    json!({
        "sha": commit.sha,
        "node_id": format!("C_{}", commit.sha),
        "commit": {
            "author": git_user,
            "committer": git_user,
            "message": commit.message,
            "tree": { "sha": commit.sha, "url": format!("{}/git/trees/{}", repository(url, repo), commit.sha) },
            "url": format!("{}/git/commits/{}", repository(url, repo), commit.sha),
            "comment_count": 0,
            "verification": {
                "verified": false,
                "reason": "unsigned",
                "signature": null,
                "payload": null,
                "verified_at": null,
            },
        },
        "url": own,
        "html_url": format!("{WEB}/{}/{}/commit/{}", repo.owner, repo.name, commit.sha),
        "comments_url": format!("{own}/comments"),
        "author": user(url, &commit.author),
        "committer": user(url, &commit.author),
        "parents": parents(url, repo, commit),
    })
}

fn parents(url: &str, repo: &Repo, commit: &Commit) -> Vec<Value> {
    let before = repo.commits.iter().position(|each| each.sha == commit.sha).and_then(|at| at.checked_sub(1));
    let parent = before.and_then(|at| repo.commits.get(at));
    parent
        .map(|parent| {
            json!({
                "sha": parent.sha,
                "url": format!("{}/commits/{}", repository(url, repo), parent.sha),
                "html_url": format!("{WEB}/{}/{}/commit/{}", repo.owner, repo.name, parent.sha),
            })
        })
        .into_iter()
        .collect()
}

fn user(url: &str, login: &str) -> Value {
    let own = format!("{url}/users/{login}");
    json!({
        "login": login,
        "id": 1,
        "node_id": "U_1",
        "avatar_url": "https://avatars.githubusercontent.com/u/1?v=4",
        "gravatar_id": "",
        "url": own,
        "html_url": format!("{WEB}/{login}"),
        "followers_url": format!("{own}/followers"),
        "following_url": format!("{own}/following{{/other_user}}"),
        "gists_url": format!("{own}/gists{{/gist_id}}"),
        "starred_url": format!("{own}/starred{{/owner}}{{/repo}}"),
        "subscriptions_url": format!("{own}/subscriptions"),
        "organizations_url": format!("{own}/orgs"),
        "repos_url": format!("{own}/repos"),
        "events_url": format!("{own}/events{{/privacy}}"),
        "received_events_url": format!("{own}/received_events"),
        "type": "User",
        "user_view_type": "public",
        "site_admin": false,
    })
}

fn repository(url: &str, repo: &Repo) -> String {
    format!("{url}/repos/{}/{}", repo.owner, repo.name)
}

/// GitHub's way to write a time: whole seconds.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
