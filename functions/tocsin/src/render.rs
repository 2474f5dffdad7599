//! `tocsin render`: the exact request that a receiver would be sent, or a page of all of them.
//!
//! Invariant: it is built by the receiver itself; only header values, secret addresses and the routing key are hidden.

mod preview;

use anyhow::{Context, bail};
use config::{Config, TemplateDirectory};
use domain::{Alert, Transition};
use pipeline::SystemClock;
use pipeline::ports::Clock;
use receivers::Templates;
use serde_json::{Value, json};

use crate::cli::RenderArgs;
use crate::example::checked_config;
use crate::rehearsal::{decode_file, notification, requests};
use crate::run::Answer;

/// Prints the request as JSON, or writes the page.
pub(crate) fn render(args: &RenderArgs, say: &mut impl FnMut(String)) -> anyhow::Result<Answer> {
    let config = checked_config(args.config.as_deref())?;
    let Some(transition) = Transition::parse(&args.transition) else {
        let words = Transition::ALL.map(Transition::as_str).join(", ");
        bail!("--transition {}: use one of {words}", args.transition);
    };
    let alerts = decode_file(&args.event, args.source.as_deref(), &config, SystemClock.now())?;
    let alert = alerts.first().context("the event holds no alert")?;
    let current = TemplateDirectory::new(args.templates.clone()).current();
    if let Some(folder) = &args.out {
        let page = folder.join("index.html");
        let text = preview::page(alert, &args.event.display().to_string(), &config, &current.templates)?;
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&page, text))
            .with_context(|| format!("{}: cannot be written; give --out another folder", page.display()))?;
        say(page.display().to_string());
        return Ok(Answer::Done);
    }
    say(serde_json::to_string_pretty(&request(args, alert, &config, transition, &current.templates)?)?);
    Ok(Answer::Done)
}

/// The first request of the transition.
fn request(
    args: &RenderArgs,
    alert: &Alert,
    config: &Config,
    transition: Transition,
    templates: &Templates,
) -> anyhow::Result<Value> {
    let name = args.receiver.as_deref().unwrap_or_default();
    let Some(receiver) = config.receiver(name) else {
        let known: Vec<&str> = config.receivers.iter().map(|r| r.name.as_str()).collect();
        bail!("--receiver {name}: use one of {}", known.join(", "));
    };
    let told = notification(alert, config, transition)?;
    let Some((step, request)) = requests(receiver, &told, templates, false).into_iter().next() else {
        return Ok(json!({ "step": null }));
    };
    let shown = request.shown();
    let headers: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
    Ok(
        json!({ "step": step, "method": shown["method"], "url": shown["url"], "headers": headers, "body": shown["body"] }),
    )
}
