//! Every case with a few seeds; the command runs as many as it is asked for.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use config::TemplateDirectory;
use tocsin_faults::{CASES, Case, run};

/// Seeds of each case.
const SEEDS: u64 = 10;

/// Runs every case with every seed on two threads, and hands each case and its hits to `judge`.
fn each_case(judge: impl Fn(&Case, u64, &tocsin_faults::Outcome) -> Option<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let run_some = || {
        let templates = Arc::new(TemplateDirectory::new(None));
        let mut wrong = Vec::new();
        while let Some(case) = CASES.get(next.fetch_add(1, Ordering::SeqCst)) {
            let mut struck = 0;
            for seed in 0..SEEDS {
                let outcome = run(case, seed, &templates).expect("a world can be made and looked at");
                struck += usize::from(outcome.struck > 0);
                wrong.extend(judge(case, seed, &outcome));
            }
            if struck == 0 {
                wrong.push(format!("{}: nothing went wrong in {SEEDS} seeds", case.name));
            }
        }
        wrong
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(run_some)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a thread ends well")).collect()
    })
}

#[test]
fn every_case_keeps_every_invariant() {
    let wrong = each_case(|case, seed, outcome| {
        let violations: Vec<String> = outcome.violations.iter().map(ToString::to_string).collect();
        (!violations.is_empty()).then(|| format!("--case {} --seed {seed}: {}", case.name, violations.join("; ")))
    });
    assert!(wrong.is_empty(), "cargo run --profile fast -p tocsin-faults -- …\n{}", wrong.join("\n"));
}

#[test]
fn the_same_seed_is_the_same_run() {
    let templates = Arc::new(TemplateDirectory::new(None));
    for case in CASES.iter() {
        let trace = || run(case, 7, &templates).expect("a world can be made and looked at").trace;
        assert_eq!(trace(), trace(), "{}", case.name);
    }
}

#[test]
fn cases_have_names_of_their_own() {
    let mut names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CASES.len());
}
