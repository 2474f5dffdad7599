//! Step 1: a webhook comes in.
//!
//! Invariant: nothing leaves this process for a request that is not authenticated, and an answer "accepted" means that
//! the queue has every alert. The raw body is looked into only after its signature held.

use std::sync::Arc;

use config::Intake;
use domain::{AlertId, Fingerprint};
use serde::Serialize;
use sources::{Auth, AuthError, BODY_BYTES_MAX, DecodeError, Inbound, Kind, Source, Subscription};
use thiserror::Error;
use uuid::Uuid;

use crate::inbox::{item, pack};
use crate::ports::{Clock, Queue, QueueError, ReadError, Recorder, SnsHost};
use crate::{Item, Recorded};

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
    /// Whether it is authenticated cannot be told now: send it again.
    #[error("the signature could not be checked: send it again")]
    Unverifiable(#[source] ReadError),
    /// The topic's subscription could not be confirmed: ask again.
    #[error("the subscription could not be confirmed: send it again")]
    NotConfirmed(#[source] ReadError),
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
            Self::Unverifiable(_) => "unverifiable",
            Self::NotConfirmed(_) => "not_confirmed",
            Self::Undecodable(why) => why.as_str(),
            Self::NotDurable(_) => "not_durable",
        }
    }
}

/// Takes webhooks.
pub struct Receive {
    intake: Intake,
    queue: Arc<dyn Queue>,
    clock: Arc<dyn Clock>,
    sns: Option<Arc<dyn SnsHost>>,
    recorder: Option<Arc<dyn Recorder>>,
}

impl Receive {
    /// Over what a config says of it and a queue.
    #[must_use]
    pub fn new(intake: Intake, queue: Arc<dyn Queue>, clock: Arc<dyn Clock>) -> Self {
        Self { intake, queue, clock, sns: None, recorder: None }
    }

    /// With a way to SNS's hosts, for sources whose messages it signs.
    #[must_use]
    pub fn with_sns(mut self, sns: Arc<dyn SnsHost>) -> Self {
        self.sns = Some(sns);
        self
    }

    /// With a place where what was taken is kept, as far as the source's mapping reads it.
    #[must_use]
    pub fn with_recorder(mut self, recorder: Option<Arc<dyn Recorder>>) -> Self {
        self.recorder = recorder;
        self
    }

    /// Authenticates, decodes, fingerprints and enqueues one webhook; `query` is what stands after `?` in its URL. A topic
    /// that asks to be subscribed to is, once its signature held, and accepts nothing.
    ///
    /// # Errors
    /// [`Refusal`] says whether the sender should mend it or send it again.
    pub async fn accept(
        &self,
        source: &str,
        headers: &[(String, String)],
        query: &str,
        body: &[u8],
    ) -> Result<Vec<Accepted>, Refusal> {
        let source = self.intake.source(source).ok_or(Refusal::UnknownSource)?;
        if body.len() > BODY_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        let inbound = Inbound { headers, query, body, received_at: self.clock.now() };
        check_media_type(&inbound, &source.auth)?;
        self.authenticate(source, &inbound).await?;
        if let Some(subscription) = source.auth.subscription(&inbound) {
            self.confirm(&subscription).await?;
            return Ok(Vec::new());
        }
        self.take(source, &inbound).await
    }

    /// Takes an event that AWS itself brings, whose sender IAM has let in: `EventBridge`, or a topic that this function
    /// is subscribed to. It goes to the first source of `CloudWatch` alarms.
    ///
    /// # Errors
    /// [`Refusal`], as for a webhook.
    pub async fn accept_event(&self, body: &[u8]) -> Result<Vec<Accepted>, Refusal> {
        let mut sources = self.intake.sources.iter();
        let source = sources.find(|source| source.kind == Kind::Cloudwatch).ok_or(Refusal::UnknownSource)?;
        let inbound = Inbound { headers: &[], query: "", body, received_at: self.clock.now() };
        self.take(source, &inbound).await
    }

    async fn authenticate(&self, source: &Source, inbound: &Inbound<'_>) -> Result<(), Refusal> {
        let refused = |why| Refusal::NotAuthenticated { challenge: source.auth.challenge(), why };
        let Some(url) = source.auth.certificate_url(inbound).map_err(refused)? else {
            return source.auth.verify(inbound).map_err(refused);
        };
        let certificate = self.sns_host()?.certificate(&url).await.map_err(Refusal::Unverifiable)?;
        source.auth.verify_with(inbound, &certificate).map_err(refused)
    }

    async fn confirm(&self, subscription: &Subscription) -> Result<(), Refusal> {
        let Subscription { topic, subscribe_url } = subscription;
        match self.sns_host()?.confirm(subscribe_url).await {
            Ok(()) => {
                tracing::info!(topic, "subscription confirmed");
                Ok(())
            }
            Err(why) => {
                // Whoever reads it here can confirm it by hand; the address serves nothing else.
                tracing::error!(topic, subscribe_url, %why, "subscription not confirmed");
                Err(Refusal::NotConfirmed(why))
            }
        }
    }

    fn sns_host(&self) -> Result<&dyn SnsHost, Refusal> {
        let absent = || Refusal::Unverifiable(ReadError { why: "there is no way to SNS here".to_owned() });
        self.sns.as_deref().ok_or_else(absent)
    }

    async fn take(&self, source: &Source, inbound: &Inbound<'_>) -> Result<Vec<Accepted>, Refusal> {
        let alerts = source.decode(inbound, &mut || AlertId::new(Uuid::now_v7().to_string()))?;
        let items: Vec<Item> = alerts.into_iter().map(|alert| item(&self.intake, alert)).collect();
        let accepted: Vec<Accepted> = items
            .iter()
            .map(|item| Accepted { alert_id: item.alert.id.clone(), fingerprint: item.fingerprint.clone() })
            .collect();
        self.queue.send_inbox(&pack(items), 0).await.map_err(Refusal::NotDurable)?;
        self.keep(source, inbound);
        for one in &accepted {
            tracing::info!(alert.id = %one.alert_id, alert.fingerprint = %one.fingerprint, source = source.name, "alert accepted");
        }
        Ok(accepted)
    }
}

impl Receive {
    /// After the queue has every alert, so that a recording never stands in the way of one.
    fn keep(&self, source: &Source, inbound: &Inbound<'_>) {
        let Some(recorder) = &self.recorder else { return };
        if let Ok(body) = source.redacted(inbound.body) {
            recorder.record(&Recorded { source: source.name.clone(), received_at: inbound.received_at, body });
        }
    }
}

fn check_media_type(inbound: &Inbound<'_>, auth: &Auth) -> Result<(), Refusal> {
    if inbound.header("content-encoding").is_some_and(|e| !e.trim().eq_ignore_ascii_case("identity")) {
        return Err(Refusal::UnsupportedMediaType("compressed bodies are not read: send the JSON as it is"));
    }
    let Some(media_type) = inbound.header("content-type") else { return Ok(()) };
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // SNS sends its JSON as text.
    let is_text = essence == "text/plain" && matches!(auth, Auth::Sns { .. });
    if is_text || essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json")) {
        Ok(())
    } else {
        Err(Refusal::UnsupportedMediaType("the body must be JSON: send it with content-type application/json"))
    }
}
