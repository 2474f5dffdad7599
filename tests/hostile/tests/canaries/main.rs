//! Nothing that config does not let out shows anywhere: not in logs, messages, tickets, timelines, pages or answers.
//!
//! Every place that an alert's mapping does not name holds a canary, every secret is one, and vendors say back what they
//! were sent. The log is everything that our own crates trace, and what others say from `info` on.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod captured;
mod planted;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws::{Clients, Endpoints, QueueUrls, Queues};
use domain::Status;
use lambda_http::{Body, Request};
use pipeline::{Receive, SystemClock};
use reqwest::Method;
use serde_json::{Value, json};
use sources::Kind;
use stand_ins::Fault;
use tocsin::LOCAL_SECRET;
use tocsin_hostile::receivers::{environment, names};
use tocsin_hostile::target::{Target, auth};

use captured::Log;
use planted::{BASIC, CANARY, alert, config as config_text, headers, unauthenticated, undecodable};

/// Where something was shown, and what.
type Shown = Vec<(String, String)>;

fn check(shown: &Shown) {
    for (place, text) in shown {
        for secret in [CANARY, LOCAL_SECRET, BASIC] {
            let at = text.find(secret).map(|at| text[at.saturating_sub(200)..].chars().take(400).collect::<String>());
            assert!(at.is_none(), "{secret} shows in {place}: …{}…", at.unwrap_or_default());
        }
    }
}

/// Every vendor refuses and says back what it was sent, once or for ever.
fn let_vendors_say_it_back(target: &Target) {
    let fault = |status, body: Value| Fault::Status { status, retry_after_secs: Some(1), body: body.to_string() };
    let vendors = target.local.stand_ins();
    let said = format!("{LOCAL_SECRET} was sent as Bearer {LOCAL_SECRET}");
    let refusal = json!({ "message": said, "errors": [said], "error": said });
    vendors.pagerduty.faults().next(1, fault(429, refusal.clone()));
    // One for each of Slack's forms.
    vendors.slack.faults().next(2, fault(429, refusal.clone()));
    vendors.webhook.faults().next(1, fault(429, refusal));
    let extensions = json!({ "type": "ratelimited", "userPresentableMessage": said });
    vendors.linear.faults().next(1, fault(400, json!({ "errors": [{ "message": said, "extensions": extensions }] })));
    let said = format!("Basic {BASIC} is {LOCAL_SECRET}");
    let errors = json!({ LOCAL_SECRET: said, "labels": said });
    vendors.jira.faults().next(1, fault(429, json!({ "errorMessages": [said], "errors": errors })));
    // What these say is not shown at all.
    let said = format!("{LOCAL_SECRET} {CANARY}-vendor");
    let body = json!({ "status": "error", "errorType": said, "error": said, "message": said, "errors": [said] });
    vendors.prometheus.faults().always(fault(422, body.clone()));
    vendors.github.faults().always(fault(403, body.clone()));
    vendors.arize.faults().always(fault(500, body));
}

/// Posts everything that is refused, and keeps the answers.
async fn refused(target: &Target) -> anyhow::Result<Shown> {
    let mut shown = Shown::new();
    for kind in Kind::ALL {
        for body in undecodable() {
            let reply = target.post_signed(*kind, &body).await?;
            assert_eq!(reply.status, 400, "{}", reply.body);
            shown.push((format!("a refusal by {}", kind.as_str()), reply.body.to_string()));
        }
        for headers in unauthenticated() {
            let reply =
                target.post(kind.as_str(), &headers, alert(*kind, Status::Firing).to_string().as_bytes()).await?;
            assert_eq!(reply.status, 401, "{}", reply.body);
            shown.push((format!("a 401 by {}", kind.as_str()), reply.body.to_string()));
        }
    }
    for path in ["", "alerts/", "incidents/", "api/incidents/", "alerts/arize/", "healthz/"] {
        for query in ["", "?token="] {
            for method in [Method::GET, Method::POST, Method::PATCH] {
                let url = target.url(&format!("/{path}{CANARY}{query}{CANARY}"));
                let response = target.client().request(method, url).headers(header_map()?).body(CANARY).send().await?;
                assert!(response.status().is_client_error(), "{path}: {}", response.status());
                shown
                    .push((format!("/{path}"), format!("{:?} {}", response.headers().clone(), response.text().await?)));
            }
        }
    }
    Ok(shown)
}

fn header_map() -> anyhow::Result<reqwest::header::HeaderMap> {
    let map: std::collections::HashMap<String, String> = headers().into_iter().collect();
    Ok(reqwest::header::HeaderMap::try_from(&map)?)
}

/// What people and scripts can see: pages and their JSON.
async fn looked_up(target: &Target) -> anyhow::Result<Shown> {
    let mut shown = vec![("the list".to_owned(), target.page("/").await?)];
    let listed = target.get("/api/incidents").await?;
    shown.push(("the list as JSON".to_owned(), listed.to_string()));
    let incidents = listed["incidents"].as_array().cloned().unwrap_or_default();
    assert!(incidents.len() >= Kind::ALL.len(), "{listed}");
    for id in incidents.iter().filter_map(|incident| incident["id"].as_str()) {
        let record = target.get(&format!("/api/incidents/{id}")).await?;
        assert!(record["timeline"].as_array().is_some_and(|timeline| timeline.len() >= 4), "{record}");
        shown.push(("a record".to_owned(), record.to_string()));
        shown.push(("a record's page".to_owned(), target.page(&format!("/incidents/{id}")).await?));
        let stored = target.local.store().record(&id.to_owned().try_into()?).await?;
        shown.push(("a record in the table".to_owned(), format!("{stored:?}")));
    }
    Ok(shown)
}

