//! Transactions that were done, by their caller's token: the same one again is answered as the first time, and not done.
//!
//! Invariant: a token is remembered for ten minutes, as DynamoDB does, and a look costs the same however many there are.
//! The engine remembers them too, but goes through all of them at each transaction: at some hundred a second it does
//! nothing else. So it is never told of one.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dynoxide::DynoxideError;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// How long a token is remembered: "within 10 minutes" (API reference, `TransactWriteItems`).
const REMEMBERED: Duration = Duration::from_mins(10);

type Answer = Result<Vec<u8>, DynoxideError>;

/// Tokens of the last ten minutes, with what was asked and answered under each.
#[derive(Debug, Default)]
pub(crate) struct Tokens(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    done: HashMap<String, (Asked, Vec<u8>)>,
    by_age: VecDeque<(Instant, String)>,
}

impl Tokens {
    /// Runs a transaction, or answers as the one before under the same token. What failed is not remembered. Two under one
    /// token at the same time run one after the other.
    pub(crate) fn once(&self, token: &str, asked: Asked, run: impl FnOnce() -> Answer) -> Answer {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.forget(Instant::now());
        match kept.done.get(token) {
            Some((before, answer)) if *before == asked => return Ok(answer.clone()),
            Some(_) => {
                let words = "An error occurred (IdempotentParameterMismatchException)";
                return Err(DynoxideError::IdempotentParameterMismatchException(words.to_owned()));
            }
            None => {}
        }
        let answer = run()?;
        kept.done.insert(token.to_owned(), (asked, answer.clone()));
        kept.by_age.push_back((Instant::now(), token.to_owned()));
        Ok(answer)
    }
}

/// What was asked: the same for the same JSON, in whatever order its objects' members stand. Read off the text, since a
/// tree of every transaction would cost as much as the engine's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Asked(u64);

impl Asked {
    fn of(what: impl Hash) -> Self {
        let mut hasher = DefaultHasher::new();
        what.hash(&mut hasher);
        Self(hasher.finish())
    }
}

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Asked;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Asked, A::Error> {
        let mut all = 1_u64;
        while let Some(member) = members.next_entry::<Cow<'de, str>, Asked>()? {
            all = all.wrapping_add(Asked::of(member).0);
        }
        Ok(Asked(all))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Asked, A::Error> {
        let mut all = Asked(0);
        while let Some(item) = items.next_element::<Asked>()? {
            all = Asked::of((all, item));
        }
        Ok(all)
    }

    fn visit_str<E>(self, text: &str) -> Result<Asked, E> {
        Ok(Asked::of(text))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Asked, E> {
        Ok(Asked::of(value))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Asked, E> {
        Ok(Asked::of(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Asked, E> {
        Ok(Asked::of(number))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Asked, E> {
        Ok(Asked::of(number.to_bits()))
    }

    fn visit_unit<E>(self) -> Result<Asked, E> {
        Ok(Asked::of(()))
    }
}

impl Kept {
    fn forget(&mut self, now: Instant) {
        while self.by_age.front().is_some_and(|(at, _)| now.duration_since(*at) >= REMEMBERED) {
            if let Some((_, token)) = self.by_age.pop_front() {
                self.done.remove(&token);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(items: &str) -> Asked {
        serde_json::from_str(items).unwrap_or_else(|error| panic!("{items}: {error}"))
    }

    fn check(tokens: &Tokens, token: &str, items: &str, expected: Option<&str>) {
        let answer = tokens.once(token, asked(items), || Ok(b"run".to_vec()));
        assert_eq!(answer.ok().as_deref(), expected.map(str::as_bytes), "{token} {items}");
    }

    #[test]
    fn a_token_runs_once_for_the_same_items_in_any_order_of_their_members() {
        let tokens = Tokens::default();
        let items = r#"[{ "x": { "S": "1" }, "y": 2 }, null, true]"#;
        let first = tokens.once("a", asked(items), || Ok(b"first".to_vec()));
        assert_eq!(first.ok().as_deref(), Some(b"first".as_slice()));
        check(&tokens, "a", r#"[{"y":2,"x":{"S":"\u0031"}},null,true]"#, Some("first"));
        let others = [
            r#"[{ "x": { "S": "2" }, "y": 1 }, null, true]"#,
            r#"[{ "x": { "S": "1" }, "y": "2" }, null, true]"#,
            r#"[{ "y": { "S": "1" }, "x": 2 }, null, true]"#,
            r#"[null, { "x": { "S": "1" }, "y": 2 }, true]"#,
            r#"[{ "x": { "S": "1" }, "y": 2 }, null]"#,
            r#"[{ "x": { "S": "1" }, "y": 2.5 }, null, true]"#,
        ];
        for other in others {
            check(&tokens, "a", other, None);
        }
        check(&tokens, "b", items, Some("run"));
    }

    #[test]
    fn what_failed_runs_again_and_what_is_old_is_forgotten() {
        let tokens = Tokens::default();
        let failed = tokens.once("a", asked("[]"), || Err(DynoxideError::InternalServerError(String::new())));
        assert!(failed.is_err());
        check(&tokens, "a", "[]", Some("run"));
        let later = Instant::now() + REMEMBERED;
        let mut kept = tokens.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.forget(later);
        assert!(kept.done.is_empty() && kept.by_age.is_empty());
    }
}
