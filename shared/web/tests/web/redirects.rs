//! No reader follows a vendor anywhere: not to a private address, not with the token, not even on the same host.

use std::fmt::Debug;
use std::future::Future;

use config::{ArizeQuery, Query};
use domain::Timestamp;
use pipeline::ports::{ChangeHistory, MetricQuery, MetricReader, MonitorReader, ReadError};
use secrecy::SecretString;
use tocsin_web::{Arize, ArizeHistory, Datadog, GitHub, Prometheus};

use crate::wire::{Reply, Wire, client};

fn token() -> SecretString {
    SecretString::from("hunter2")
}

fn query(query: Query, step_secs: u32) -> MetricQuery {
    let at = |secs: i64| Timestamp::from_second(1_795_168_800 + secs).unwrap();
    MetricQuery { query, total_query: None, start: at(0), end: at(4 * 3600), step_secs }
}

/// Asks a vendor that answers every request with a redirect, and looks at who was asked then.
async fn check<T, F>(ask: impl Fn(String) -> F)
where
    T: Debug,
    F: Future<Output = Result<T, ReadError>>,
{
    let private = Wire::start(|_| Reply::with_headers(200, "", "internal")).await;
    for status in [301, 302, 303, 307, 308] {
        for location in [format!("{}/latest/meta-data", private.url()), "/elsewhere".to_owned()] {
            let headers = format!("location: {location}\r\n");
            let wire = Wire::start(move |_| Reply::with_headers(status, &headers, "{}")).await;
            let error = ask(wire.url()).await.unwrap_err();
            assert!(!error.why.contains("meta-data") && !error.why.contains("hunter2"), "{}", error.why);
            assert_eq!(wire.requests().len(), 1, "{status} to {location}: asked once");
        }
    }
    assert_eq!(private.requests().len(), 0, "the private address was asked");
}

#[tokio::test]
async fn prometheus_leads_nowhere() {
    check(|url| async move {
        let reader = Prometheus::new(&client(), &url, Some(&token())).unwrap();
        reader.read(&query(Query::Prometheus("up".to_owned()), 60)).await
    })
    .await;
}

#[tokio::test]
async fn datadog_leads_nowhere() {
    check(|url| async move {
        let reader = Datadog::new(&client(), &url, &token(), &token()).unwrap();
        reader.read(&query(Query::Datadog("avg:up{*}".to_owned()), 60)).await
    })
    .await;
}

#[tokio::test]
async fn github_leads_nowhere() {
    check(|url| async move {
        GitHub::new(&client(), &url, Some(&token())).unwrap().deployments("acme", "chatbot", None).await
    })
    .await;
    check(|url| async move {
        GitHub::new(&client(), &url, Some(&token())).unwrap().commits("acme", "chatbot", "1a2b3c4", "5d6e7f8").await
    })
    .await;
}

#[tokio::test]
async fn arize_leads_nowhere() {
    check(|url| async move { Arize::new(&client(), &url, &token()).unwrap().monitor("m").await }).await;
    check(|url| async move {
        let [space, model, monitor] = ["U3BhY2U6MQ==", "chatbot", "m"].map(str::to_owned);
        let reader = ArizeHistory::new(&client(), &format!("{url}/graphql"), &token()).unwrap();
        reader.read(&query(Query::Arize(ArizeQuery { space, model, monitor }), 3600)).await
    })
    .await;
}
