//! Slack, Jira, Linear and a webhook refuse, or take something and do not say so.
//!
//! Invariant: none holds back a page, and none is told twice of one thing; a webhook's second request has the first one's id.

use domain::ReceiverKind::{Jira, Linear, Pagerduty, Slack, Webhook};
use domain::{DeliveryState, ReceiverKind};

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
    Case {
        name: "linear-timeout-after-creating",
        keeps: &[B, F],
        setup: |rng| Setup::telling(vec![Linear], rng),
        play: |world| Box::pin(unheard(world, Linear)),
    },
    Case {
        name: "linear-200-with-errors",
        keeps: &[D, F],
        setup: |rng| Setup::telling(vec![Pagerduty, Linear], rng),
        play: |world| Box::pin(with_errors(world)),
    },
    Case {
        name: "linear-rate-limit",
        keeps: &[B, F],
        setup: |rng| Setup::telling(vec![Pagerduty, Linear], rng),
        play: |world| Box::pin(held_up(world, Linear, &[429])),
    },
    Case {
        name: "webhook-timeout-after-accepting",
        keeps: &[B, F],
        setup: |rng| Setup::telling(vec![Webhook], rng),
        play: |world| Box::pin(unheard(world, Webhook)),
    },
    Case {
        name: "webhook-429-500",
        keeps: &[B, F],
        setup: |rng| Setup::telling(vec![Pagerduty, Webhook], rng),
        play: |world| Box::pin(held_up(world, Webhook, &[429, 500, 503, 408])),
    },
    Case {
        name: "webhook-redirects-or-refuses",
        keeps: &[B, D],
        setup: |rng| Setup::telling(vec![Webhook], rng),
        play: |world| Box::pin(refused(world)),
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
    unheard(world, Slack).await
}

/// What was taken is not said to be.
async fn unheard(world: &World, kind: ReceiverKind) -> anyhow::Result<()> {
    for _ in 0..=world.pick(3) {
        let harm = [Harm::LoseAnswer, Harm::HalfAnswer, Harm::HangAfter].get(world.pick(3)).cloned();
        let harm = harm.unwrap_or(Harm::LoseAnswer);
        world.inject(Fault::once(Where::At(Point::Tell(kind)), world.pick(4), harm));
    }
    world.storm(Storm::default()).await
}

/// What passes by itself is waited for, and tells everyone in the end.
async fn held_up(world: &World, kind: ReceiverKind, statuses: &[u16]) -> anyhow::Result<()> {
    let secs = 60 + i64::try_from(world.pick(600))?;
    let harm = match statuses.get(world.pick(statuses.len())) {
        Some(429) | None => Harm::Throttle(Some(1 + world.pick(60) as u64)),
        Some(status) => Harm::Status(*status),
    };
    world.inject(Fault::for_secs(Where::Vendor(kind), secs, harm));
    let begun_ms = world.clock.passed_ms();
    world.fire(&problem(0)).await;
    world.work(6).await?;
    let paged = world.vendors.pagerduty.triggers().len();
    let after_ms = world.clock.passed_ms() - begun_ms;
    world.require(B, paged == 1 && after_ms < PAGE_SECS_MAX * 1000, format!("{paged} pages after {after_ms} ms"));
    world.storm(Storm::default()).await?;
    world.work_until(secs).await?;
    world.work_for(600).await?;
    for incident in world.store.incidents().await? {
        let record = world.store.record(&incident.id).await?;
        let deliveries = record.map(|record| record.deliveries).unwrap_or_default();
        for delivery in deliveries.iter().filter(|d| d.kind == kind && d.state != DeliveryState::Delivered) {
            let (id, state) = (&delivery.id, delivery.state.as_str());
            world.require(B, false, format!("{id} is {state}, and its vendor was back for ten minutes"));
        }
    }
    Ok(())
}

async fn with_errors(world: &World) -> anyhow::Result<()> {
    let errors =
        ["invalid input", "internal error", "lock timeout", "authentication error", "ratelimited", "unheard of"];
    for _ in 0..=world.pick(3) {
        let error = errors.get(world.pick(errors.len())).copied().unwrap_or("internal error");
        world.inject(Fault::once(Where::At(Point::Tell(Linear)), world.pick(4), Harm::OkFalse(error)));
    }
    world.storm(Storm::default()).await
}

/// What a webhook will never take, or says to be elsewhere, is a dead letter at once and told by the fallback.
async fn refused(world: &World) -> anyhow::Result<()> {
    let status = [302, 307, 400, 401, 404, 410, 422].get(world.pick(7)).copied().unwrap_or(400);
    world.inject(Fault::times(Where::Vendor(Webhook), 1, Harm::Status(status)));
    world.fire(&problem(0)).await;
    world.work(6).await?;
    let (buried, told) = (world.dead(Webhook).await?, world.vendors.slack.messages().len());
    world.require(D, buried == 1, format!("what was refused with {status} is {buried} dead letters"));
    world.require(B, told == 1, format!("{told} messages went to the fallback after a {status}"));
    world.storm(Storm::default()).await
}

async fn lagging(world: &World) -> anyhow::Result<()> {
    for _ in 0..=world.pick(3) {
        let harm = if world.pick(2) == 0 { Harm::HangAfter } else { Harm::LoseAnswer };
        world.inject(Fault::once(Where::At(Point::Tell(Jira)), world.pick(4), harm));
    }
    world.storm(Storm::default()).await
}
