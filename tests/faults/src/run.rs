//! One run of one case.
//!
//! Invariant: a run has a runtime, engines and vendors of its own, and leaves nothing behind.

use std::sync::Arc;

use config::TemplateDirectory;

use crate::audit::{Invariant, Violation, audit};
use crate::cases::Case;
use crate::wire::Record;
use crate::world::World;

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// Everything that is wrong.
    pub violations: Vec<Violation>,
    /// How often something went wrong in it.
    pub struck: usize,
    /// Calls of functions that crashed.
    pub crashed: usize,
    /// Calls over the wire.
    pub calls: usize,
    /// What happened, as one number.
    pub trace: u64,
    /// Every call, oldest first.
    pub log: Vec<Record>,
}

/// Plays a case with a seed, lets the world come to rest, and audits it.
///
/// # Errors
/// When the world itself cannot be made or looked at.
pub fn run(case: &Case, seed: u64, templates: &Arc<TemplateDirectory>) -> anyhow::Result<Outcome> {
    // The SDK spreads its retries by this thread's generator.
    fastrand::seed(seed);
    let mut rng = fastrand::Rng::with_seed(seed);
    let setup = (case.setup)(&mut rng);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async {
        let world = World::begin(setup, templates, seed).await?;
        (case.play)(&world).await?;
        world.wire.heal();
        let rested = world.rest_and_sweep().await;
        if world.has_dead_letters().await? {
            // What the sweep has looked at among them is hidden for a quarter of an hour.
            world.pass(901).await;
        }
        let mut violations = audit(&world).await?;
        if let Err(error) = rested {
            violations.push(Violation { invariant: Invariant::D, what: error.to_string() });
        }
        Ok(Outcome {
            violations,
            struck: world.wire.struck(),
            crashed: world.crashed.get(),
            calls: world.wire.log().len(),
            trace: world.wire.trace(),
            log: world.wire.log(),
        })
    })
}
