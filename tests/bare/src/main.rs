//! The least that a function over `DynamoDB` and SQS can be: what `receive` and its like are compared with.
//!
//! Invariant: it does nothing that `lambda_runtime` and the SDK do not ask for: no config, no log, no wrapper. Its clients
//! are made as the SDK's documentation makes them, before the first poll; with `BARE_CLIENTS=sqs` the one for SQS alone.

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region, SharedHttpClient};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let sqs = sqs(http.clone());
    let dynamodb = (std::env::var("BARE_CLIENTS").as_deref() != Ok("sqs")).then(|| dynamodb(http));
    let queue = std::env::var("BARE_QUEUE_URL").unwrap_or_default();
    let (sqs, dynamodb, queue) = (&sqs, dynamodb.as_ref(), &queue);
    let function = service_fn(move |event: LambdaEvent<Value>| async move {
        let body = event.payload.to_string();
        if let Some(dynamodb) = dynamodb {
            let put = dynamodb.put_item().table_name("bare").item("PK", AttributeValue::S(body.clone()));
            put.send().await?;
        }
        sqs.send_message().queue_url(queue).message_body(body).send().await?;
        Ok::<_, Error>(Value::Null)
    });
    lambda_runtime::run(function).await
}

fn sqs(http: SharedHttpClient) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::Config::builder().behavior_version(BehaviorVersion::latest()).region(region());
    aws_sdk_sqs::Client::from_conf(config.credentials_provider(credentials()).http_client(http).build())
}

fn dynamodb(http: SharedHttpClient) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder().behavior_version(BehaviorVersion::latest()).region(region());
    aws_sdk_dynamodb::Client::from_conf(config.credentials_provider(credentials()).http_client(http).build())
}

fn region() -> Region {
    Region::new(std::env::var("AWS_REGION").unwrap_or_default())
}

fn credentials() -> Credentials {
    let read = |name: &str| std::env::var(name).unwrap_or_default();
    let token = std::env::var("AWS_SESSION_TOKEN").ok();
    Credentials::new(read("AWS_ACCESS_KEY_ID"), read("AWS_SECRET_ACCESS_KEY"), token, None, "environment")
}
