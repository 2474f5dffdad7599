//! The wire: every effect that a function has on the outside passes here, and here faults hit.
//!
//! Invariant: which call is hit, how long a call takes and what is logged follow from the seed alone. A crashed process
//! gets no answer any more, so that nothing of it runs on.

use std::future::pending;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use embedded::{InProcess, StartError, Storage};
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::clock::WorldClock;
use crate::fault::{Fault, Harm, Point};

/// The process that the harness itself is: its calls are not Tocsin's, and nothing hits them.
pub(crate) const HARNESS: usize = 0;

/// A call takes up to so many milliseconds each way.
const LATENCY_MS_MAX: u64 = 8;

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It had its effect and its answer came, with this status.
    Answered(u16),
    /// It had no effect.
    NotTaken,
    /// It had its effect, and no whole answer came.
    Unanswered,
}

/// One call as it was.
#[derive(Debug, Clone)]
pub struct Record {
    /// Milliseconds of the world when the call was made.
    pub begun_ms: i64,
    /// And when it had its effect, or was known to have none.
    pub at_ms: i64,
    /// The process that made it.
    pub process: usize,
    /// Where.
    pub point: Point,
    /// Of what: a delivery, an incident, a queue.
    pub subject: String,
    /// Bytes sent.
    pub bytes: usize,
    /// What became of it.
    pub fate: Fate,
}

