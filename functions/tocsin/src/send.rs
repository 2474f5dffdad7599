//! `tocsin send`: signs and posts events as a source would.
//!
//! Invariant: the secret goes into the signature or the header that the source would send, and nowhere else.

use std::path::Path;

use anyhow::{Context, bail};
use pipeline::SystemClock;
use pipeline::ports::Clock;
use secrecy::SecretString;
use serde_json::Value;
use sources::Auth;
use uuid::Uuid;

use crate::cli::SendArgs;
use crate::example::{checked, config_text};
use crate::run::Answer;

/// Where an event goes, and as whom.
pub(crate) struct Posting<'a> {
    /// The source's name.
    pub(crate) source: &'a str,
    /// Tocsin's address, with or without the path.
    pub(crate) to: &'a str,
    /// Stands in place of the config's secret.
    pub(crate) secret: Option<&'a str>,
    /// The config's name and text.
    pub(crate) config: (&'a str, &'a str),
}

/// Posts each file and prints the answers.
pub(crate) async fn send(args: &SendArgs, say: &mut impl FnMut(String)) -> anyhow::Result<Answer> {
    let (name, text) = config_text(args.config.as_deref())?;
    let secret = args.secret.as_deref();
    let posting = Posting { source: &args.source, to: &args.to, secret, config: (&name, &text) };
    let mut answer = Answer::Done;
    for file in &args.files {
        let body = read(file)?;
        let (status, told) = post(&posting, &body).await?;
        say(format!("{}: {status} {told}", file.display()));
        if status != 202 {
            answer = Answer::No;
        }
    }
    Ok(answer)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("{}: cannot be read; give the path of an event", file.display()))
}

/// Signs and posts one event; the status and the answer.
pub(crate) async fn post(posting: &Posting<'_>, body: &[u8]) -> anyhow::Result<(u16, Value)> {
    let auth = auth(posting)?;
    let headers = auth.sign(&Uuid::now_v7().to_string(), SystemClock.now(), body);
    let base = posting.to.trim_end_matches('/');
    let mut url = if base.contains("/alerts/") { base.to_owned() } else { format!("{base}/alerts/{}", posting.source) };
    if let Some(query) = auth.query() {
        url = format!("{url}?{query}");
    }
    web::install_crypto();
    let client = reqwest::Client::builder().timeout(std::time::Duration::from_secs(30)).build()?;
    let mut request = client.post(&url).header("content-type", "application/json").body(body.to_vec());
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let response = request.send().await.with_context(|| format!("{url}: no answer; is Tocsin running there?"))?;
    let status = response.status().as_u16();
    Ok((status, response.json().await.unwrap_or(Value::Null)))
}

fn auth(posting: &Posting<'_>) -> anyhow::Result<Auth> {
    let (name, text) = posting.config;
    let config = checked(name, text)?;
    let Some(source) = config.source(posting.source) else {
        let known: Vec<&str> = config.sources.iter().map(|s| s.name.as_str()).collect();
        bail!(
            "{name}: sources: there is no source {:?}; use one of {}; --config names another file",
            posting.source,
            known.join(", ")
        );
    };
    if source.auth.kind() == Auth::SNS {
        let mend = "list it a second time, under another name with `kind:` and `auth: { kind: bearer, … }`, to try it";
        bail!("{name}: sources.{}: only AWS can sign for SNS; {mend}", posting.source);
    }
    match posting.secret {
        None => Ok(source.auth.clone()),
        Some(secret) => Ok(Auth::new(source.auth.kind(), vec![SecretString::from(secret)])?),
    }
}
