//! How often each operation was called.
//!
//! Invariant: only names that an engine knows are kept, so that no caller can make the count grow without end.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Calls so far, by operation.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<BTreeMap<&'static str, u64>>);

impl Calls {
    /// Counts one call and returns the number of calls so far, this one included.
    pub(crate) fn count(&self, operation: &'static str) -> u64 {
        let mut calls = self.lock();
        *calls.entry(operation).or_default() += 1;
        calls.values().sum()
    }

    /// Calls so far, by operation; an operation never called is absent.
    pub(crate) fn so_far(&self) -> BTreeMap<String, u64> {
        self.lock().iter().map(|(operation, times)| ((*operation).to_owned(), *times)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
