//! Reads a service's deployments and commits from GitHub.
//!
//! Invariant: a deployment is told with the time at which it took effect, as far as GitHub knows it, and a text from an
//! alert never becomes part of a path.

mod payload;
mod refusal;
mod transport;

use async_trait::async_trait;
use domain::{Change, CommitRange};
use futures::future::join_all;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use pipeline::ports::{ChangeHistory, ReadError};
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::Handle;

use self::payload::{Comparison, Deployment, DeploymentStatus, Statuses};
use self::refusal::refusal;
use self::transport::Transport;
use crate::client::Client;
use crate::endpoint::{Endpoint, EndpointError};

/// Deployments asked for.
const DEPLOYMENTS_MAX: usize = 5;

/// Deployments whose statuses are asked for.
const DEPLOYMENTS_WITH_STATUS: usize = 3;

/// Statuses asked for, of one deployment.
const STATUSES_MAX: usize = 10;

/// GitHub's REST API.
#[derive(Debug, Clone)]
pub struct GitHub {
    octocrab: Octocrab,
}

#[derive(Serialize)]
struct DeploymentsQuery<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'a str>,
    per_page: usize,
}

#[derive(Serialize)]
struct StatusesQuery {
    per_page: usize,
}

impl GitHub {
    /// `base_url` is `https://api.github.com`, or an own server's `https://host/api/v3`. Without a token GitHub shows
    /// public repositories and allows 60 requests an hour. To be called inside a tokio runtime, which octocrab works on.
    ///
    /// # Errors
    /// [`EndpointError`] when the address or the token cannot be used, or when there is no runtime.
    pub fn new(client: &Client, base_url: &str, token: Option<&SecretString>) -> Result<Self, EndpointError> {
        let whose = "GitHub";
        let endpoint = Endpoint::new(whose, client, base_url, token)?;
        Handle::try_current().map_err(|_| EndpointError::NoRuntime { whose })?;
        // With a service of our own there is no retry layer: octocrab's default repeats at once.
        let built =
            OctocrabBuilder::new_empty().with_service(Transport::new(endpoint)).with_auth(AuthState::None).build();
        match built {
            Ok(octocrab) => Ok(Self { octocrab }),
        }
    }

    async fn get<T: DeserializeOwned>(
        &self,
        repository: &str,
        path: &str,
        query: Option<&(impl Serialize + Sync)>,
    ) -> Result<T, ReadError> {
        let route = format!("/repos/{repository}/{path}");
        self.octocrab.get(route, query).await.map_err(|error| refusal(&error, repository))
    }

    async fn statuses(&self, repository: &str, id: u64) -> Statuses {
        let path = format!("deployments/{id}/statuses");
        let query = StatusesQuery { per_page: STATUSES_MAX };
        match self.get::<Vec<DeploymentStatus>>(repository, &path, Some(&query)).await {
            Ok(statuses) => Statuses::Read(statuses),
            Err(error) => {
                tracing::warn!(repository, deployment = id, why = error.why, "deployment statuses could not be read");
                Statuses::Unreadable
            }
        }
    }
}

#[async_trait]
impl ChangeHistory for GitHub {
    /// At most 5. The newest 3 are told with their newest status; one whose statuses cannot be read has status
    /// `unknown` and the time of its creation.
    async fn deployments(&self, owner: &str, name: &str, environment: Option<&str>) -> Result<Vec<Change>, ReadError> {
        let repository = repository(owner, name)?;
        let query = DeploymentsQuery { environment, per_page: DEPLOYMENTS_MAX };
        let mut deployments: Vec<Deployment> = self.get(&repository, "deployments", Some(&query)).await?;
        deployments.truncate(DEPLOYMENTS_MAX);
        let newest = deployments.iter().take(DEPLOYMENTS_WITH_STATUS);
        let statuses = join_all(newest.map(|deployment| self.statuses(&repository, deployment.id))).await;
        let asked = statuses.into_iter().chain(std::iter::repeat_with(|| Statuses::NotAsked));
        Ok(deployments.into_iter().zip(asked).map(|(deployment, statuses)| deployment.change(&statuses)).collect())
    }

    async fn commits(&self, owner: &str, name: &str, base: &str, head: &str) -> Result<CommitRange, ReadError> {
        let repository = repository(owner, name)?;
        let path = format!("compare/{}...{}", segment("commit", base)?, segment("commit", head)?);
        let comparison: Comparison = self.get(&repository, &path, None::<&()>).await?;
        Ok(comparison.range(base, head))
    }
}

fn repository(owner: &str, name: &str) -> Result<String, ReadError> {
    Ok(format!("{}/{}", segment("owner", owner)?, segment("repository", name)?))
}

/// The text, if it is one path segment that needs no encoding. `.` and `..` would leave the path.
fn segment<'a>(what: &str, text: &'a str) -> Result<&'a str, ReadError> {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if plain && !matches!(text, "" | "." | "..") {
        Ok(text)
    } else {
        Err(ReadError { why: format!("the {what} name for GitHub may hold only letters, digits, '.', '_' and '-'") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_become_path_segments() {
        for plain in ["acme", "support-chatbot", "a.b_c-1", ".github", "...", "1a2b3c4"] {
            assert_eq!(segment("owner", plain), Ok(plain));
        }
        for other in ["", ".", "..", "a/b", "a?b", "a#b", "a%2fb", "a b", "ä", "a\n", "main...x/y", "a\\b", "a@b"] {
            assert!(segment("owner", other).is_err(), "{other}");
        }
    }
}
