//! `tocsin check`: validates a config and its templates, every mistake at once.
//!
//! Invariant: secrets that are not set are no mistake of the file: it is checked where it is written, not where it runs.
//! A template that passes has written every message of every bundled event.

use config::TemplateDirectory;
use pipeline::SystemClock;
use pipeline::ports::Clock;
use serde_json::json;

use crate::cli::CheckArgs;
use crate::example::{CONFIG, config_text};
use crate::local::LocalEnvironment;
use crate::rehearsal;
use crate::run::Answer;

/// Checks and prints what is wrong, or that nothing is.
pub(crate) fn check(args: &CheckArgs, say: &mut impl FnMut(String)) -> anyhow::Result<Answer> {
    let (name, text) = config_text(args.config.as_deref())?;
    let (config, mistakes) = match config::load(&text, &LocalEnvironment::new(&text)) {
        Ok(config) => (Some(config), Vec::new()),
        // Without receivers of one's own the templates are tried out with those of the example.
        Err(mistakes) => (config::load(CONFIG, &LocalEnvironment::new(CONFIG)).ok(), mistakes),
    };
    let current = TemplateDirectory::new(args.templates.clone()).current();
    let failing = config.map(|config| rehearsal::failing(&config, &current.templates, SystemClock.now()));
    let failing = failing.into_iter().flatten().map(|one| format!("{}; seen in {}", one.error, one.first));
    let of_templates: Vec<String> = current.mistakes.iter().map(ToString::to_string).chain(failing).collect();
    let wrong = mistakes.len() + of_templates.len();
    if args.json {
        let config = mistakes
            .iter()
            .map(|m| json!({ "file": name, "line": m.line, "path": m.path, "what": m.what, "mend": m.mend }));
        let templates = of_templates.iter().map(|what| json!({ "what": what }));
        say(json!({ "mistakes": config.chain(templates).collect::<Vec<_>>() }).to_string());
    } else {
        for mistake in &mistakes {
            say(format!("{name}:{mistake}"));
        }
        of_templates.into_iter().for_each(&mut *say);
        if wrong == 0 {
            say(format!("{name}: no mistakes"));
        }
    }
    Ok(if wrong == 0 { Answer::Done } else { Answer::No })
}
