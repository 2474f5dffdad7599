//! How long a batch waits for the sources outside. Where more problems begin at once than are settled at once, and a source
//! lets its whole deadline pass without a word, those that have not had their turn wait for it less: else each of them would
//! cost that deadline, and the last ones their page.
//!
//! Invariant: this only shortens a wait, to a tenth of its deadline at the least, and only as far as the time that is left
//! for the batch asks for it. A batch whose problems are all settled at once waits for every source as long as config says.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Gap;
use tokio::time::{Instant, timeout};

use crate::ports::ReadError;

/// Steps in which a problem waits for the outside, confirmation and enrichment, and its writes.
const STEPS: u32 = 3;

/// What is left of a deadline at the least: one part of so many.
const PARTS_MAX: u32 = 10;

/// The time of one batch.
#[derive(Debug)]
pub(crate) struct Patience {
    until: Instant,
    at_once: usize,
    waiting: AtomicUsize,
    silent: Mutex<BTreeSet<&'static str>>,
}

impl Patience {
    /// Until then, for so many problems of which so many are settled `at_once`.
    pub(crate) fn new(until: Instant, problems: usize, at_once: usize) -> Self {
        Self { until, at_once, waiting: AtomicUsize::new(problems), silent: Mutex::default() }
    }

    /// One of the problems has its turn.
    pub(crate) fn turn(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    /// What is left of the time.
    pub(crate) fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// What a source answers within its deadline, and never later than `limit`; `what` names it in the gap.
    pub(crate) async fn wait_for<T>(
        &self,
        source: &'static str,
        what: &str,
        deadline: Duration,
        limit: Duration,
        asked: impl Future<Output = Result<T, ReadError>>,
    ) -> Result<T, Gap> {
        let wait = self.wait(source, deadline).min(limit);
        let answer = timeout(wait, asked).await;
        match &answer {
            Ok(_) => _ = self.silent().remove(source),
            // One that was given much less says nothing of itself.
            Err(_) if wait * 10 > deadline * 9 => _ = self.silent().insert(source),
            Err(_) => {}
        }
        let missed = |_| Gap::new(what, format!("no answer within {:.1} s", wait.as_secs_f64()));
        answer.map_err(missed)?.map_err(|error| Gap::new(what, error.why))
    }

    fn silent(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, source: &str, deadline: Duration) -> Duration {
        let waiting = self.waiting.load(Ordering::Relaxed);
        if waiting == 0 || !self.silent().contains(source) {
            return deadline;
        }
        let turns = u32::try_from(waiting.div_ceil(self.at_once)).unwrap_or(u32::MAX).saturating_add(1);
        (self.left() / turns / STEPS).clamp(deadline / PARTS_MAX, deadline)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(5);

    fn patience(problems: usize) -> Patience {
        Patience::new(Instant::now() + Duration::from_secs(28), problems, 32)
    }

    async fn hang(patience: &Patience) -> Duration {
        let begun = Instant::now();
        let gap = patience.wait_for::<()>("prometheus", "metric", DEADLINE, DEADLINE, pending()).await.unwrap_err();
        assert!(gap.why.starts_with("no answer within"), "{gap:?}");
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn of_many_problems_the_later_ones_wait_for_a_silent_source_a_tenth() {
        let patience = patience(600);
        assert_eq!(hang(&patience).await, DEADLINE);
        assert_eq!(hang(&patience).await, DEADLINE / 10);
        let answers = async {
            tokio::time::sleep(Duration::from_millis(400)).await;
            Ok(())
        };
        assert_eq!(patience.wait_for("prometheus", "metric", DEADLINE, DEADLINE, answers).await, Ok(()));
        assert_eq!(hang(&patience).await, DEADLINE, "it answers again");
        assert_eq!(patience.wait_for("datadog", "metric", DEADLINE, DEADLINE, ready(Ok(()))).await, Ok(()));
        assert_eq!(hang(&patience).await, DEADLINE / 10, "another source's answer says nothing of it");
    }

    #[tokio::test(start_paused = true)]
    async fn problems_that_are_settled_at_once_wait_as_long_as_config_says() {
        let patience = patience(32);
        (0..32).for_each(|_| patience.turn());
        for _ in 0..3 {
            assert_eq!(hang(&patience).await, DEADLINE);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_is_shortened_as_far_as_the_time_asks_for_it() {
        let patience = patience(40);
        assert_eq!(hang(&patience).await, DEADLINE);
        let shortened = hang(&patience).await;
        assert!(shortened > DEADLINE / 2 && shortened < DEADLINE, "{shortened:?} of 23 s for two turns");
    }

    #[tokio::test(start_paused = true)]
    async fn a_source_that_had_less_than_its_deadline_is_not_called_silent() {
        let patience = patience(400);
        let short = patience.wait_for::<()>("prometheus", "metric", DEADLINE, DEADLINE / 2, pending()).await;
        assert_eq!(short.unwrap_err().why, "no answer within 2.5 s");
        assert_eq!(hang(&patience).await, DEADLINE);
    }
}
