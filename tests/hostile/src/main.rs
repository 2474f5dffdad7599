//! `tocsin-hostile [--json-suite DIR] [--naughty FILE]`: the large sets, or the small ones where none is given.
//!
//! Invariant: it exits with 0 only when every request was answered and every message taken as it must be.

use std::path::PathBuf;

use clap::Parser;
use tocsin_hostile::{every_source, json_bodies, messages, naughty, small, target};

/// Where the large sets lie.
#[derive(Debug, Parser)]
#[command(about = "Hostile input against a whole Tocsin, with stand-ins for the vendors")]
struct Options {
    /// `test_parsing` of a checkout of `nst/JSONTestSuite`.
    #[arg(long, env = "TOCSIN_JSON_SUITE")]
    json_suite: Option<PathBuf>,
    /// `blns.json` of a checkout of `minimaxir/big-list-of-naughty-strings`.
    #[arg(long, env = "TOCSIN_NAUGHTY_STRINGS")]
    naughty: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let bodies = options.json_suite.as_deref().map_or_else(|| Ok(small::json_bodies()), json_bodies::read)?;
    let strings = options.naughty.as_deref().map_or_else(|| Ok(small::naughty()), naughty::read)?;
    let seen = json_bodies::run(&target::Target::start().await?, &bodies).await?;
    say(&format!(
        "{} JSON files at every source: {} requests without authentication refused, {} files alone refused, inside an \
         alert by status {:?}",
        bodies.len(),
        seen.unauthenticated,
        seen.alone,
        seen.inside
    ));
    let seen = naughty::run(&strings).await?;
    say(&format!(
        "{} naughty strings the whole way: {} webhooks accepted, {} refused as status, {} deliveries taken",
        strings.len(),
        seen.accepted,
        seen.refused,
        seen.delivered
    ));
    let seen = every_source::run(&strings).await?;
    say(&format!(
        "{} naughty strings through every source: {} webhooks accepted, {} refused, {} deliveries taken",
        strings.len(),
        seen.accepted,
        seen.refused,
        seen.delivered
    ));
    let mut sent = 0;
    for text in &strings {
        sent += messages::run(text).await.map_err(|error| error.context(format!("{text:?}")))?;
    }
    say(&format!("{} naughty strings in {} fields: {sent} deliveries taken", strings.len(), messages::FIELDS.len()));
    Ok(())
}

#[allow(clippy::print_stdout, reason = "a program of the command line speaks on stdout")]
fn say(line: &str) {
    println!("{line}");
}
