//! Whether what is asked before people are told will answer: metric sources, GitHub, Arize.
//!
//! Invariant: a question reads; a query asks for one number or one entry.

use config::{ArizeApi, Config, Datadog, Github, Prometheus, Query};
use pipeline::SystemClock;
use pipeline::ports::Clock;
use receivers::Method;
use receivers::readiness::{bearer, get, json_of, word};
use secrecy::SecretString;
use serde_json::json;
use web::Sender;

use super::question::{Finding, Question, ask, either};

/// Seconds that a metric query asks for.
const SPAN_SECS: i64 = 60;

pub(super) fn questions<'a>(config: &'a Config, sender: &'a Sender) -> Vec<Question<'a>> {
    let mut questions = Vec::new();
    if let Some(own) = &config.prometheus {
        let asked = Box::pin(async move { either(prometheus(own, sender).await) });
        questions.push(Question { what: "prometheus".to_owned(), section: "prometheus".to_owned(), asked });
    }
    if let Some(own) = &config.datadog {
        let asked = Box::pin(async move { either(datadog(own, sender).await) });
        questions.push(Question { what: "datadog".to_owned(), section: "datadog".to_owned(), asked });
    }
    if let Some(own) = &config.github {
        let asked = Box::pin(async move { either(github(own, config, sender).await) });
        questions.push(Question { what: "github".to_owned(), section: "github".to_owned(), asked });
    }
    if let Some(own) = &config.arize_api {
        let asked = Box::pin(async move { either(arize(own, config, sender).await) });
        questions.push(Question { what: "arize_api".to_owned(), section: "arize_api".to_owned(), asked });
    }
    questions
}

fn given(token: Option<&SecretString>) -> Vec<(&'static str, SecretString)> {
    token.map(bearer).unwrap_or_default()
}

async fn prometheus(own: &Prometheus, sender: &Sender) -> Result<Finding, Finding> {
    let request = get(&own.url, "/api/v1/query?query=1", given(own.token.as_ref()));
    let refused = "look at token, and at what stands in front of Prometheus";
    let body = json_of("Prometheus", &ask(sender, request).await?, &[(401, refused), (403, refused)])?;
    if body["status"] != "success" {
        return Err(Finding::failed(
            "Prometheus does not answer a query",
            "look at url: /api/v1/query is put behind it",
        ));
    }
    Ok(Finding::Ok("Prometheus: answers a query".to_owned()))
}

/// The API key by itself, then both keys by the kind of query that rules ask.
async fn datadog(own: &Datadog, sender: &Sender) -> Result<Finding, Finding> {
    let api_key = || ("dd-api-key", own.api_key.clone());
    let request = get(&own.base_url, "/api/v1/validate", vec![api_key()]);
    let body =
        json_of("Datadog", &ask(sender, request).await?, &[(403, "look at api_key, and that site: is its own")])?;
    if body["valid"] != true {
        return Err(Finding::failed("Datadog does not take the API key", "look at api_key"));
    }
    let now = SystemClock.now().as_second();
    let path = format!("/api/v1/query?from={}&to={now}&query=avg:datadog.agent.running%7B*%7D", now - SPAN_SECS);
    let request = get(&own.base_url, &path, vec![api_key(), ("dd-application-key", own.app_key.clone())]);
    let mend = "look at app_key: it needs the scope timeseries_query";
    json_of("Datadog, asked for a metric,", &ask(sender, request).await?, &[(401, mend), (403, mend)])?;
    Ok(Finding::Ok("Datadog: takes both keys and answers a query".to_owned()))
}

/// The token by the rate limit, which costs none of it, then each service's repository.
async fn github(own: &Github, config: &Config, sender: &Sender) -> Result<Finding, Finding> {
    let headers = || {
        let mut headers = given(own.token.as_ref());
        headers.push(("accept", "application/vnd.github+json".into()));
        headers
    };
    let refused = "make a new token, and set it";
    let request = get(&own.base_url, "/rate_limit", headers());
    let limits = json_of("GitHub", &ask(sender, request).await?, &[(401, refused), (403, refused)])?;
    let mut unread = Vec::new();
    let mut repositories: Vec<String> = Vec::new();
    for repository in config.services.values().filter_map(|service| service.repository.as_ref()) {
        let name = format!("{}/{}", repository.owner, repository.name);
        if repositories.contains(&name) {
            continue;
        }
        let path = format!("/repos/{name}/deployments?per_page=1");
        match ask(sender, get(&own.base_url, &path, headers())).await?.status {
            200 => {}
            status => unread.push(format!("{name} ({status})")),
        }
        repositories.push(name);
    }
    if !unread.is_empty() {
        let why = format!("GitHub: the deployments cannot be read of {}", unread.join(", "));
        return Err(Finding::failed(why, "give the token read access to deployments and contents there"));
    }
    let left = &limits["resources"]["core"]["remaining"];
    let of = repositories.len();
    Ok(Finding::Ok(format!("GitHub: {left} requests left this hour; deployments of {of} repositories can be read")))
}

/// The monitors, and the history where a rule reads one.
async fn arize(own: &ArizeApi, config: &Config, sender: &Sender) -> Result<Finding, Finding> {
    let mends = [(401, "look at key"), (403, "look at key: it must be able to read monitors")];
    json_of("Arize", &ask(sender, get(&own.base_url, "/monitors?limit=1", bearer(&own.key))).await?, &mends)?;
    let rules = config.rules.iter().chain([&config.default_rule]);
    let reads = rules.filter_map(|rule| rule.confirm.as_ref()).any(|confirm| matches!(confirm.query, Query::Arize(_)));
    if !reads {
        return Ok(Finding::Ok("Arize: monitors can be read".to_owned()));
    }
    let key = own.graphql_key.as_ref().unwrap_or(&own.key);
    let mut request = get(&own.graphql_url, "", vec![("x-api-key", key.clone())]);
    request.method = Method::Post;
    request.body = Some(json!({ "query": "query TocsinDoctor { __typename }" }));
    let mend = "look at graphql_key: a developer's key";
    let body = json_of("Arize, asked for a history,", &ask(sender, request).await?, &[(401, mend), (403, mend)])?;
    match body["errors"].get(0) {
        Some(error) => Err(Finding::failed(format!("Arize's history: {}", word(&error["message"])), mend)),
        None => Ok(Finding::Ok("Arize: monitors can be read, and the history's key is taken".to_owned())),
    }
}
