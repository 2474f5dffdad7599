//! Transactions that were done, by their caller's token: the same one again is answered as the first time, and not done.
//!
//! Invariant: a token is remembered for ten minutes, as DynamoDB does, and a look costs the same however many there are.
//! The engine remembers them too, but goes through all of them at each transaction: at some hundred a second it does
//! nothing else. So it is never told of one.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dynoxide::DynoxideError;
use serde_json::Value;

/// How long a token is remembered: "within 10 minutes" (API reference, `TransactWriteItems`).
const REMEMBERED: Duration = Duration::from_mins(10);

type Answer = Result<Vec<u8>, DynoxideError>;

/// Tokens of the last ten minutes, with what was asked and answered under each.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    kept: Mutex<Kept>,
    hashes: RandomState,
}

#[derive(Debug, Default)]
struct Kept {
    done: HashMap<String, (u64, Vec<u8>)>,
    by_age: VecDeque<(Instant, String)>,
}

impl Tokens {
    /// Runs a transaction, or answers as the one before under the same token. What failed is not remembered. Two under one
    /// token at the same time run one after the other.
    pub(crate) fn once(&self, token: &str, items: &Value, run: impl FnOnce() -> Answer) -> Answer {
        let asked = self.digest(items);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// The same for the same JSON, in whatever order its objects' members stand.
    fn digest(&self, value: &Value) -> u64 {
        match value {
            Value::Object(members) => members
                .iter()
                .map(|(name, value)| self.hashes.hash_one((name, self.digest(value))))
                .fold(1, u64::wrapping_add),
            Value::Array(items) => self.hashes.hash_one(items.iter().map(|item| self.digest(item)).collect::<Vec<_>>()),
            plain => self.hashes.hash_one(plain),
        }
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
    use serde_json::json;

    use super::*;

    fn check(tokens: &Tokens, token: &str, items: &Value, expected: Option<&str>) {
        let answer = tokens.once(token, items, || Ok(b"run".to_vec()));
        assert_eq!(answer.ok().as_deref(), expected.map(str::as_bytes), "{token} {items}");
    }

    #[test]
    fn a_token_runs_once_for_the_same_items_in_any_order_of_their_members() {
        let tokens = Tokens::default();
        let first = tokens.once("a", &json!([{ "x": { "S": "1" }, "y": 2 }]), || Ok(b"first".to_vec()));
        assert_eq!(first.ok().as_deref(), Some(b"first".as_slice()));
        check(&tokens, "a", &json!([{ "y": 2, "x": { "S": "1" } }]), Some("first"));
        check(&tokens, "a", &json!([{ "y": 1, "x": { "S": "2" } }]), None);
        check(&tokens, "b", &json!([{ "y": 2, "x": { "S": "1" } }]), Some("run"));
    }

    #[test]
    fn what_failed_runs_again_and_what_is_old_is_forgotten() {
        let tokens = Tokens::default();
        let failed = tokens.once("a", &json!([]), || Err(DynoxideError::InternalServerError(String::new())));
        assert!(failed.is_err());
        check(&tokens, "a", &json!([]), Some("run"));
        let later = Instant::now() + REMEMBERED;
        let mut kept = tokens.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.forget(later);
        assert!(kept.done.is_empty() && kept.by_age.is_empty());
    }
}
