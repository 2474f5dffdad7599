//! Event source mappings: batches of a queue, handed to functions, and again until they are done.
//!
//! Invariant: which messages make a batch, and which workers take it, follow from the seed: what a queue holds is put in
//! order before it is dealt out.

use std::ops::RangeInclusive;
use std::sync::Arc;

use domain::ReceiverKind;
use futures::future::join_all;
use pipeline::ports::IncidentStore;
use pipeline::{DeliveryMessage, Redrive};

use crate::process::{End, Handed, Process, Role};
use crate::world::World;

/// Messages in one batch.
const BATCH_MAX: usize = 10;

/// Milliseconds between two runs of `sweep`: its schedule has one a minute, and some are late or lost.
const SWEEPS_APART_MS: RangeInclusive<i64> = 60_000..=180_000;

/// Seconds in which the sweep must have found whatever is overdue.
const SWEPT_SECS_MAX: i64 = 1_260;

/// The longest that a quiet world waits at once, in seconds.
const WAIT_SECS_MAX: u64 = 240;

/// Seconds in which a world must come to rest: half a day.
const REST_SECS_MAX: i64 = 43_200;

/// Rounds in which it must: messages that beget messages leave no time to pass.
const REST_ROUNDS_MAX: usize = 2000;

impl World {
    /// Deals every visible message out to the functions, which work at the same time. How many messages there were.
    ///
    /// # Errors
    /// When a queue does not answer.
    pub async fn round(&self) -> anyhow::Result<usize> {
        let mut work: Vec<(Role, String, Vec<Handed>)> = Vec::new();
        let mut messages = 0;
        for (role, url) in self.taken() {
            let mut handed = self.receive(&url).await?;
            messages += handed.len();
            self.rng.borrow_mut().shuffle(&mut handed);
            let workers = self.setup.workers_max;
            let mut busy = 0;
            while !handed.is_empty() {
                let size = 1 + self.pick(BATCH_MAX.min(handed.len()));
                let batch: Vec<Handed> = handed.drain(..size.min(handed.len())).collect();
                work.push((role, url.clone(), batch));
                busy += 1;
                if busy % workers == 0 {
                    self.run(std::mem::take(&mut work)).await;
                }
            }
        }
        self.run(work).await;
        Ok(messages)
    }

    /// Hands each batch to a process of its own; all of them run at once.
    async fn run(&self, work: Vec<(Role, String, Vec<Handed>)>) {
        let running = work.into_iter().map(|(role, url, batch)| async move {
            let process = self.process(role);
            self.ended(&process.batch(&url, &batch).await, process);
        });
        join_all(running).await;
    }

    fn ended(&self, end: &End<()>, process: Process) {
        match end {
            End::Returned(()) => self.release(process),
            End::Crashed => self.crashed.set(self.crashed.get() + 1),
            End::TimedOut => self.timed_out.set(self.timed_out.get() + 1),
        }
    }

