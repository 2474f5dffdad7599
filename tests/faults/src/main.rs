//! Runs cases over seeds: `cargo run --profile fast -p tocsin-faults -- [--case NAME]… [--seeds N | --seed N]`.
//!
//! Invariant: it ends with success only where no run of any case violated anything; each violation is printed with the
//! command that replays it.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::Parser;
use config::TemplateDirectory;
use mimalloc::MiMalloc;
use tocsin_faults::{CASES, Case, run};

/// Half of a run is making and dropping small things.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Violations shown of one case.
const SHOWN_MAX: usize = 5;

/// Seeds of a case that a thread takes at a time; then it goes on to another case.
const CHUNK: u64 = 5;

/// Proves the invariants by injection.
#[derive(Debug, Parser)]
struct Options {
    /// Only these cases; all of them without a name.
    #[arg(long = "case")]
    cases: Vec<String>,
    /// Seeds of each case, from 0.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// Only this seed.
    #[arg(long)]
    seed: Option<u64>,
    /// Every call of the wire is shown; for one seed.
    #[arg(long)]
    log: bool,
    /// Seconds after which no further run begins; without it, all of them are made.
    #[arg(long)]
    within_secs: Option<u64>,
    /// Worlds at the same time.
    #[arg(long, default_value_t = 2)]
    threads: usize,
}

#[derive(Default)]
struct Tally {
    runs: usize,
    struck: usize,
    hit: usize,
    crashed: usize,
    calls: usize,
    wrong: Vec<(u64, String)>,
    spent: Duration,
}

type Tallies = Mutex<BTreeMap<&'static str, Tally>>;

fn main() -> ExitCode {
    let options = Options::parse();
    let wanted = |case: &&Case| options.cases.is_empty() || options.cases.iter().any(|name| name == case.name);
    let cases: Vec<&Case> = CASES.iter().filter(wanted).collect();
    if cases.is_empty() || options.cases.iter().any(|name| CASES.iter().all(|case| case.name != name)) {
        let names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
        say(&format!("no such case; there are: {}", names.join(", ")));
        return ExitCode::FAILURE;
    }
    let seeds = options.seed.map_or(0..options.seeds, |seed| seed..seed + 1);
    let mut work: Vec<(&Case, std::ops::Range<u64>)> = Vec::new();
    let mut from = seeds.start;
    while from < seeds.end {
        let next = (from + CHUNK).min(seeds.end);
        work.extend(cases.iter().map(|case| (*case, from..next)));
        from = next;
    }
    let begun = Instant::now();
    let (tallies, next) = (Tallies::default(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..options.threads.max(1) {
            scope.spawn(|| {
                let templates = Arc::new(TemplateDirectory::new(None));
                while let Some((case, seeds)) = work.get(next.fetch_add(1, Ordering::SeqCst)) {
                    for seed in seeds.clone() {
                        if options.within_secs.is_some_and(|secs| begun.elapsed().as_secs() >= secs) {
                            return;
                        }
                        count(case, seed, &templates, &tallies, options.log);
                    }
                }
            });
        }
    });
    report(&cases, &tallies, begun.elapsed())
}

fn count(case: &Case, seed: u64, templates: &Arc<TemplateDirectory>, tallies: &Tallies, log: bool) {
    let begun = Instant::now();
    let outcome = run(case, seed, templates);
    let mut tallies = tallies.lock().unwrap_or_else(PoisonError::into_inner);
    let tally = tallies.entry(case.name).or_default();
    tally.runs += 1;
    tally.spent += begun.elapsed();
    match outcome {
        Ok(outcome) => {
            for r in outcome.log.iter().filter(|_| log) {
                let (begun_ms, at_ms, point, fate) = (r.begun_ms, r.at_ms, format!("{:?}", r.point), r.fate);
                say(&format!("{begun_ms:9} {at_ms:9} process {:3} {point:22} {fate:?} {}", r.process, r.subject));
            }
            tally.struck += outcome.struck;
            tally.hit += usize::from(outcome.struck > 0);
            tally.crashed += outcome.crashed;
            tally.calls += outcome.calls;
            for violation in outcome.violations {
                let beyond = if case.keeps.contains(&violation.invariant) { "" } else { " (not this case's own)" };
                tally.wrong.push((seed, format!("{violation}{beyond}")));
            }
        }
        Err(error) => tally.wrong.push((seed, format!("the run itself failed: {error:#}"))),
    }
}

fn report(cases: &[&Case], tallies: &Tallies, elapsed: Duration) -> ExitCode {
    let tallies = tallies.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut runs, mut broken) = (0, 0);
    for case in cases {
        let Some(tally) = tallies.get(case.name) else { continue };
        runs += tally.runs;
        let keeps = case.keeps.iter().map(|invariant| format!("{invariant:?}")).collect::<Vec<_>>().concat();
        let each = tally.spent / u32::try_from(tally.runs.max(1)).unwrap_or(1);
        say(&format!(
            "{:32} {keeps:8} {} seeds, hit in {}, {} faults, {} crashes, {} calls, {:.1} ms each, {} violations",
            case.name,
            tally.runs,
            tally.hit,
            tally.struck,
            tally.crashed,
            tally.calls,
            each.as_secs_f64() * 1000.0,
            tally.wrong.len()
        ));
        broken += usize::from(!tally.wrong.is_empty());
        let mut wrong = tally.wrong.clone();
        wrong.sort();
        for (seed, what) in wrong.iter().take(SHOWN_MAX) {
            say(&format!(
                "    {what}\n      cargo run --profile fast -p tocsin-faults -- --case {} --seed {seed}",
                case.name
            ));
        }
    }
    say(&format!("{} cases, {runs} runs, {:.1} s: {broken} cases broken", cases.len(), elapsed.as_secs_f64()));
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[allow(clippy::print_stdout, reason = "a command speaks on stdout")]
fn say(line: &str) {
    println!("{line}");
}