/// What the vendors hold. A page has the routing key where `PagerDuty` wants it, and nowhere else.
fn told(target: &Target) -> Shown {
    let vendors = target.local.stand_ins();
    let pages = vendors.pagerduty.events().into_iter().map(|event| {
        let mut body = event.body;
        assert_eq!(body["routing_key"], LOCAL_SECRET);
        body["routing_key"] = Value::Null;
        ("a page".to_owned(), body.to_string())
    });
    let messages =
        vendors.slack.messages().into_iter().map(|message| ("a message".to_owned(), json!(message).to_string()));
    let tickets = vendors.jira.issues().into_iter().map(|issue| ("a ticket".to_owned(), json!(issue).to_string()));
    let issues = vendors.linear.issues().into_iter().map(|issue| ("an issue".to_owned(), format!("{issue:?}")));
    let comments =
        vendors.linear.comments().into_iter().map(|comment| ("a comment".to_owned(), format!("{comment:?}")));
    let taken = vendors.webhook.taken().into_iter().map(|taken| ("a webhook".to_owned(), format!("{taken:?}")));
    let shown: Shown = pages.chain(messages).chain(tickets).chain(issues).chain(comments).chain(taken).collect();
    assert!(shown.len() >= names().len() * Kind::ALL.len(), "{} messages", shown.len());
    shown
}

/// The function alone, over a queue that is out of reach.
async fn not_durable() -> anyhow::Result<Shown> {
    let text = config_text();
    let intake = config::load_intake(&text, &environment(&text)).map_err(|mistakes| anyhow::anyhow!("{mistakes:?}"))?;
    let clients = Clients::local(&Endpoints::at("http://127.0.0.1:9", "http://127.0.0.1:9"));
    let urls = QueueUrls { inbox: Some("http://127.0.0.1:9/000000000000/inbox".to_owned()), ..QueueUrls::default() };
    let receive = Receive::new(intake, Arc::new(Queues::new(clients.sqs, urls)), Arc::new(SystemClock));
    let mut request = Request::new(Body::Text(alert(Kind::Arize, Status::Firing).to_string()));
    *request.method_mut() = lambda_http::http::Method::POST;
    *request.uri_mut() = format!("/alerts/arize?q={CANARY}").parse()?;
    request.headers_mut().insert("authorization", LOCAL_SECRET.parse()?);
    let response = receive::handle(&receive, request).await;
    assert_eq!(response.status(), 503);
    Ok(vec![("a 503".to_owned(), format!("{response:?}"))])
}

/// A config with mistakes in every line of it says where they are and repeats no secret.
fn mistakes() -> Shown {
    let text = config_text();
    let broken = text.replace("secrets:", "secret:").replace("token:", "tokens:").replace("kind: slack", "kind: chat");
    let odd = |name: String| (name, format!("{LOCAL_SECRET} {CANARY}"));
    let environment: BTreeMap<String, String> = config::secret_names(&text).into_iter().map(odd).collect();
    let mut shown = Shown::new();
    for text in [&broken, &text] {
        let mistakes = config::load(text, &environment).err().unwrap_or_default();
        assert!(mistakes.len() >= 3, "{mistakes:?}");
        shown.extend(mistakes.iter().map(|mistake| ("a mistake in the config".to_owned(), mistake.to_string())));
    }
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn no_canary_shows_anywhere() -> anyhow::Result<()> {
    let log = Log::capture();
    let target = Target::with_config(config_text()).await?;
    let_vendors_say_it_back(&target);
    let mut shown = refused(&target).await?;
    for status in [Status::Firing, Status::Cleared] {
        for kind in Kind::ALL {
            let signed = auth(*kind)?;
            let body = alert(*kind, status).to_string();
            let now = pipeline::ports::Clock::now(&SystemClock);
            let mut all = signed.sign("msg_1", now, body.as_bytes());
            all.extend(headers());
            let reply = target.post(kind.as_str(), &all, body.as_bytes()).await?;
            assert_eq!(reply.status, 202, "{}", reply.body);
            shown.push(("an acceptance".to_owned(), reply.body.to_string()));
        }
        target.quiet().await?;
    }
    shown.extend(looked_up(&target).await?);
    shown.extend(told(&target));
    shown.extend(not_durable().await?);
    shown.extend(mistakes());
    // A key that is given twice is named to its sender, and to nobody else.
    let twice = format!(r#"{{"monitor":{{"name":"m"}},"{CANARY}":1,"{CANARY}":2}}"#);
    assert_eq!(target.post_signed(Kind::Arize, twice.as_bytes()).await?.status, 400);
    let text = log.text();
    for said in ["alert accepted", "alert refused", "alert not durable", "delivery"] {
        assert!(text.contains(said), "the log lacks {said:?}: it was not captured");
    }
    shown.push(("the log".to_owned(), text));
    assert!(shown.len() > 60, "{} places", shown.len());
    check(&shown);
    Ok(())
}
