//! `tocsin check`: validates a config and its templates, every mistake at once.
//!
//! Invariant: secrets that are not set are no mistake of the file: it is checked where it is written, not where it runs.

use config::TemplateDirectory;
use serde_json::json;

use crate::cli::CheckArgs;
use crate::example::config_text;
use crate::local::LocalEnvironment;
use crate::run::Answer;

/// Checks and prints what is wrong, or that nothing is.
pub(crate) fn check(args: &CheckArgs, say: &mut impl FnMut(String)) -> anyhow::Result<Answer> {
    let (name, text) = config_text(args.config.as_deref())?;
    let mistakes = config::load(&text, &LocalEnvironment::new(&text)).err().unwrap_or_default();
    let current = TemplateDirectory::new(args.templates.clone()).current();
    let wrong = mistakes.len() + current.mistakes.len();
    if args.json {
        let config = mistakes
            .iter()
            .map(|m| json!({ "file": name, "line": m.line, "path": m.path, "what": m.what, "mend": m.mend }));
        let templates = current.mistakes.iter().map(|m| json!({ "what": m.to_string() }));
        say(json!({ "mistakes": config.chain(templates).collect::<Vec<_>>() }).to_string());
    } else {
        for mistake in &mistakes {
            say(format!("{name}:{mistake}"));
        }
        for mistake in current.mistakes.iter() {
            say(mistake.to_string());
        }
        if wrong == 0 {
            say(format!("{name}: no mistakes"));
        }
    }
    Ok(if wrong == 0 { Answer::Done } else { Answer::No })
}
