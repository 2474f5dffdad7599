//! The file, as a receiver asks for its fields.
//!
//! Invariant: whatever is no value of the form that is asked for is reported by the reader, in its words.

use ::receivers::section::{Called, Place, Value as Asked};
use domain::Severity;
use secrecy::SecretString;
use serde_json::Value as Json;

use super::json::json;
use crate::duration::Bounds;
use crate::fields::Fields;
use crate::mistake::choose;
use crate::reader::Value;
use crate::sections::shared::severity_word;
use crate::{address, environment};

/// A receiver's fields.
pub(super) struct Written<'r>(pub(super) Fields<'r>);

/// One of its values.
struct One<'r>(Value<'r>);

impl Place for Written<'_> {
    fn field(&self, name: &str) -> Option<Box<dyn Asked + '_>> {
        self.0.get(name).map(|value| asked(value.clone()))
    }

    fn missing(&self, name: &str) {
        self.0.missing::<()>(name);
    }

    fn fail_at(&self, name: &str, what: &str, mend: &str) {
        self.0.whole().fail_at::<()>(name, what, mend);
    }

    fn address_in(&self, variable: &str) -> Option<Option<String>> {
        address::overriding(self.0.whole(), variable)
    }
}

fn asked<'r>(value: Value<'r>) -> Box<dyn Asked + 'r> {
    Box::new(One(value))
}

impl Asked for One<'_> {
    fn text(&self) -> Option<String> {
        self.0.text()
    }

    fn secret(&self) -> Option<SecretString> {
        environment::secret(&self.0)
    }

    fn token(&self) -> Option<SecretString> {
        environment::token(&self.0)
    }

    fn base_address(&self) -> Option<String> {
        address::base(&self.0)
    }

    fn called(&self) -> Option<Called> {
        let is_secret = self.0.scalar_text().is_some_and(|text| text.starts_with('$'));
        Some(Called { address: address::called(&self.0)?, is_secret })
    }

    fn secret_called(&self) -> Option<SecretString> {
        address::secret_called(&self.0)
    }

    fn boolean(&self) -> Option<bool> {
        self.0.boolean()
    }

    fn whole(&self, min: u64, max: u64) -> Option<u64> {
        self.0.whole(min, max)
    }

    fn secs(&self, min: u64, max: u64) -> Option<u64> {
        self.0.duration(Bounds { secs_min: min, secs_max: max })
    }

    fn one_or_more(&self) -> Option<Vec<Box<dyn Asked + '_>>> {
        Some(self.0.one_or_more()?.into_iter().map(asked).collect())
    }

    fn entries(&self) -> Option<Vec<(String, Box<dyn Asked + '_>)>> {
        Some(self.0.entries()?.into_iter().map(|(name, value)| (name, asked(value))).collect())
    }

    fn severity(&self, word: &str) -> Option<Severity> {
        severity_word(&self.0, word)
    }

    fn json(&self, whose: &str) -> Option<Json> {
        json(&self.0, whose)
    }

    fn fail(&self, what: &str, mend: &str) {
        self.0.fail::<()>(what, mend);
    }

    fn no_such(&self, what: &str, word: &str, known: &[&str]) {
        let told = match what {
            "" => format!("there is no `{word}` here"),
            what => format!("there is no {what} `{word}`"),
        };
        self.0.fail::<()>(told, choose(word, known));
    }
}
