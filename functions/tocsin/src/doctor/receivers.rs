//! Whether each receiver can be told.
//!
//! Invariant: nobody is told. Where a vendor has no question that proves a credential without telling someone, the finding
//! says what was not proven.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use config::Config;
use receivers::{Method, Request, Settings, jira, linear, slack};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use web::Sender;

use super::question::{Finding, Question, ask, either, get, json_of, reach, word, word_or};

/// Issue types that are read, at most.
const TYPES_MAX: usize = 200;

/// What Linear is asked: who we are, and whether the team is there.
const VIEWER: &str = "query TocsinDoctor($id: String!) { viewer { id } team(id: $id) { id name } }";

pub(super) fn questions<'a>(config: &'a Config, sender: &'a Sender) -> Vec<Question<'a>> {
    let question = |receiver: &'a receivers::Receiver| {
        let section = format!("receivers.{}", receiver.name);
        let asked = Box::pin(async move { either(asked(&receiver.settings, sender).await) });
        Question { what: section.clone(), section, asked }
    };
    config.receivers.iter().map(question).collect()
}

async fn asked(settings: &Settings, sender: &Sender) -> Result<Finding, Finding> {
    match settings {
        Settings::Pagerduty(own) => {
            let reached = reach(sender, &own.base_url).await?;
            Ok(Finding::Ok(format!(
                "PagerDuty: {reached}; the routing key has the right form (only an event proves it)"
            )))
        }
        Settings::Slack(own) => slack(own, sender).await,
        Settings::SlackIncoming(own) => {
            let reached = reach(sender, own.url.expose_secret()).await?;
            Ok(Finding::Ok(format!("Slack: {reached} (only a message proves the webhook)")))
        }
        Settings::Jira(own) => jira(own, sender).await,
        Settings::Linear(own) => linear(own, sender).await,
        Settings::Webhook(own) => {
            let reached = reach(sender, own.url.expose_secret()).await?;
            Ok(Finding::Ok(format!("webhook: {reached} (only a message proves the credentials)")))
        }
    }
}

fn bearer(token: &SecretString) -> Vec<(&'static str, SecretString)> {
    vec![("authorization", format!("Bearer {}", token.expose_secret()).into())]
}

/// `auth.test`; and, where the channel is given by its id, whether a lost answer could be looked up in it.
async fn slack(own: &slack::Settings, sender: &Sender) -> Result<Finding, Finding> {
    let test = Request { method: Method::Post, ..get(&own.base_url, "/auth.test", bearer(&own.token)) };
    let body = json_of("Slack", &ask(sender, test).await?, &[])?;
    if body["ok"] != true {
        let mend = "copy the app's Bot User OAuth Token, which begins with xoxb-";
        return Err(Finding::failed(format!("Slack: {}", word(&body["error"])), mend));
    }
    let who = format!("Slack: {} in {}", word_or(&body["user"], "the app"), word_or(&body["team"], "its team"));
    if own.channel.starts_with('#') {
        return Ok(Finding::Ok(format!("{who}; the channel was not asked for: give its id")));
    }
    let path = format!("/conversations.history?channel={}&limit=1", own.channel);
    let body = json_of("Slack", &ask(sender, get(&own.base_url, &path, bearer(&own.token))).await?, &[])?;
    match (body["ok"] == true, word(&body["error"])) {
        (true, _) => Ok(Finding::Ok(format!("{who}; channel {} can be read", own.channel))),
        (false, "missing_scope") => {
            let why = format!("{who}, but a lost answer could not be looked up: missing_scope");
            Err(Finding::failed(why, "give the app channels:history (groups:history for a private channel)"))
        }
        (false, error) => {
            let why = format!("{who}, but channel {}: {error}", own.channel);
            Err(Finding::failed(why, "invite the app into the channel, and give the channel's id"))
        }
    }
}

/// Who we are, and whether the project takes the issue type.
async fn jira(own: &jira::Settings, sender: &Sender) -> Result<Finding, Finding> {
    let headers = || {
        let basic = STANDARD.encode(format!("{}:{}", own.email, own.token.expose_secret()));
        vec![("authorization", SecretString::from(format!("Basic {basic}"))), ("accept", "application/json".into())]
    };
    let refused = "look at email and token, and that the account is active";
    let mends = [(401, refused), (403, refused), (404, "look at base_url")];
    let myself = ask(sender, get(&own.base_url, "/rest/api/3/myself", headers())).await?;
    let myself = json_of("Jira", &myself, &mends)?;
    let project = &own.project;
    let path = format!("/rest/api/3/issue/createmeta/{project}/issuetypes?maxResults={TYPES_MAX}");
    let unseen = format!("look at the project's key, and let the account create issues in {project}");
    let mends = [(400, unseen.as_str()), (403, unseen.as_str()), (404, unseen.as_str())];
    let types = json_of(
        &format!("Jira, for project {project},"),
        &ask(sender, get(&own.base_url, &path, headers())).await?,
        &mends,
    )?;
    let list = types["issueTypes"].as_array().or_else(|| types["values"].as_array());
    let names: Vec<&str> = list.into_iter().flatten().filter_map(|one| one["name"].as_str()).collect();
    if !names.iter().any(|name| name.eq_ignore_ascii_case(&own.issue_type)) {
        let why = format!("Jira: project {project} has no issue type {} for this account", own.issue_type);
        return Err(Finding::failed(why, format!("write issue_type: one of {}", names.join(", "))));
    }
    let who = word_or(&myself["displayName"], "the account");
    Ok(Finding::Ok(format!("Jira: {who} may create {} in {project}", own.issue_type)))
}

async fn linear(own: &linear::Settings, sender: &Sender) -> Result<Finding, Finding> {
    let key = own.api_key.expose_secret();
    let authorization = if key.starts_with("lin_oauth_") { format!("Bearer {key}") } else { key.to_owned() };
    let mut request = get(&own.base_url, "/graphql", vec![("authorization", authorization.into())]);
    request.method = Method::Post;
    request.body = Some(json!({ "query": VIEWER, "variables": { "id": own.team } }));
    let mends = [(400, "look at api_key"), (401, "look at api_key"), (403, "look at api_key")];
    let body = json_of("Linear", &ask(sender, request).await?, &mends)?;
    let failed = body["errors"].get(0).map(|error| &error["message"]);
    match (failed, &body["data"]["team"]["id"]) {
        (Some(message), _) => Err(Finding::failed(format!("Linear: {}", word(message)), "look at api_key and team")),
        (None, Value::String(_)) => Ok(Finding::Ok(format!(
            "Linear: the key is taken, and the team {} is there",
            word_or(&body["data"]["team"]["name"], "by its id")
        ))),
        (None, _) => Err(Finding::failed("Linear has no such team", "copy the team's UUID (Copy model UUID)")),
    }
}
