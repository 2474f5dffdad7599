//! `tocsin init`: a commented config to begin with, and how to register the webhooks.
//!
//! Invariant: nothing that is there is overwritten, nothing is written unless all of it can be, and no secret goes into a
//! file: fresh ones are printed for the environment.

mod register;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use receivers::Templates;
use ring::rand::{SecureRandom, SystemRandom};

use crate::cli::InitArgs;
use crate::example::{CONFIG, SCHEMA};
use crate::run::Answer;

/// The config's name in its folder.
const CONFIG_FILE: &str = "tocsin.yaml";

/// The schema that the config's first line names.
const SCHEMA_FILE: &str = "tocsin.schema.json";

/// Bytes of a fresh secret.
const SECRET_BYTES: usize = 32;

/// Writes, and prints what comes next.
pub(crate) fn init(args: &InitArgs, say: &mut impl FnMut(String)) -> anyhow::Result<Answer> {
    let files = files(args);
    if let Some((taken, _)) = files.iter().find(|(path, _)| path.exists()) {
        bail!(
            "{}: is there already, and nothing is overwritten; give another folder, or move it away",
            taken.display()
        );
    }
    for (path, text) in &files {
        write(path, text).with_context(|| format!("{}: cannot be written; give another folder", path.display()))?;
    }
    for (path, _) in &files {
        say(format!("wrote {}", path.display()));
    }
    let fresh = secrets()?;
    let lines = register::lines(&args.url, &args.dir.join(CONFIG_FILE), args.templates, &fresh);
    lines.into_iter().for_each(say);
    Ok(Answer::Done)
}

/// What is written, in this order.
fn files(args: &InitArgs) -> Vec<(PathBuf, &'static str)> {
    let mut files = vec![(args.dir.join(CONFIG_FILE), CONFIG), (args.dir.join(SCHEMA_FILE), SCHEMA)];
    if args.templates {
        files.extend(Templates::texts().map(|(name, text)| (args.dir.join("templates").join(name), text)));
    }
    files
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // Whoever made it in between keeps it.
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}

/// The variables of the sources in the config, each with a secret made at random.
fn secrets() -> anyhow::Result<Vec<(String, String)>> {
    let names = config::secret_places(CONFIG).into_iter().filter(|(path, _)| path.starts_with("sources."));
    names.map(|(_, name)| Ok((name, secret()?))).collect()
}

/// 32 random bytes as Base64: it serves as a bearer token and as a signing key.
fn secret() -> anyhow::Result<String> {
    let mut bytes = [0; SECRET_BYTES];
    SystemRandom::new()
        .fill(&mut bytes)
        .ok()
        .context("the system gives no random bytes; make the secrets elsewhere")?;
    Ok(STANDARD.encode(bytes))
}
