//! Step 1: a webhook comes in.
//!
//! Invariant: nothing leaves this process for a request that is not authenticated, and an answer "accepted" means that
//! the queue has every alert. The raw body is looked into only after its signature held.

use std::sync::Arc;

use config::Config;
use domain::{AlertId, Fingerprint};
use serde::Serialize;
use sources::{AuthError, BODY_BYTES_MAX, DecodeError, Inbound};
use thiserror::Error;
use uuid::Uuid;

use crate::Item;
use crate::inbox::{item, pack};
use crate::ports::{Clock, Queue, QueueError};

/// An alert that is durable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// This reception.
    pub alert_id: AlertId,
    /// Its dedup key.
    pub fingerprint: Fingerprint,
}

/// Why a webhook was not taken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Config names no such source.
    #[error("no source has this name: use one that the config lists under `sources`")]
    UnknownSource,
    /// The body is too large.
    #[error("the body has more than {BODY_BYTES_MAX} bytes: send fewer alerts at once")]
    TooLarge,
    /// The body is compressed, or said to be no JSON.
    #[error("{0}")]
    UnsupportedMediaType(&'static str),
    /// The sender is not who it should be. Why, only our log says.
    #[error("the request is not authenticated: send it with a secret that the config lists for this source")]
    NotAuthenticated {
        /// What `WWW-Authenticate` names.
        challenge: &'static str,
        /// Why.
        #[source]
        why: AuthError,
    },
    /// The body is not an alert.
    #[error("{0}")]
    Undecodable(#[from] DecodeError),
    /// The queue did not take it: send it again.
    #[error("the alert could not be made durable: send it again")]
    NotDurable(#[source] QueueError),
}

impl Refusal {
    /// A stable name for logs, which hold nothing of a body.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::UnknownSource => "unknown_source",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType(_) => "unsupported_media_type",
            Self::NotAuthenticated { why, .. } => why.as_str(),
            Self::Undecodable(why) => why.as_str(),
            Self::NotDurable(_) => "not_durable",
        }
    }
}

/// Takes webhooks.
pub struct Receive {
    config: Arc<Config>,
    queue: Arc<dyn Queue>,
    clock: Arc<dyn Clock>,
}

impl Receive {
    /// Over a config and a queue.
    #[must_use]
    pub fn new(config: Arc<Config>, queue: Arc<dyn Queue>, clock: Arc<dyn Clock>) -> Self {
        Self { config, queue, clock }
    }

    /// Authenticates, decodes, fingerprints and enqueues one webhook.
    ///
    /// # Errors
    /// [`Refusal`] says whether the sender should mend it or send it again.
    pub async fn accept(
        &self,
        source: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Result<Vec<Accepted>, Refusal> {
        let source = self.config.source(source).ok_or(Refusal::UnknownSource)?;
        if body.len() > BODY_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        let inbound = Inbound { headers, body, received_at: self.clock.now() };
        check_media_type(&inbound)?;
        let challenge = source.auth.challenge();
        source.auth.verify(&inbound).map_err(|why| Refusal::NotAuthenticated { challenge, why })?;
        let alerts = source.decode(&inbound, &mut || AlertId::new(Uuid::now_v7().to_string()))?;
        let items: Vec<Item> = alerts.into_iter().map(|alert| item(&self.config, alert)).collect();
        let accepted: Vec<Accepted> = items
            .iter()
            .map(|item| Accepted { alert_id: item.alert.id.clone(), fingerprint: item.fingerprint.clone() })
            .collect();
        self.queue.send_inbox(&pack(items), 0).await.map_err(Refusal::NotDurable)?;
        for one in &accepted {
            tracing::info!(alert.id = %one.alert_id, alert.fingerprint = %one.fingerprint, source = source.name, "alert accepted");
        }
        Ok(accepted)
    }
}

fn check_media_type(inbound: &Inbound<'_>) -> Result<(), Refusal> {
    if inbound.header("content-encoding").is_some_and(|e| !e.trim().eq_ignore_ascii_case("identity")) {
        return Err(Refusal::UnsupportedMediaType("compressed bodies are not read: send the JSON as it is"));
    }
    let Some(media_type) = inbound.header("content-type") else { return Ok(()) };
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        Ok(())
    } else {
        Err(Refusal::UnsupportedMediaType("the body must be JSON: send it with content-type application/json"))
    }
}
