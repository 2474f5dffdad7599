//! Amazon SNS's hosts: the signing certificate, and the address that confirms a subscription; and messages as SNS signs
//! them.
//!
//! Invariant: messages are signed as version 2 says, with the key of the certificate that is served. The key is a test's
//! own and signs nothing else.
//! Source: <https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html>.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};

use crate::faults::Faults;
use crate::server::{Server, lock};

/// The certificate, PEM.
pub const CERTIFICATE: &str = include_str!("sns/certificate.pem");

const KEY: &str = include_str!("sns/key.pem");

/// What is signed of a notification, and of a message that asks for a confirmation.
const NOTIFICATION: [&str; 6] = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];
const CONFIRMATION: [&str; 7] = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];

type Shared = Arc<Mutex<Vec<String>>>;

/// A running stand-in. A clone is the same one.
#[derive(Debug, Clone)]
pub struct Sns {
    confirmed: Shared,
    server: Arc<Server>,
}

impl Sns {
    /// Starts it.
    ///
    /// # Errors
    /// When a loopback port cannot be bound.
    pub async fn start() -> io::Result<Self> {
        let confirmed = Shared::default();
        let router = Router::new()
            .route("/{certificate}", get(|| async { CERTIFICATE }))
            .route("/", get(confirm))
            .with_state(confirmed.clone());
        Ok(Self { confirmed, server: Arc::new(Server::start(router, shape).await?) })
    }

    /// Its base address: what `https://sns.<region>.amazonaws.com` is for AWS.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// Its script of faults.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.server.faults()
    }

    /// Requests seen, whatever became of them.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.server.requests()
    }

    /// The topics whose subscription was confirmed.
    #[must_use]
    pub fn confirmed(&self) -> Vec<String> {
        lock(&self.confirmed).clone()
    }
}

async fn confirm(State(confirmed): State<Shared>, Query(query): Query<BTreeMap<String, String>>) -> Response {
    let given = |name: &str| query.get(name).cloned().unwrap_or_default();
    if given("Action") != "ConfirmSubscription" || given("Token").is_empty() {
        return StatusCode::BAD_REQUEST.into_response();
    }
    lock(&confirmed).push(given("TopicArn"));
    "<ConfirmSubscriptionResponse/>".into_response()
}

/// A notification of a topic, as SNS posts it. `at` is RFC 3339.
///
/// # Errors
/// When the key cannot be read or does not sign.
pub fn notification(topic: &str, message: &Value, at: &str) -> io::Result<Value> {
    signed(json!({
        "Type": "Notification", "MessageId": "9b15e083-30a3-5a57-a17e-b7a721ad365d", "TopicArn": topic,
        "Subject": "ALARM", "Message": message.to_string(), "Timestamp": at,
    }))
}

/// The message with which a topic asks whether its messages are welcome.
///
/// # Errors
/// When the key cannot be read or does not sign.
pub fn confirmation(topic: &str, at: &str) -> io::Result<Value> {
    let query = format!("Action=ConfirmSubscription&TopicArn={topic}&Token=2336412f37f");
    signed(json!({
        "Type": "SubscriptionConfirmation", "MessageId": "165545c9-2a5c-472c-8df2-7ff2be2b3b1b", "Token": "2336412f37f",
        "TopicArn": topic, "Message": "You have chosen to subscribe to the topic.", "Timestamp": at,
        "SubscribeURL": format!("https://sns.eu-central-1.amazonaws.com/?{query}"),
    }))
}

fn signed(mut message: Value) -> io::Result<Value> {
    let confirms = message.get("SubscribeURL").is_some();
    let names: &[&str] = if confirms { &CONFIRMATION } else { &NOTIFICATION };
    let part = |name: &&str| Some(format!("{name}\n{}\n", message.get(*name)?.as_str()?));
    let text: String = names.iter().filter_map(part).collect();
    let der = PrivatePkcs8KeyDer::from_pem_slice(KEY.as_bytes()).map_err(io::Error::other)?;
    let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(io::Error::other)?;
    let mut signature = vec![0; key.public().modulus_len()];
    let signing = key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature);
    signing.map_err(|_| io::Error::other("the key does not sign"))?;
    message["SignatureVersion"] = "2".into();
    message["Signature"] = BASE64_STANDARD.encode(signature).into();
    message["SigningCertURL"] =
        "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem".into();
    Ok(message)
}

fn shape(status: StatusCode) -> Value {
    json!({ "Error": { "Code": status.canonical_reason().unwrap_or("Error") } })
}
