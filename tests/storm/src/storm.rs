//! One storm: start, send and kill, wait, reconcile.
//!
//! Invariant: kills go on while the queues drain: most of the work is done after the last alert was accepted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, anyhow};
use config::{Config, secret_names};
use pipeline::SystemClock;
use pipeline::ports::Clock;
use stand_ins::StandIns;
use tocsin::{Answer, LOCAL_SECRET};
use tokio::time::Instant;

use crate::found::Found;
use crate::plan::Plan;
use crate::processes::{EnginesProcess, FunctionsProcess};
use crate::queues::Engines;
use crate::reconcile::reconcile;
use crate::sender::{SOURCE, Sender, Sent};
use crate::{StormArgs, say};

const CONFIG: &str = include_str!("../storm.yaml");

/// How often the sender's progress is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How long after the queues are empty the table is looked at again, where something in it is unfinished.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(5);

pub(crate) async fn run(args: &StormArgs, problems: usize) -> anyhow::Result<Answer> {
    let plan = Arc::new(Plan::new(args.alerts, problems, args.kills, args.seed));
    let temporary = tempfile::tempdir()?;
    let folder = args.logs.as_deref().unwrap_or(temporary.path());
    std::fs::create_dir_all(folder).with_context(|| format!("{}: cannot be made", folder.display()))?;
    std::fs::write(folder.join("storm.yaml"), CONFIG)?;
    let began = Instant::now();
    let vendors = StandIns::start().await?;
    let process = EnginesProcess::start(folder).await?;
    let engines = Engines::prepare(&process.url).await?;
    let mut functions = FunctionsProcess::start(folder, &process, &vendors).await?;
    say(format!(
        "seed {}: {} alerts of {} problems in {} requests, {} kills",
        args.seed,
        plan.alerts,
        plan.problems,
        plan.bodies.len(),
        args.kills
    ));
    let sent = send_and_kill(&plan, &mut functions, &engines, began).await?;
    let quiet_until = Instant::now() + Duration::from_secs(args.patience);
    let found = quiet(&engines, quiet_until).await?;
    say(format!("{} quiet", at(began)));
    let lines = reconcile(&sent, &found, &vendors, engines.dead().await?)?;
    for line in &lines {
        say(format!("{} {}", if line.holds { "holds     " } else { "DOES NOT  " }, line.text));
    }
    let holds = lines.iter().all(|line| line.holds);
    say(format!("seed {}: {} after {}", args.seed, if holds { "all of it holds" } else { "NOT all holds" }, at(began)));
    Ok(if holds { Answer::Done } else { Answer::No })
}

fn sender(url: String) -> anyhow::Result<Sender> {
    let secrets: BTreeMap<String, String> =
        secret_names(CONFIG).into_iter().map(|name| (name, LOCAL_SECRET.to_owned())).collect();
    let config: Config = config::load(CONFIG, &secrets).map_err(|mistakes| anyhow!("storm.yaml: {mistakes:?}"))?;
    let source = config.source(SOURCE).context("storm.yaml has no such source")?;
    Ok(Sender { url, auth: source.auth.clone(), progress: Arc::new(AtomicUsize::new(0)) })
}

async fn send_and_kill(
    plan: &Arc<Plan>,
    functions: &mut FunctionsProcess,
    engines: &Engines,
    began: Instant,
) -> anyhow::Result<Sent> {
    let sender = sender(functions.url())?;
    let progress = sender.progress.clone();
    let mut sending = tokio::spawn(sender.send(plan.clone()));
    for (kill, after) in plan.kills_while_sending.iter().enumerate() {
        while progress.load(Ordering::SeqCst) < *after && !sending.is_finished() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        kill_once(kill, functions, engines, progress.load(Ordering::SeqCst), began).await?;
    }
    let sent = (&mut sending).await??;
    say(format!("{} all accepted; {} messages wait", at(began), engines.waiting().await?));
    for (kill, after_ms) in plan.kills_while_draining_ms.iter().enumerate() {
        tokio::time::sleep(Duration::from_millis(*after_ms)).await;
        let kill = plan.kills_while_sending.len() + kill;
        kill_once(kill, functions, engines, plan.alerts, began).await?;
    }
    Ok(sent)
}

async fn kill_once(
    number: usize,
    functions: &mut FunctionsProcess,
    engines: &Engines,
    accepted: usize,
    began: Instant,
) -> anyhow::Result<()> {
    let waiting = engines.waiting().await?;
    functions.kill().await?;
    say(format!("{} kill {} at {accepted} accepted, {waiting} messages waiting", at(began), number + 1));
    Ok(())
}

/// What the table holds when nothing waits and nothing in it is unfinished, or when patience ends.
async fn quiet(engines: &Engines, until: Instant) -> anyhow::Result<Found> {
    loop {
        let emptied = engines.emptied(until).await?;
        let found = Found::read(&engines.store).await?;
        if !emptied || found.unfinished(SystemClock.now()) == 0 || Instant::now() + LOOK_AGAIN_AFTER > until {
            return Ok(found);
        }
        tokio::time::sleep(LOOK_AGAIN_AFTER).await;
    }
}

fn at(began: Instant) -> String {
    format!("{:>6.1} s", began.elapsed().as_secs_f64())
}
