//! SNS's hosts: a certificate is fetched once, a failure is told and not kept.

use pipeline::ports::SnsHost;
use stand_ins::{Fault, sns};
use tocsin_web::Sns;

const CERTIFICATE: &str = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0.pem";
const CONFIRM: &str =
    "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:x&Token=1";

#[tokio::test]
async fn a_certificate_is_fetched_once() {
    let vendor = stand_ins::Sns::start().await.unwrap();
    let host = Sns::at(&vendor.url());
    for _ in 0..3 {
        assert_eq!(host.certificate(CERTIFICATE).await.unwrap(), sns::CERTIFICATE.as_bytes());
    }
    assert_eq!(vendor.requests(), 1);
    let others = (0..20).map(|n| CERTIFICATE.replace('0', &n.to_string()));
    for other in others {
        host.certificate(&other).await.unwrap();
    }
    // The first one has given way to newer ones.
    let before = vendor.requests();
    host.certificate(CERTIFICATE).await.unwrap();
    assert_eq!(vendor.requests(), before + 1);
}

#[tokio::test]
async fn a_failure_is_told_and_tried_again() {
    let vendor = stand_ins::Sns::start().await.unwrap();
    let host = Sns::at(&vendor.url());
    vendor.faults().next(1, Fault::Status { status: 404, retry_after_secs: None, body: "canary".to_owned() });
    let error = host.certificate(CERTIFICATE).await.unwrap_err().to_string();
    assert_eq!(error, "SNS: it answered 404");
    assert!(host.certificate(CERTIFICATE).await.is_ok());
    vendor.faults().next(1, Fault::Huge);
    assert!(host.certificate(&CERTIFICATE.replace('0', "1")).await.is_err(), "an answer has a limit");
}

#[tokio::test]
async fn a_subscription_is_confirmed_at_its_address() {
    let vendor = stand_ins::Sns::start().await.unwrap();
    let host = Sns::at(&vendor.url());
    host.confirm(CONFIRM).await.unwrap();
    assert_eq!(vendor.confirmed(), ["arn:aws:sns:x"]);
    assert!(host.confirm(&CONFIRM.replace("&Token=1", "")).await.is_err());
}
