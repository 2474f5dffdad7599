//! Slack and Jira refuse, or take something and do not say so.
//!
//! Invariant: neither holds back a page, and neither is told twice of one thing.

use domain::ReceiverKind::{Jira, Pagerduty, Slack};

use crate::audit::Invariant::{B, D, F};
use crate::cases::Case;
use crate::fault::{Fault, Harm, Point, Where};
use crate::setup::Setup;
use crate::storm::{Storm, problem};
use crate::world::World;

/// Seconds after which a page is late, while nothing is wrong with its own way.
const PAGE_SECS_MAX: i64 = 5;

pub(super) const CASES: &[Case] = &[
    Case {
        name: "slack-429-while-paging",
        keeps: &[B, F],
        setup: |rng| Setup::telling(vec![Pagerduty, Slack], rng),
        play: |world| Box::pin(limited(world)),
    },
    Case {
        name: "slack-200-not-ok",
        keeps: &[D, F],
        setup: |rng| Setup::telling(vec![Pagerduty, Slack], rng),
        play: |world| Box::pin(not_ok(world)),
    },
    Case {
        name: "slack-answer-lost",
        keeps: &[B, F],
        setup: |rng| Setup::telling(vec![Slack], rng),
        play: |world| Box::pin(unsaid(world)),
    },
    Case {
        name: "jira-timeout-search-lags",
        keeps: &[F],
        setup: |rng| Setup { jira_lag_ms: rng.u64(0..14_000), ..Setup::telling(vec![Pagerduty, Jira], rng) },
        play: |world| Box::pin(lagging(world)),
    },
];

async fn limited(world: &World) -> anyhow::Result<()> {
    let secs = 60 + i64::try_from(world.pick(600))?;
    let wait_secs = Some(1 + world.pick(60) as u64);
    world.inject(Fault::for_secs(Where::Vendor(Slack), secs, Harm::Throttle(wait_secs)));
    let begun_ms = world.clock.passed_ms();
    world.fire(&problem(0)).await;
    world.work(6).await?;
    let paged = world.vendors.pagerduty.triggers().len();
    let after_ms = world.clock.passed_ms() - begun_ms;
    world.require(B, paged == 1 && after_ms < PAGE_SECS_MAX * 1000, format!("{paged} pages after {after_ms} ms"));
    world.storm(Storm::default()).await?;
    world.work_until(secs).await
}

async fn not_ok(world: &World) -> anyhow::Result<()> {
    let errors = ["internal_error", "service_unavailable", "ratelimited", "channel_not_found", "is_archived"];
    for _ in 0..=world.pick(3) {
        let error = errors.get(world.pick(errors.len())).copied().unwrap_or("internal_error");
        world.inject(Fault::once(Where::At(Point::Tell(Slack)), world.pick(4), Harm::OkFalse(error)));
    }
    world.storm(Storm::default()).await
}

async fn unsaid(world: &World) -> anyhow::Result<()> {
    for _ in 0..=world.pick(3) {
        let harm = [Harm::LoseAnswer, Harm::HalfAnswer, Harm::HangAfter].get(world.pick(3)).cloned();
        let harm = harm.unwrap_or(Harm::LoseAnswer);
        world.inject(Fault::once(Where::At(Point::Tell(Slack)), world.pick(4), harm));
    }
    world.storm(Storm::default()).await
}

async fn lagging(world: &World) -> anyhow::Result<()> {
    for _ in 0..=world.pick(3) {
        let harm = if world.pick(2) == 0 { Harm::HangAfter } else { Harm::LoseAnswer };
        world.inject(Fault::once(Where::At(Point::Tell(Jira)), world.pick(4), harm));
    }
    world.storm(Storm::default()).await
}