    /// Rounds until nothing is visible, at most so many.
    ///
    /// # Errors
    /// When a queue does not answer.
    pub async fn work(&self, rounds_max: usize) -> anyhow::Result<()> {
        for _ in 0..rounds_max {
            if self.round().await? == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Time passes and the functions work until nothing is left anywhere but among the dead letters.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn rest(&self) -> anyhow::Result<()> {
        let begun_ms = self.clock.passed_ms();
        let (mut wait_secs, mut rounds) = (1, 0);
        loop {
            if self.round().await? > 0 {
                wait_secs = 1;
                rounds += 1;
                anyhow::ensure!(rounds < REST_ROUNDS_MAX, "after {rounds} rounds there are new messages in each");
                continue;
            }
            let left = self.left().await?;
            if left == 0 {
                return Ok(());
            }
            self.sweep().await;
            let waited_ms = self.clock.passed_ms() - begun_ms;
            anyhow::ensure!(waited_ms < REST_SECS_MAX * 1000, "{left} messages are never finished");
            self.pass(wait_secs).await;
            wait_secs = (wait_secs * 2).min(WAIT_SECS_MAX);
        }
    }

    /// The same, and what only the sweep finds is done too.
    ///
    /// # Errors
    /// When that takes too long.
    pub async fn rest_and_sweep(&self) -> anyhow::Result<()> {
        self.rest().await?;
        let begun_ms = self.clock.passed_ms();
        // Where nothing is left, one more run would find nothing, as most others do: now and then it is made all the same.
        let mut is_due = self.pick(4) == 0 || self.has_dead_letters().await?;
        while is_due || self.is_unfinished().await? {
            is_due = false;
            if self.clock.passed_ms() - begun_ms > SWEPT_SECS_MAX * 1000 {
                break;
            }
            let left_ms = (self.next_sweep_ms.get() - self.clock.passed_ms()).max(0);
            self.pass(u64::try_from(left_ms / 1000 + 1)?).await;
            self.sweep().await;
            self.rest().await?;
        }
        Ok(())
    }

    /// The schedule of `sweep`, where its time has come.
    pub async fn sweep(&self) {
        let now_ms = self.clock.passed_ms();
        if now_ms < self.next_sweep_ms.get() {
            return;
        }
        self.next_sweep_ms.set(now_ms + self.rng.borrow_mut().i64(SWEEPS_APART_MS));
        let process = self.process(Role::Sweep);
        self.ended(&process.tick().await, process);
    }

    /// Messages that a queue still holds: visible, handed out, or delayed.
    async fn left(&self) -> anyhow::Result<u64> {
        let mut left = 0;
        for (_, url) in self.taken() {
            left += self.held(&url).await?;
        }
        Ok(left)
    }

    /// The functions work for so many seconds, and wait where there is nothing to do.
    ///
    /// # Errors
    /// When a queue does not answer.
    pub async fn work_for(&self, secs: u64) -> anyhow::Result<()> {
        let end_ms = self.clock.passed_ms().saturating_add(i64::try_from(secs)?.saturating_mul(1000));
        let mut wait_secs = 1;
        while self.clock.passed_ms() < end_ms {
            if self.round().await? > 0 {
                wait_secs = 1;
                continue;
            }
            self.sweep().await;
            let left_secs = u64::try_from((end_ms - self.clock.passed_ms()) / 1000 + 1)?;
            self.pass(wait_secs.min(left_secs)).await;
            wait_secs = (wait_secs * 2).min(30);
        }
        Ok(())
    }

    /// The functions work until so many seconds of the world have passed.
    ///
    /// # Errors
    /// When a queue does not answer.
    pub async fn work_until(&self, secs: i64) -> anyhow::Result<()> {
        let left_ms = (secs * 1000).saturating_sub(self.clock.passed_ms()).max(0);
        self.work_for(u64::try_from(left_ms / 1000)?).await
    }

    /// A function's queue hands out every message that it ever had once more: a queue delivers at least once.
    ///
    /// # Errors
    /// When the table or the queue does not answer.
    pub async fn copy(&self, role: Role) -> anyhow::Result<()> {
        match role {
            Role::Receive | Role::Sweep => {}
            Role::Triage => {
                for body in self.wire.inbox_bodies() {
                    self.put(self.inbox()?, body).await?;
                }
            }
            Role::Deliver(kind) => {
                let Some(url) = self.urls().deliveries.get(&kind) else { return Ok(()) };
                for incident in self.store.incidents().await? {
                    let told = self.store.deliveries(&incident.id, None).await?;
                    for delivery in told.into_iter().filter(|d| d.kind == kind) {
                        let message = DeliveryMessage::of(delivery.id);
                        self.put(url, serde_json::to_string(&message)?).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Puts a message into a queue, as something else than Tocsin may do.
    ///
    /// # Errors
    /// When the queue does not answer.
    pub async fn put(&self, url: &str, body: String) -> anyhow::Result<()> {
        self.wire.strike();
        self.sqs.send_message().queue_url(url).message_body(body).send().await?;
        Ok(())
    }

    /// Every message is handed out, and no function may take it: the account's limit is reached.
    ///
    /// # Errors
    /// When a queue does not answer.
    pub async fn hand_out_in_vain(&self) -> anyhow::Result<usize> {
        self.wire.strike();
        let mut handed = 0;
        for (_, url) in self.taken() {
            handed += self.receive(&url).await?.len();
        }
        Ok(handed)
    }

    /// Has everything tried again that was given up, as an operator does with `tocsin redrive`. How many alerts' messages
    /// went back into the inbox.
    ///
    /// # Errors
    /// When the table or a queue does not answer.
    pub async fn redrive(&self) -> anyhow::Result<usize> {
        self.wire.strike();
        // What the sweep has looked at is hidden for a quarter of an hour.
        self.pass(901).await;
        let queues = Arc::new(self.queues.clone());
        let redrive = Redrive::new(Arc::new(self.store.clone()), queues.clone(), queues, self.clock.clone());
        redrive.deliveries().await?;
        Ok(redrive.letters().await?.inbox)
    }

    /// Deliveries among a receiver kind's dead letters.
    ///
    /// # Errors
    /// When the queue does not answer.
    pub async fn dead(&self, kind: ReceiverKind) -> anyhow::Result<u64> {
        match self.urls().dead_letters.get(&kind) {
            Some(url) => self.held(url).await,
            None => Ok(0),
        }
    }
}
