//! Calls that are ready at one time go out as one.
//!
//! Invariant: nobody waits for others to come: a call leaves as soon as one of a few runners is free, with what is there
//! by then. Everyone is answered for his own part. A runner goes on when whoever began it is cut off, so that nobody
//! waits for ever.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// Calls under way at one time. With fewer, one slow call would hold back too much; with more, less is gathered.
const RUNNERS_MAX: usize = 4;

/// A part of a call, and how large it is.
pub(crate) trait Part: Send + 'static {
    /// Its size in the unit of the call's limit.
    fn size(&self) -> usize;
}

/// How much one call takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Parts.
    pub(crate) parts_max: usize,
    /// Sum of their sizes; a single part may be larger.
    pub(crate) size_max: usize,
}

/// One kind of call.
pub(crate) struct Gather<T, R> {
    limits: Limits,
    state: Mutex<State<T, R>>,
}

struct State<T, R> {
    waiting: VecDeque<(T, oneshot::Sender<R>)>,
    runners: usize,
}

impl<T: Part, R: Send + 'static> Gather<T, R> {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, state: Mutex::new(State { waiting: VecDeque::new(), runners: 0 }) })
    }

    /// Has `part` made in some call and returns its own answer. `call` answers its parts in their order; `None` where it
    /// gave too few answers.
    pub(crate) async fn join<F, Called>(self: &Arc<Self>, part: T, call: F) -> Option<R>
    where
        F: Fn(Vec<T>) -> Called + Send + 'static,
        Called: Future<Output = Vec<R>> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let is_runner_free = {
            let mut state = self.lock();
            state.waiting.push_back((part, answer));
            let free = state.runners < RUNNERS_MAX;
            state.runners += usize::from(free);
            free
        };
        if is_runner_free {
            tokio::spawn(Arc::clone(self).run(call));
        }
        answered.await.ok()
    }

    /// Makes calls until nothing waits.
    async fn run<F, Called>(self: Arc<Self>, call: F)
    where
        F: Fn(Vec<T>) -> Called + Send + 'static,
        Called: Future<Output = Vec<R>> + Send + 'static,
    {
        // Whatever else is ready in this moment comes along.
        tokio::task::yield_now().await;
        while let Some((parts, answers)) = self.take() {
            for (answer, result) in answers.into_iter().zip(call(parts).await) {
                // Whoever was cut off does not hear it.
                drop(answer.send(result));
            }
        }
    }

    /// What fits into the next call; `None` where nothing waits, and the runner is free again.
    fn take(&self) -> Option<(Vec<T>, Vec<oneshot::Sender<R>>)> {
        let mut state = self.lock();
        let mut size = 0;
        let (mut parts, mut answers) = (Vec::new(), Vec::new());
        while let Some((next, _)) = state.waiting.front() {
            size += next.size();
            if !parts.is_empty() && (parts.len() >= self.limits.parts_max || size > self.limits.size_max) {
                break;
            }
            let Some((part, answer)) = state.waiting.pop_front() else { break };
            parts.push(part);
            answers.push(answer);
        }
        if parts.is_empty() {
            state.runners -= 1;
            return None;
        }
        Some((parts, answers))
    }

    fn lock(&self) -> MutexGuard<'_, State<T, R>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    impl Part for usize {
        fn size(&self) -> usize {
            *self
        }
    }

    #[tokio::test]
    async fn what_is_ready_at_once_is_one_call_and_each_gets_its_own_answer() {
        let gather = Gather::new(Limits { parts_max: 10, size_max: 1000 });
        let calls = Arc::new(AtomicUsize::new(0));
        let all = (0..25_usize).map(|part| {
            let (gather, calls) = (gather.clone(), calls.clone());
            async move {
                let call = move |parts: Vec<usize>| {
                    calls.fetch_add(1, Ordering::SeqCst);
                    async move { parts.into_iter().map(|part| part * 2).collect() }
                };
                assert_eq!(gather.join(part, call).await, Some(part * 2));
            }
        });
        futures::future::join_all(all).await;
        assert_eq!(calls.load(Ordering::SeqCst), 3);
    }

    #[tokio::test]
    async fn a_call_is_no_larger_than_it_may_be_unless_one_part_is() {
        let gather = Gather::new(Limits { parts_max: 10, size_max: 10 });
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let all = [6_usize, 4, 1, 30, 2].map(|part| {
            let (gather, sizes) = (gather.clone(), sizes.clone());
            async move {
                let call = move |parts: Vec<usize>| {
                    sizes.lock().unwrap().push(parts.clone());
                    async move { parts }
                };
                gather.join(part, call).await
            }
        });
        futures::future::join_all(all).await;
        assert_eq!(*sizes.lock().unwrap(), [vec![6, 4], vec![1], vec![30], vec![2]]);
    }

    #[tokio::test]
    async fn a_call_that_answers_too_little_leaves_nobody_waiting() {
        let gather = Gather::new(Limits { parts_max: 10, size_max: 10 });
        let call = |_: Vec<usize>| async { Vec::<usize>::new() };
        assert_eq!(gather.join(1, call).await, None);
    }
}
