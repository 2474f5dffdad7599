//! Amazon SNS's hosts: signing certificates, and the address that confirms a subscription.
//!
//! Invariant: only addresses that were checked to be SNS's come here. One certificate is fetched at a time, so that who
//! sends nonsense in numbers makes no more than one request at once; one that was fetched is kept.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use http::Method;
use pipeline::ports::{ReadError, SnsHost};
use tokio::sync::Mutex as AsyncMutex;
use url::Url;

use crate::client::{Answer, Client};

/// A certificate has some 2 KB.
const CERTIFICATE_BYTES_MAX: usize = 64 * 1024;

/// Certificates kept; each region has one at a time.
const KEPT_MAX: usize = 16;

/// A client that is made when it is first needed: most processes never ask.
#[derive(Debug, Default)]
pub struct Sns {
    /// Stands in place of scheme and host, for tests.
    base: Option<String>,
    /// Held while something is fetched.
    client: AsyncMutex<Option<Client>>,
    /// Certificates by address, the oldest first.
    kept: Mutex<VecDeque<(String, Vec<u8>)>>,
}

impl Sns {
    /// Asks this address, whatever host an address names.
    #[must_use]
    pub fn at(base_url: &str) -> Self {
        Self { base: Some(base_url.trim_end_matches('/').to_owned()), ..Self::default() }
    }

    fn kept(&self, url: &str) -> Option<Vec<u8>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(known, _)| known == url).map(|(_, certificate)| certificate.clone())
    }

    fn keep(&self, url: &str, certificate: &[u8]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT_MAX {
            kept.pop_front();
        }
        kept.push_back((url.to_owned(), certificate.to_vec()));
    }

    async fn get(&self, made: &mut Option<Client>, url: &str) -> Result<Answer, ReadError> {
        let parsed = Url::parse(url).map_err(|why| error(&why))?;
        let asked = match &self.base {
            Some(base) => {
                let query = parsed.query().map(|query| format!("?{query}")).unwrap_or_default();
                Url::parse(&format!("{base}{}{query}", parsed.path())).map_err(|why| error(&why))?
            }
            None => parsed,
        };
        let client = match made {
            Some(client) => client.clone(),
            None => made.insert(Client::new().map_err(|why| error(&why))?).clone(),
        };
        let answer = client.fetch(client.request(Method::GET, asked), CERTIFICATE_BYTES_MAX).await;
        let answer = answer.map_err(|why| error(&why))?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(error(&format_args!("it answered {}", answer.status.as_u16())))
    }
}

#[async_trait]
impl SnsHost for Sns {
    async fn certificate(&self, url: &str) -> Result<Vec<u8>, ReadError> {
        if let Some(certificate) = self.kept(url) {
            return Ok(certificate);
        }
        let mut client = self.client.lock().await;
        // Whoever held the lock may have fetched the same.
        if let Some(certificate) = self.kept(url) {
            return Ok(certificate);
        }
        let certificate = self.get(&mut client, url).await?.body;
        self.keep(url, &certificate);
        Ok(certificate)
    }

    async fn confirm(&self, subscribe_url: &str) -> Result<(), ReadError> {
        let mut client = self.client.lock().await;
        self.get(&mut client, subscribe_url).await.map(drop)
    }
}

fn error(why: &dyn std::fmt::Display) -> ReadError {
    ReadError { why: format!("SNS: {why}") }
}
