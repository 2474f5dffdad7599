//! One world: engines, vendors, a clock, and the processes that work in it.
//!
//! Invariant: everything in it is made anew for each run and ends with it; what happens follows from the seed.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use aws::{Clients, QueueUrls, Queues, Store, provision_queues, provision_table};
use aws_sdk_sqs::types::QueueAttributeName;
use config::TemplateDirectory;
use domain::ReceiverKind;

use crate::audit::{Invariant, Violation};
use crate::clock::WorldClock;
use crate::engines::clients;
use crate::fault::Fault;
use crate::point::queue_name;
use crate::process::{Kit, Process, Role, TABLE};
use crate::setup::{Secrets, Setup};
use crate::vendors::Vendors;
use crate::webhook::Posted;
use crate::wire::{HARNESS, Seam, Wire};

/// Milliseconds in which the schedule has its first run of `sweep`.
const FIRST_SWEEP_MS_MAX: i64 = 60_000;

/// A world.
pub struct World {
    /// How it began.
    pub setup: Setup,
    /// Its wire.
    pub wire: Arc<Wire>,
    /// Its time.
    pub clock: Arc<WorldClock>,
    /// Its vendors.
    pub vendors: Vendors,
    /// Its table, without faults.
    pub store: Store,
    /// Its queues, without faults.
    pub queues: Queues,
    /// Webhooks posted so far.
    pub posted: RefCell<Vec<Posted>>,
    /// Times that Lambda ended a function at its timeout.
    pub timed_out: Cell<usize>,
    /// Calls of a function that crashed.
    pub crashed: Cell<usize>,
    /// What a case itself found wrong.
    pub wrong: RefCell<Vec<Violation>>,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) rng: RefCell<fastrand::Rng>,
    kit: RefCell<Kit>,
    idle: RefCell<BTreeMap<Role, Vec<Process>>>,
    started: Cell<usize>,
    pub(crate) next_sweep_ms: Cell<i64>,
}

impl World {
    /// Begins one. Needs a paused Tokio runtime of its own.
    ///
    /// # Errors
    /// When an engine does not start.
    pub async fn begin(setup: Setup, templates: &Arc<TemplateDirectory>, seed: u64) -> anyhow::Result<Self> {
        let clock = WorldClock::begin();
        let wire = Wire::new(clock.clone(), seed)?;
        let vendors = Vendors::new();
        vendors.jira.search_lag(Duration::from_millis(setup.jira_lag_ms));
        let Clients { dynamodb, sqs } = clients(&Seam::new(wire.clone(), HARNESS));
        let store = Store::new(dynamodb, TABLE);
        provision_table(&store).await?;
        let urls = provision_queues(&sqs, TABLE).await?;
        let config = Arc::new(setup.config(&vendors, Secrets::Old)?);
        let kit = Kit {
            wire: wire.clone(),
            vendors: vendors.clone(),
            config,
            templates: templates.clone(),
            urls: urls.clone(),
            outside: setup.outside,
        };
        let mut rng = fastrand::Rng::with_seed(seed.rotate_left(17) ^ 0x9e37_79b9_7f4a_7c15);
        let first_sweep_ms = rng.i64(0..FIRST_SWEEP_MS_MAX);
        let world = Self {
            wire,
            clock,
            vendors,
            store,
            queues: Queues::new(sqs.clone(), urls),
            posted: RefCell::default(),
            timed_out: Cell::default(),
            crashed: Cell::default(),
            wrong: RefCell::default(),
            sqs,
            rng: RefCell::new(rng),
            kit: RefCell::new(kit),
            idle: RefCell::default(),
            started: Cell::new(HARNESS),
            next_sweep_ms: Cell::new(first_sweep_ms),
            setup,
        };
        world.limit_receives().await?;
        Ok(world)
    }

    /// A poison message must not need five hours to become a dead letter.
    async fn limit_receives(&self) -> anyhow::Result<()> {
        let Some(receives_max) = self.setup.inbox_receives_max else { return Ok(()) };
        let url = self.inbox()?;
        let dead = format!("{}-dead", queue_name(url));
        let policy = format!(
            r#"{{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:{dead}","maxReceiveCount":{receives_max}}}"#
        );
        let set = self.sqs.set_queue_attributes().queue_url(url);
        set.attributes(QueueAttributeName::RedrivePolicy, policy).send().await?;
        Ok(())
    }

    /// The inbox's address.
    ///
    /// # Errors
    /// When there is none.
    pub fn inbox(&self) -> anyhow::Result<&str> {
        self.urls().inbox.as_deref().context("there is no inbox")
    }

    pub(crate) fn urls(&self) -> &QueueUrls {
        self.queues.urls()
    }

    /// Every queue that a function takes, with that function.
    pub(crate) fn taken(&self) -> Vec<(Role, String)> {
        let inbox = self.urls().inbox.iter().map(|url| (Role::Triage, url.clone()));
        let told = |kind: &ReceiverKind| self.setup.receivers.contains(kind) || self.setup.fallback == Some(*kind);
        let deliveries = self.urls().deliveries.iter().filter(|(kind, _)| told(kind));
        inbox.chain(deliveries.map(|(kind, url)| (Role::Deliver(*kind), url.clone()))).collect()
    }

    /// One more thing goes wrong.
    pub fn inject(&self, fault: Fault) {
        self.wire.inject(fault);
    }

    /// Notes a violation unless something holds.
    pub fn require(&self, invariant: Invariant, holds: bool, what: impl Into<String>) {
        if !holds {
            self.wrong.borrow_mut().push(Violation { invariant, what: what.into() });
        }
    }

    /// A number below `end`, from the seed.
    pub fn pick(&self, end: usize) -> usize {
        self.rng.borrow_mut().usize(0..end.max(1))
    }

    /// Functions take these secrets from now on, those that run already too: Lambda has replaced them.
    ///
    /// # Errors
    /// When the config cannot be read.
    pub fn rotate(&self, taken: Secrets) -> anyhow::Result<()> {
        self.wire.strike();
        let config = Arc::new(self.setup.config(&self.vendors, taken)?);
        self.kit.borrow_mut().config = config;
        self.idle.borrow_mut().clear();
        Ok(())
    }

    /// A process that is free, or a new one.
    pub(crate) fn process(&self, role: Role) -> Process {
        if let Some(free) = self.idle.borrow_mut().entry(role).or_default().pop() {
            return free;
        }
        self.started.set(self.started.get() + 1);
        let skew = self.setup.skew_secs_max;
        let skew_ms = self.rng.borrow_mut().i64(-skew..=skew) * 1000;
        Process::start(&self.kit.borrow(), role, self.started.get(), skew_ms)
    }

    /// Takes a process back that lives on.
    pub(crate) fn release(&self, process: Process) {
        self.idle.borrow_mut().entry(process.role).or_default().push(process);
    }

    /// Every wall clock jumps by so many seconds, back where it is negative; nothing else passes.
    pub fn jump(&self, secs: i64) {
        self.wire.strike();
        self.clock.jump(secs);
    }

    /// Nothing but time passes.
    pub async fn pass(&self, secs: u64) {
        tokio::time::advance(Duration::from_secs(secs)).await;
        // What became due happens before anything else does.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