/// What a call came to.
pub(crate) enum Answer<T> {
    Came(T),
    Half(T),
    Refused { status: u16, retry_after_secs: Option<u64> },
    OkFalse(&'static str),
    Lost,
    Unreachable,
}

struct State {
    rng: fastrand::Rng,
    faults: Vec<Fault>,
    struck: usize,
    log: Vec<Record>,
    bodies: Vec<String>,
}

/// The wire of one world.
pub struct Wire {
    /// The engines at its end.
    pub(crate) engines: InProcess,
    /// The world's time.
    pub(crate) clock: Arc<WorldClock>,
    state: Mutex<State>,
}

impl Wire {
    pub(crate) fn new(clock: Arc<WorldClock>, seed: u64) -> Result<Arc<Self>, StartError> {
        let engines = InProcess::open(&Storage::Memory)?;
        let rng = fastrand::Rng::with_seed(seed);
        let state = State { rng, faults: Vec::new(), struck: 0, log: Vec::new(), bodies: Vec::new() };
        Ok(Arc::new(Self { engines, clock, state: Mutex::new(state) }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more thing that goes wrong; of two that hold for a call the earlier one hits.
    pub fn inject(&self, fault: Fault) {
        self.state().faults.push(fault);
    }

    /// Nothing goes wrong any more.
    pub fn heal(&self) {
        self.state().faults.clear();
    }

    /// How often something went wrong: calls that were hit, and what a case did beside the wire.
    #[must_use]
    pub fn struck(&self) -> usize {
        self.state().struck
    }

    /// Something goes wrong beside the wire.
    pub fn strike(&self) {
        self.state().struck += 1;
    }

    /// Every call, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Record> {
        self.state().log.clone()
    }

    /// Every inbox message that SQS took.
    #[must_use]
    pub fn inbox_bodies(&self) -> Vec<String> {
        self.state().bodies.clone()
    }

    /// What happened, as one number: the same seed gives the same.
    #[must_use]
    pub fn trace(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for record in &self.state().log {
            (record.at_ms, record.process, record.point, record.fate).hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Keeps messages that the inbox took.
    pub(crate) fn keep(&self, bodies: Vec<String>) {
        self.state().bodies.extend(bodies);
    }

    fn harm(&self, point: Point) -> Option<Harm> {
        let now_ms = self.clock.passed_ms();
        let mut state = self.state();
        let mut hit = None;
        for fault in &mut state.faults {
            if !fault.at.holds(point) || fault.times == 0 || now_ms >= fault.until_ms {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            fault.times -= 1;
            hit = Some(fault.harm.clone());
            break;
        }
        state.struck += usize::from(hit.is_some());
        hit
    }

    fn latency(&self) -> Duration {
        Duration::from_millis(self.state().rng.u64(1..=LATENCY_MS_MAX))
    }
}

/// One process's end of the wire.
pub(crate) struct Seam {
    pub(crate) wire: Arc<Wire>,
    pub(crate) process: usize,
    /// Told when the process is gone.
    pub(crate) crashed: Notify,
    gone: AtomicBool,
}

/// A call before it is made.
pub(crate) struct Call {
    pub(crate) point: Point,
    pub(crate) subject: String,
    pub(crate) bytes: usize,
}

/// A call on its way.
struct Begun {
    begun_ms: i64,
    call: Call,
}

impl Seam {
    pub(crate) fn new(wire: Arc<Wire>, process: usize) -> Arc<Self> {
        Arc::new(Self { wire, process, crashed: Notify::new(), gone: AtomicBool::new(false) })
    }

    /// Makes a call, unless a fault hits it. `status` reads an answer's status.
    pub(crate) async fn call<T: Send + 'static>(
        &self,
        call: Call,
        effect: impl Future<Output = T> + Send + 'static,
        status: impl Fn(&T) -> u16,
    ) -> Answer<T> {
        if self.process == HARNESS {
            return Answer::Came(effect.await);
        }
        if self.is_gone() {
            return pending().await;
        }
        let harm = self.wire.harm(call.point);
        let call = Begun { begun_ms: self.wire.clock.passed_ms(), call };
        sleep(self.wire.latency()).await;
        if self.is_gone() {
            return pending().await;
        }
        match harm {
            None => {
                let answer = effect.await;
                self.log(call, Fate::Answered(status(&answer)));
                sleep(self.wire.latency()).await;
                Answer::Came(answer)
            }
            Some(Harm::Slow(secs)) => {
                sleep(Duration::from_secs(secs)).await;
                let answer = effect.await;
                self.log(call, Fate::Answered(status(&answer)));
                Answer::Came(answer)
            }
            Some(Harm::Late(secs)) => {
                self.log(call, Fate::Unanswered);
                tokio::spawn(async move {
                    sleep(Duration::from_secs(secs)).await;
                    drop(effect.await);
                });
                pending().await
            }
            Some(Harm::Throttle(retry_after_secs)) => self.refused(call, 429, retry_after_secs),
            Some(Harm::Status(status)) => self.refused(call, status, None),
            Some(Harm::OkFalse(error)) => {
                self.log(call, Fate::NotTaken);
                Answer::OkFalse(error)
            }
            Some(Harm::Unreachable) => {
                self.log(call, Fate::NotTaken);
                Answer::Unreachable
            }
            Some(Harm::HangBefore) => {
                self.log(call, Fate::NotTaken);
                pending().await
            }
            Some(Harm::CrashBefore) => {
                self.log(call, Fate::NotTaken);
                self.crash().await
            }
            Some(after @ (Harm::CrashAfter | Harm::LoseAnswer | Harm::HalfAnswer | Harm::HangAfter)) => {
                let answer = effect.await;
                self.log(call, Fate::Unanswered);
                match after {
                    Harm::CrashAfter => self.crash().await,
                    Harm::HangAfter => pending().await,
                    Harm::HalfAnswer => Answer::Half(answer),
                    _ => Answer::Lost,
                }
            }
        }
    }

    /// A point without an effect of its own, where the process may be gone.
    pub(crate) async fn reach(&self, point: Point) {
        let call = Call { point, subject: String::new(), bytes: 0 };
        let _nothing = self.call(call, async {}, |()| 200).await;
    }

    fn refused<T>(&self, call: Begun, status: u16, retry_after_secs: Option<u64>) -> Answer<T> {
        self.log(call, Fate::NotTaken);
        Answer::Refused { status, retry_after_secs }
    }

    /// Nothing that the process has begun has an effect any more.
    pub(crate) fn end(&self) {
        self.gone.store(true, Ordering::SeqCst);
    }

    fn is_gone(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }

    async fn crash<T>(&self) -> T {
        self.end();
        self.crashed.notify_one();
        pending().await
    }

    fn log(&self, call: Begun, fate: Fate) {
        let Begun { begun_ms, call: Call { point, subject, bytes } } = call;
        let at_ms = self.wire.clock.passed_ms();
        self.wire.state().log.push(Record { begun_ms, at_ms, process: self.process, point, subject, bytes, fate });
    }
}
