//! Something that may have caused an incident.
//!
//! Invariant: a change is reported as its system told it; ranking is the suspect's business.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Code was rolled out.
    Deployment,
}

/// One change to one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What kind.
    pub kind: ChangeKind,
    /// Its id at the system that told of it.
    pub id: String,
    /// When it took effect: the newest status' time, else its creation.
    pub at: Timestamp,
    /// Short name: the ref and commit of a deployment.
    pub title: String,
    /// Environment it went to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The newest state its system reported (`success`, `failure`, `in_progress` …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Who did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The commit it brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Where to read more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// One commit inside a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Full hash.
    pub sha: String,
    /// First line of its message.
    pub title: String,
    /// Author's login or name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
}

/// The commits that came between the last two deployments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitRange {
    /// The older deployment's commit.
    pub base: String,
    /// The newer deployment's commit.
    pub head: String,
    /// Commits in the range; `commits` may hold fewer.
    pub total: usize,
    /// The newest of them, newest first.
    pub commits: Vec<Commit>,
    /// The comparison's page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}
