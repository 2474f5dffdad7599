//! The stand-ins for a program that is not Rust: prints their addresses as one line of JSON, then answers each line of
//! standard input with one. It ends with its input.
//!
//! `{"show": true}` gives what each vendor holds; `{"fail": "slack", "path": "chat.post", "times": 1, "status": 400}` has
//! its next requests to such a path fail (with `"retry_after_secs"` and `"body"`, or with `"error"` as Slack fails), and
//! `"times": 0` ends every failure; `{"metric": "text of the query", "level": 1.0, "to": 4.0}` is a series of Prometheus,
//! which jumped a quarter of an hour ago unless both are the same; `{"monitor": {…}}` is a monitor of Arize.
//!
//! Invariant: what is asked for and not understood is an error on its line, never nothing.

use std::io::{self, BufRead, Write};

use serde_json::{Value, json};
use tocsin_stand_ins::prometheus::Shape;
use tocsin_stand_ins::{Fault, Faults, StandIns};

#[tokio::main]
async fn main() -> io::Result<()> {
    let vendors = StandIns::start().await?;
    say(&addresses(&vendors))?;
    for line in io::stdin().lock().lines() {
        let answer = match serde_json::from_str(&line?) {
            Ok(asked) => obey(&vendors, &asked).unwrap_or_else(|| json!({ "error": "not understood" })),
            Err(error) => json!({ "error": error.to_string() }),
        };
        say(&answer)?;
    }
    Ok(())
}

fn say(line: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

fn addresses(vendors: &StandIns) -> Value {
    json!({
        "pagerduty": vendors.pagerduty.url(),
        "slack": format!("{}/api", vendors.slack.url()),
        "jira": vendors.jira.url(),
        "linear": vendors.linear.url(),
        "webhook": vendors.webhook.url(),
        "github": vendors.github.url(),
        "prometheus": vendors.prometheus.url(),
        "arize": format!("{}/v2", vendors.arize.url()),
    })
}

fn obey(vendors: &StandIns, asked: &Value) -> Option<Value> {
    if asked.get("show").is_some() {
        return Some(held(vendors));
    }
    if let Some(query) = asked.get("metric") {
        let (level, to) = (asked["level"].as_f64()?, asked["to"].as_f64()?);
        let jump = Shape::Jump { level, to, since_secs_before_end: 900, noise: 0.02 };
        let usual = Shape::Flat { level, noise: 0.02 };
        vendors.prometheus.script(query.as_str()?, if level < to { jump } else { usual });
    } else if let Some(monitor) = asked.get("monitor") {
        vendors.arize.put(monitor.clone());
    } else {
        fail(faults(vendors, asked.get("fail")?.as_str()?)?, asked)?;
    }
    Some(json!({}))
}

fn fail(faults: &Faults, asked: &Value) -> Option<()> {
    let times = usize::try_from(asked["times"].as_u64()?).ok()?;
    if times == 0 {
        faults.clear();
        return Some(());
    }
    let fault = match asked.get("error") {
        Some(error) => Fault::OkFalse { error: error.as_str()?.to_owned() },
        None => Fault::Status {
            status: u16::try_from(asked["status"].as_u64()?).ok()?,
            retry_after_secs: asked["retry_after_secs"].as_u64(),
            body: asked["body"].as_str().unwrap_or_default().to_owned(),
        },
    };
    faults.on(asked["path"].as_str().unwrap_or_default(), times, fault);
    Some(())
}

fn faults<'a>(vendors: &'a StandIns, name: &str) -> Option<&'a Faults> {
    match name {
        "pagerduty" => Some(vendors.pagerduty.faults()),
        "slack" => Some(vendors.slack.faults()),
        "jira" => Some(vendors.jira.faults()),
        "linear" => Some(vendors.linear.faults()),
        "webhook" => Some(vendors.webhook.faults()),
        "github" => Some(vendors.github.faults()),
        "prometheus" => Some(vendors.prometheus.faults()),
        "arize" => Some(vendors.arize.faults()),
        _ => None,
    }
}

/// What people would see at each vendor.
fn held(vendors: &StandIns) -> Value {
    let issues = vendors.linear.issues().into_iter();
    let linear: Vec<Value> = issues
        .map(|issue| json!({ "identifier": issue.identifier, "title": issue.title, "description": issue.description }))
        .collect();
    let taken: Vec<Value> = vendors.webhook.taken().into_iter().map(|taken| taken.body).collect();
    json!({
        "pagerduty": vendors.pagerduty.alerts(),
        "slack": vendors.slack.messages(),
        "jira": vendors.jira.issues(),
        "linear": linear,
        "webhook": taken,
        "requests": {
            "prometheus": vendors.prometheus.requests(),
            "arize": vendors.arize.requests(),
            "github": vendors.github.requests(),
        },
    })
}
