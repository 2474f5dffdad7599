//! The SDK's clients, built once per process.
//!
//! Invariant: credentials and region come from the environment that Lambda sets; with an endpoint address the clients
//! talk to that and nothing else.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::user_agent::UserAgentInterceptor;
use aws_sdk_dynamodb::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition};
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{
    BehaviorVersion, ConfigBag, Intercept, Region, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpClient, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::interceptors::{disable_interceptor, dyn_dispatch_hint};
use thiserror::Error;

/// One try of a call may take this long; a page waits behind it.
const TRY_TIMEOUT: Duration = Duration::from_secs(3);

/// A call with its retries may take this long.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// An address that is never looked up.
const NOWHERE: &str = "http://engines.invalid";

/// Where the services are, when not where the region says.
#[derive(Debug, Clone, Default)]
pub struct Endpoints {
    /// `DynamoDB`'s address.
    pub dynamodb: Option<String>,
    /// SQS's address.
    pub sqs: Option<String>,
}

impl Endpoints {
    /// At two addresses of one's own.
    #[must_use]
    pub fn at(dynamodb: &str, sqs: &str) -> Self {
        Self { dynamodb: Some(dynamodb.to_owned()), sqs: Some(sqs.to_owned()) }
    }

    /// From `AWS_ENDPOINT_URL`, `AWS_ENDPOINT_URL_DYNAMODB` and `AWS_ENDPOINT_URL_SQS`, as every AWS SDK reads them.
    #[must_use]
    pub fn from_env() -> Self {
        let read = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let all = read("AWS_ENDPOINT_URL");
        Self {
            dynamodb: read("AWS_ENDPOINT_URL_DYNAMODB").or_else(|| all.clone()),
            sqs: read("AWS_ENDPOINT_URL_SQS").or(all),
        }
    }
}

/// The environment does not say who we are.
#[derive(Debug, Error)]
#[error("{0} is not set: Lambda sets it; elsewhere export it, or use `tocsin local`")]
pub struct ClientsError(&'static str);

/// Who we are, and where.
#[derive(Clone)]
pub(crate) struct Identity {
    pub(crate) region: String,
    /// What requests are signed with; without any they are not.
    pub(crate) credentials: Option<SharedCredentialsProvider>,
}

impl Identity {
    /// From what Lambda puts into the environment; `region` stands in place of its own.
    pub(crate) fn from_env(region: Option<&str>) -> Result<Self, ClientsError> {
        let read = |name: &'static str| std::env::var(name).map_err(|_| ClientsError(name));
        let own = || read("AWS_REGION").or_else(|_| read("AWS_DEFAULT_REGION")).map_err(|_| ClientsError("AWS_REGION"));
        let credentials = Credentials::new(
            read("AWS_ACCESS_KEY_ID")?,
            read("AWS_SECRET_ACCESS_KEY")?,
            std::env::var("AWS_SESSION_TOKEN").ok(),
            None,
            "environment",
        );
        let region = region.map_or_else(own, |region| Ok(region.to_owned()))?;
        Ok(Self { region, credentials: Some(SharedCredentialsProvider::new(credentials)) })
    }

    /// For engines on this machine.
    pub(crate) fn local() -> Self {
        let credentials = SharedCredentialsProvider::new(Credentials::new("local", "local", None, None, "local"));
        Self { credentials: Some(credentials), ..Self::unsigned() }
    }

    /// For engines that read no signature.
    fn unsigned() -> Self {
        Self { region: "us-east-1".to_owned(), credentials: None }
    }
}

/// The clients.
#[derive(Debug, Clone)]
pub struct Clients {
    /// `DynamoDB`.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// SQS.
    pub sqs: aws_sdk_sqs::Client,
}

impl Clients {
    /// With the region and the credentials that Lambda puts into the environment.
    ///
    /// # Errors
    /// [`ClientsError`] names the variable that is missing.
    pub fn from_env() -> Result<Self, ClientsError> {
        Ok(Self::new(&Endpoints::from_env(), Identity::from_env(None)?))
    }

    /// For engines on this machine, which take any credentials.
    #[must_use]
    pub fn local(endpoints: &Endpoints) -> Self {
        Self::new(endpoints, Identity::local())
    }

    /// For engines in this process, which are handed each request and read no signature: none is made. Retries are counted
    /// by these clients alone.
    #[must_use]
    pub fn in_process(engines: impl HttpClient + 'static) -> Self {
        let (endpoints, http) = (Endpoints::at(NOWHERE, NOWHERE), SharedHttpClient::new(engines));
        let dynamodb = dynamodb(&endpoints, Identity::unsigned(), http.clone());
        let dynamodb = dynamodb.retry_partition(RetryPartition::custom("dynamodb").build()).interceptor(Bare);
        let sqs = sqs(&endpoints, Identity::unsigned(), http);
        let sqs = sqs.retry_partition(RetryPartition::custom("sqs").build()).interceptor(Bare);
        Self::of(dynamodb, sqs)
    }

    fn new(endpoints: &Endpoints, identity: Identity) -> Self {
        let plain = is_plain(endpoints.dynamodb.as_deref()) && is_plain(endpoints.sqs.as_deref());
        let http = http_client(plain);
        Self::of(dynamodb(endpoints, identity.clone(), http.clone()), sqs(endpoints, identity, http))
    }

    fn of(dynamodb: aws_sdk_dynamodb::config::Builder, sqs: aws_sdk_sqs::config::Builder) -> Self {
        Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            sqs: aws_sdk_sqs::Client::from_conf(sqs.build()),
        }
    }
}

/// Leaves out of each request what it says of its sender: engines in this process read none of it.
#[derive(Debug)]
struct Bare;

#[dyn_dispatch_hint]
impl Intercept for Bare {
    fn name(&self) -> &'static str {
        "Bare"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let why = "nobody reads it";
        let state = config.interceptor_state();
        state.store_put(disable_interceptor::<UserAgentInterceptor>(why));
        state.store_put(disable_interceptor::<InvocationIdInterceptor>(why));
        state.store_put(disable_interceptor::<RequestInfoInterceptor>(why));
        Ok(())
    }
}

