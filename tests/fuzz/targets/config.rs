//! Any text as the config file, with every secret set.
//!
//! Invariant: a config comes out or at least one mistake does, each with its mend; no mistake shows a secret. What
//! receiving needs of a config is read from it as the whole is.
#![no_main]

use config::{Environment, Intake, load, load_intake, secret_names};
use libfuzzer_sys::fuzz_target;
use tocsin_fuzz::SECRET;

struct Everything;

impl Environment for Everything {
    fn var(&self, name: &str) -> Option<String> {
        (!name.starts_with("TOCSIN_") || name.ends_with("SECRET")).then(|| SECRET.to_owned())
    }
}

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    assert!(secret_names(&text).iter().all(|name| !name.is_empty()));
    let intake = load_intake(&text, &Everything);
    match load(&text, &Everything) {
        Ok(config) => {
            let (own, part) = (intake.expect("a part of a config without a mistake"), Intake::from(&config));
            assert_eq!((own.rules, own.tree, own.default_rule), (part.rules, part.tree, part.default_rule));
            assert!(!format!("{config:?}").contains(SECRET), "a secret shows in Debug");
            assert!(config.rules.iter().all(|rule| !rule.receivers.is_empty()), "a rule tells nobody");
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            for mistake in mistakes {
                let shown = mistake.to_string();
                assert!(!mistake.what.is_empty() && !mistake.mend.is_empty(), "{shown}");
                assert!(!shown.contains(SECRET) || text.contains(SECRET), "{shown}");
            }
        }
    }
});
