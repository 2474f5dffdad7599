//! Amazon SNS over HTTPS: every message carries its signature and the address of the certificate that made it. Source:
//! <https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html>.
//!
//! Invariant: a message counts only with a topic that config lists, a certificate from `sns.<region>.amazonaws.com` or
//! its Chinese twin, and that certificate's signature over the documented fields. An address in a message is handed out
//! to be fetched only if it is one of these hosts', and nothing but the certificate is before the signature held.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::Timestamp;
use serde_json::Value;

use crate::sns_signature::{Hash, check_signature};
use crate::{AuthError, Inbound, json};

/// The word in config.
pub(crate) const KIND: &str = "sns";

/// Seconds that a message may be old: SNS sends one again for at most an hour, with the time that it was signed.
pub const SNS_AGE_SECS_MAX: u64 = 3_900;

/// What a signature is over, in this order; what a message lacks is passed over.
const NOTIFICATION: [&str; 6] = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"];
const CONFIRMATION: [&str; 7] = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];

/// A topic that wants to know whether its messages are welcome. Its signature held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// The topic.
    pub topic: String,
    /// The address on an SNS host that confirms it when it is asked for.
    pub subscribe_url: String,
}

/// The message's parts.
struct Envelope(Value);

impl Envelope {
    /// The message, if its topic is one of ours.
    fn read(topics: &[String], inbound: &Inbound) -> Result<Self, AuthError> {
        let body = json::parse(inbound.body).map_err(|_| AuthError::NotSigned { lacking: "JSON" })?;
        let envelope = Self(body);
        let topic = envelope.required("TopicArn")?;
        if topics.iter().all(|known| known != topic) {
            return Err(AuthError::UnknownTopic);
        }
        Ok(envelope)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    fn required(&self, name: &'static str) -> Result<&str, AuthError> {
        self.text(name).ok_or(AuthError::NotSigned { lacking: name })
    }

    fn is_confirmation(&self) -> bool {
        matches!(self.text("Type"), Some("SubscriptionConfirmation" | "UnsubscribeConfirmation"))
    }

    fn certificate_url(&self) -> Result<&str, AuthError> {
        let url = self.required("SigningCertURL")?;
        let path = path_at_sns(url).ok_or(AuthError::ForeignCertificate)?;
        let name = path.strip_prefix("SimpleNotificationService-").and_then(|name| name.strip_suffix(".pem"));
        let fits = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if name.is_some_and(fits) { Ok(url) } else { Err(AuthError::ForeignCertificate) }
    }

    /// The documented text: names and values, each on lines of their own.
    fn signed_text(&self) -> String {
        let names: &[&str] = if self.is_confirmation() { &CONFIRMATION } else { &NOTIFICATION };
        let part = |name: &&str| self.text(name).map(|value| format!("{name}\n{value}\n"));
        names.iter().filter_map(part).collect()
    }
}

/// Where the certificate is that [`verify`] wants.
pub(crate) fn certificate_url(topics: &[String], inbound: &Inbound) -> Result<String, AuthError> {
    Ok(Envelope::read(topics, inbound)?.certificate_url()?.to_owned())
}

/// Checks topic, age and signature against the certificate (PEM) at the message's own address.
pub(crate) fn verify(topics: &[String], inbound: &Inbound, certificate: &[u8]) -> Result<(), AuthError> {
    let envelope = Envelope::read(topics, inbound)?;
    envelope.certificate_url()?;
    let hash = match envelope.required("SignatureVersion")? {
        "1" => Hash::Sha1,
        "2" => Hash::Sha256,
        _ => return Err(AuthError::NotSigned { lacking: "SignatureVersion 1 or 2" }),
    };
    for name in ["Type", "Message", "MessageId"] {
        envelope.required(name)?;
    }
    check_age(envelope.required("Timestamp")?, inbound.received_at)?;
    let signature = BASE64_STANDARD.decode(envelope.required("Signature")?);
    let signature = signature.map_err(|_| AuthError::NotSigned { lacking: "Signature in base64" })?;
    check_signature(certificate, hash, envelope.signed_text().as_bytes(), &signature)
}

/// The subscription that a message asks to confirm; `None` for any other message. Only after [`verify`].
pub(crate) fn subscription(topics: &[String], inbound: &Inbound) -> Option<Subscription> {
    let envelope = Envelope::read(topics, inbound).ok()?;
    let (kind, topic) = (envelope.text("Type")?, envelope.text("TopicArn")?);
    let url = envelope.text("SubscribeURL")?;
    let asks = kind == "SubscriptionConfirmation" && path_at_sns(url)?.starts_with("?Action=ConfirmSubscription&");
    asks.then(|| Subscription { topic: topic.to_owned(), subscribe_url: url.to_owned() })
}

/// True for what may be listed as a topic: `arn:aws:sns:<region>:<account>:<name>`.
pub(crate) fn is_topic(arn: &str) -> bool {
    let parts: Vec<&str> = arn.split(':').collect();
    let [scheme, partition, service, region, account, name] = parts[..] else { return false };
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    scheme == "arn"
        && partition.starts_with("aws")
        && service == "sns"
        && [region, name].into_iter().all(plain)
        && account.len() == 12
        && account.bytes().all(|b| b.is_ascii_digit())
}

/// What follows `https://sns.<region>.amazonaws.com/` (or `.com.cn/`); `None` for any other address.
fn path_at_sns(url: &str) -> Option<&str> {
    let (host, path) = url.strip_prefix("https://sns.")?.split_once('/')?;
    let region = host.strip_suffix(".amazonaws.com").or_else(|| host.strip_suffix(".amazonaws.com.cn"))?;
    let fits = region.len() >= 3 && region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let clean = path.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    (fits && clean).then_some(path)
}

fn check_age(text: &str, now: Timestamp) -> Result<(), AuthError> {
    let signed_at: Timestamp = text.parse().map_err(|_| AuthError::NotSigned { lacking: "a Timestamp" })?;
    let skew_secs = now.as_second().abs_diff(signed_at.as_second());
    let ahead = signed_at > now;
    let max = if ahead { crate::FRESH_SECS } else { SNS_AGE_SECS_MAX };
    if skew_secs <= max { Ok(()) } else { Err(AuthError::Stale { skew_secs }) }
}

#[cfg(test)]
mod tests {
    use super::{is_topic, path_at_sns};

