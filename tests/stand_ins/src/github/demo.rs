//! The demonstration's repository.
//!
//! Invariant: its times depend on nothing but the given now.

use jiff::{SignedDuration, Timestamp};

use super::{Commit, Deployment, DeploymentStatus, Repo};

const DEPLOYED_SHA: &str = "5f1d3a9c0b7e4826d1f0a3c95b8e7d6420f1c3a7";

/// Hash, message, author and minutes before now of the commits that the later deployment brought, oldest first.
const NEW_COMMITS: [(&str, &str, &str, i64); 4] = [
    ("8c2e6f41a9d07b35e4c81f26d3b90a57c6e2f418", "Log the route's name with every answer", "mara", 2900),
    ("b7a09d52c3e81f64a0d5c7b2e9f318460c5d7a92", "Raise the retrieval limit to 8 passages", "jonas", 1560),
    (
        "e3d41c68f5b29a70c8e6d1f4a7b05392de8c1f63",
        "Cache the embeddings of help articles\n\nSaves one call per question.",
        "mara",
        240,
    ),
    ("1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d", "Switch chat route to gpt-4o-mini", "jonas", 31),
];

pub(super) fn repo(now: Timestamp) -> Repo {
    let before = |minutes: i64| now.saturating_sub(SignedDuration::from_mins(minutes)).unwrap_or(now);
    let first = commit(DEPLOYED_SHA, "Answer in the language of the question", "mara", before(4400));
    let newer = NEW_COMMITS.map(|(sha, message, author, minutes)| commit(sha, message, author, before(minutes)));
    let head = newer.last().map_or(DEPLOYED_SHA.to_owned(), |commit| commit.sha.clone());
    Repo {
        owner: "acme".to_owned(),
        name: "support-chatbot".to_owned(),
        deployments: vec![
            deployment(4101, DEPLOYED_SHA.to_owned(), "mara", [before(3 * 24 * 60 + 4), before(3 * 24 * 60)]),
            deployment(4127, head, "jonas", [before(16), before(12)]),
        ],
        commits: std::iter::once(first).chain(newer).collect(),
    }
}

fn commit(sha: &str, message: &str, author: &str, at: Timestamp) -> Commit {
    Commit { sha: sha.to_owned(), message: message.to_owned(), author: author.to_owned(), at }
}

fn deployment(id: u64, sha: String, creator: &str, [started_at, succeeded_at]: [Timestamp; 2]) -> Deployment {
    let status = |state: &str, created_at| DeploymentStatus {
        state: state.to_owned(),
        created_at,
        log_url: format!("https://github.com/acme/support-chatbot/actions/runs/{id}"),
    };
    Deployment {
        id,
        sha,
        git_ref: "main".to_owned(),
        environment: "production".to_owned(),
        creator: creator.to_owned(),
        created_at: started_at,
        statuses: vec![status("in_progress", started_at), status("success", succeeded_at)],
    }
}