/// SQS's client alone, for a function that has no table: less to link and to set up before its first poll.
///
/// # Errors
/// [`ClientsError`] names the variable that is missing.
pub fn sqs_from_env() -> Result<aws_sdk_sqs::Client, ClientsError> {
    let endpoints = Endpoints::from_env();
    let http = http_client(is_plain(endpoints.sqs.as_deref()));
    Ok(aws_sdk_sqs::Client::from_conf(sqs(&endpoints, Identity::from_env(None)?, http).build()))
}

fn dynamodb(endpoints: &Endpoints, identity: Identity, http: SharedHttpClient) -> aws_sdk_dynamodb::config::Builder {
    let mut dynamodb = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(identity.region))
        .http_client(http)
        .retry_config(RetryConfig::standard())
        .stalled_stream_protection(unguarded())
        .timeout_config(timeouts());
    if identity.credentials.is_none() {
        dynamodb.set_allow_no_auth();
    }
    dynamodb.set_credentials_provider(identity.credentials);
    dynamodb.set_endpoint_url(endpoints.dynamodb.clone());
    dynamodb
}

fn sqs(endpoints: &Endpoints, identity: Identity, http: SharedHttpClient) -> aws_sdk_sqs::config::Builder {
    let mut sqs = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(identity.region))
        .http_client(http)
        .retry_config(RetryConfig::standard())
        .stalled_stream_protection(unguarded())
        .timeout_config(timeouts());
    if identity.credentials.is_none() {
        sqs.set_allow_no_auth();
    }
    sqs.set_credentials_provider(identity.credentials);
    sqs.set_endpoint_url(endpoints.sqs.clone());
    sqs
}

fn is_plain(url: Option<&str>) -> bool {
    url.is_some_and(|url| url.starts_with("http://"))
}

/// Bodies are small and a whole try is bounded: watching each byte of them costs time and saves none.
fn unguarded() -> StalledStreamProtectionConfig {
    StalledStreamProtectionConfig::disabled()
}

pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(TRY_TIMEOUT).operation_timeout(CALL_TIMEOUT).build()
}

/// One connector for the whole process. The SDK's own client makes one for each service and throws it away, and another
/// at the first call, and each of them reads and parses the machine's certificates: milliseconds of a cold start. Engines
/// on plain HTTP need no certificates. Connecting is bounded by [`TRY_TIMEOUT`].
pub(crate) fn http_client(plain: bool) -> SharedHttpClient {
    let connector = Connector::builder();
    let connector = if plain {
        connector.build_http()
    } else {
        connector.tls_provider(tls::Provider::Rustls(CryptoMode::Ring)).build()
    };
    let connector = SharedHttpConnector::new(connector);
    http_client_fn(move |_settings, _components| connector.clone())
}