    #[test]
    fn only_the_hosts_of_sns_are_asked() {
        for (url, path) in [
            ("https://sns.us-east-1.amazonaws.com/a.pem", Some("a.pem")),
            ("https://sns.cn-north-1.amazonaws.com.cn/?Action=x", Some("?Action=x")),
            ("http://sns.us-east-1.amazonaws.com/a.pem", None),
            ("https://sns.us-east-1.amazonaws.com.evil.example/a.pem", None),
            ("https://sns.us-east-1.amazonaws.com@evil.example/a.pem", None),
            ("https://sns.evil.example/.amazonaws.com/a.pem", None),
            ("https://sns.a.b.amazonaws.com/a.pem", None),
            ("https://sns.us-east-1.amazonaws.com:8443/a.pem", None),
            ("https://sns..amazonaws.com/a.pem", None),
            ("https://snsXus-east-1.amazonaws.com/a.pem", None),
            ("https://s3.us-east-1.amazonaws.com/sns.us-east-1.amazonaws.com/a.pem", None),
            ("https://sns.us-east-1.amazonaws.com\\@evil.example/a.pem", None),
            ("https://sns.us-east-1.amazonaws.com", None),
            ("https://sns.us-east-1.amazonaws.com/a b", None),
            ("https://169.254.169.254/latest/meta-data", None),
            ("", None),
        ] {
            assert_eq!(path_at_sns(url), path, "{url}");
        }
    }

    #[test]
    fn a_topic_is_one_arn() {
        assert!(is_topic("arn:aws:sns:eu-central-1:123456789012:alarms"));
        assert!(is_topic("arn:aws-cn:sns:cn-north-1:123456789012:alarms.fifo"));
        for text in [
            "",
            "alarms",
            "arn:aws:sqs:eu-central-1:123456789012:alarms",
            "arn:aws:sns:eu-central-1:12345:alarms",
            "arn:aws:sns:eu-central-1:123456789012:",
            "arn:aws:sns:eu-central-1:123456789012:*",
            "arn:aws:sns:eu-central-1:123456789012:alarms:subscription-id",
        ] {
            assert!(!is_topic(text), "{text}");
        }
    }
}
