//! Comparisons of two samples against the figures of `SciPy` and statsmodels: `tests/two_sample.json`, which
//! `tests/two_sample.py` writes.

use std::collections::BTreeMap;

use serde::Deserialize;
use tocsin_detectors::Direction;
use tocsin_detectors::two_sample::{
    Arm, Comparison, Divergence, benjamini_hochberg, bootstrap_difference, categorical, divergence, fisher_exact,
    hodges_lehmann, kolmogorov_smirnov, kolmogorov_tail, mann_whitney, numeric, two_proportion_z, wasserstein,
};

#[derive(Deserialize)]
struct Figures {
    samples: Vec<Sample>,
    proportions: Vec<Proportions>,
    adjusted: Vec<Adjusted>,
    kolmogorov: Vec<Tail>,
    categories: Vec<Divergences>,
}

#[derive(Deserialize)]
struct Sample {
    name: String,
    tested: Vec<f64>,
    reference: Vec<f64>,
    ks: Test,
    ranks: BTreeMap<String, Test>,
    shift: f64,
    wasserstein: f64,
    divergences: Vec<Divergences>,
    bootstrap: Bootstrap,
}

#[derive(Deserialize)]
struct Test {
    statistic: f64,
    p_value: f64,
}

#[derive(Deserialize)]
struct Divergences {
    #[serde(default)]
    asked: usize,
    tested: Vec<u64>,
    reference: Vec<u64>,
    psi: f64,
    kl: f64,
    js: f64,
    psi_p_value: f64,
    kl_p_value: f64,
    js_p_value: f64,
}

#[derive(Deserialize)]
struct Bootstrap {
    seed: u64,
    difference: f64,
    low: f64,
    high: f64,
}

#[derive(Deserialize)]
struct Proportions {
    table: [[u32; 2]; 2],
    z: BTreeMap<String, Test>,
    fisher: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Adjusted {
    p_values: Vec<f64>,
    adjusted: Vec<f64>,
}

#[derive(Deserialize)]
struct Tail {
    lambda: f64,
    tail: f64,
}

fn figures() -> Figures {
    serde_json::from_str(include_str!("../two_sample.json")).expect("written by two_sample.py")
}

/// Equal to a part in 10⁹; absolutely below 1e-9 · `scale`.
#[track_caller]
fn check(what: &str, ours: f64, theirs: f64, scale: f64) {
    let error = (ours - theirs).abs();
    assert!(error <= 1e-9 * theirs.abs().max(scale), "{what}: {ours} is not {theirs}");
}

#[track_caller]
fn check_test(what: &str, ours: Option<Comparison>, theirs: &Test) {
    let ours = ours.expect("samples");
    check(&format!("{what}: statistic"), ours.statistic, theirs.statistic, 1e-9);
    check(&format!("{what}: p"), ours.p_value, theirs.p_value, 0.0);
}

#[track_caller]
fn check_divergence(what: &str, ours: Option<Divergence>, theirs: &Divergences) {
    let ours = ours.expect("counts");
    assert_eq!(ours.bins, theirs.tested.len(), "{what}");
    // Below a part in 10⁶ what is left of the logarithms is rounding, in SciPy as here.
    check(&format!("{what}: psi"), ours.psi, theirs.psi, 1e-6);
    check(&format!("{what}: kl"), ours.kl, theirs.kl, 1e-6);
    check(&format!("{what}: js"), ours.js, theirs.js, 1e-6);
    check(&format!("{what}: psi p"), ours.psi_p_value(), theirs.psi_p_value, 0.0);
    check(&format!("{what}: kl p"), ours.kl_p_value(), theirs.kl_p_value, 0.0);
    check(&format!("{what}: js p"), ours.js_p_value(), theirs.js_p_value, 0.0);
}

fn direction(word: &str) -> Direction {
    Direction::parse(word).expect("a direction")
}

fn arms(table: [[u32; 2]; 2]) -> [Arm; 2] {
    table.map(|[hits, misses]| Arm { hits: hits.into(), events: f64::from(hits) + f64::from(misses) })
}

#[test]
fn ranks_are_scipys() {
    for s in figures().samples {
        assert_eq!(s.ranks.len(), 3);
        for (word, theirs) in &s.ranks {
            let ours = mann_whitney(&s.tested, &s.reference, direction(word));
            check_test(&format!("{} {word}", s.name), ours, theirs);
        }
        let ours = hodges_lehmann(&s.tested, &s.reference).expect("samples");
        check(&format!("{}: shift", s.name), ours, s.shift, 0.0);
    }
}

#[test]
fn distances_of_distributions_are_scipys() {
    let samples = figures().samples;
    assert_eq!(samples.len(), 16);
    for s in samples {
        check_test(&s.name, kolmogorov_smirnov(&s.tested, &s.reference), &s.ks);
        let ours = wasserstein(&s.tested, &s.reference).expect("samples");
        check(&s.name, ours, s.wasserstein, 0.0);
    }
    for tail in figures().kolmogorov {
        check(&format!("λ = {}", tail.lambda), kolmogorov_tail(tail.lambda), tail.tail, 0.0);
    }
}

#[test]
fn divergences_are_scipys() {
    for s in figures().samples {
        assert_eq!(s.divergences.len(), 3);
        for theirs in &s.divergences {
            let what = format!("{} in {} bins", s.name, theirs.asked);
            check_divergence(&what, numeric(&s.tested, &s.reference, theirs.asked, 0.5), theirs);
            check_divergence(&what, divergence(&theirs.tested, &theirs.reference, 0.5), theirs);
        }
    }
    for theirs in figures().categories {
        check_divergence("categories", divergence(&theirs.tested, &theirs.reference, 0.5), &theirs);
    }
}

#[test]
fn two_shares_are_statsmodels_and_scipys() {
    for p in figures().proportions {
        let [tested, reference] = arms(p.table);
        let table = p.table.map(|row| row.map(u64::from));
        assert_eq!((p.z.len(), p.fisher.len()), (3, 3));
        for (word, theirs) in &p.z {
            check_test(&format!("{table:?} {word}"), two_proportion_z(tested, reference, direction(word)), theirs);
        }
        for (word, theirs) in &p.fisher {
            let ours = fisher_exact(table, direction(word)).expect("counts");
            check(&format!("{table:?} {word}"), ours, *theirs, 0.0);
        }
    }
}

#[test]
fn false_discoveries_are_statsmodels() {
    for a in figures().adjusted {
        let ours = benjamini_hochberg(&a.p_values).expect("probabilities");
        assert_eq!(ours.len(), a.adjusted.len());
        for (ours, theirs) in ours.iter().zip(&a.adjusted) {
            check("adjusted", *ours, *theirs, 0.0);
        }
    }
    assert_eq!(benjamini_hochberg(&[]), Some(Vec::new()));
    assert_eq!(benjamini_hochberg(&[0.1, 1.1]), None);
    assert_eq!(benjamini_hochberg(&[f64::NAN]), None);
}

#[test]
fn one_seed_gives_one_interval() {
    for s in figures().samples {
        let ours = bootstrap_difference(&s.tested, &s.reference, 200, 90, s.bootstrap.seed).expect("samples");
        let scale = ours.high - ours.low;
        check(&s.name, ours.difference, s.bootstrap.difference, scale);
        check(&s.name, ours.low, s.bootstrap.low, scale);
        check(&s.name, ours.high, s.bootstrap.high, scale);
        let other = bootstrap_difference(&s.tested, &s.reference, 200, 90, 1).expect("samples");
        assert_eq!(ours == other, s.name == "one_value_each", "another seed, {}", s.name);
    }
}

#[test]
fn categories_that_one_sample_lacks_are_compared_too() {
    let tested = BTreeMap::from([("stop", 10), ("length", 40), ("tool", 2)]);
    let reference = BTreeMap::from([("stop", 100), ("filter", 20), ("length", 380)]);
    // In the order of names: filter, length, stop, tool.
    assert_eq!(categorical(&tested, &reference, 0.5), divergence(&[0, 40, 10, 2], &[20, 380, 100, 0], 0.5));
    assert!(categorical(&tested, &reference, 0.5).is_some_and(|d| d.bins == 4 && d.psi > 0.0));
    assert_eq!(categorical(&tested, &reference, 0.0), None, "an empty category is infinitely far");
    assert_eq!(categorical(&tested, &BTreeMap::new(), 0.5), None);
    assert_eq!(divergence(&[5, 0, 5], &[5, 0, 5], 0.0).map(|d| d.psi), Some(0.0), "unless it is empty in both");
}

#[test]
fn equal_shares_do_not_differ_whatever_the_sizes() {
    let same = divergence(&[10, 20, 0, 30], &[100, 200, 0, 300], 0.5).expect("counts");
    assert_eq!((same.psi, same.kl, same.js), (0.0, 0.0, 0.0));
    assert_eq!((same.psi_p_value(), same.kl_p_value(), same.js_p_value()), (1.0, 1.0, 1.0));
    let one = numeric(&[2.0; 30], &[2.0; 90], 10, 0.5).expect("samples");
    assert_eq!((one.psi, one.bins), (0.0, 3));
    for value in [1.9, 2.1] {
        assert!(numeric(&[value; 30], &[2.0; 90], 10, 0.5).expect("samples").psi > 5.0, "{value}");
    }
    let equal = two_proportion_z(Arm { hits: 0.0, events: 5.0 }, Arm { hits: 0.0, events: 90.0 }, Direction::Both);
    assert_eq!(equal, Some(Comparison { statistic: 0.0, p_value: 1.0 }));
}

#[test]
fn one_value_has_no_order() {
    for (n, m) in (1..40).flat_map(|n| (1..40).map(move |m| (n, m))) {
        for direction in Direction::ALL {
            let test = mann_whitney(&vec![0.1; n], &vec![0.1; m], direction).expect("samples");
            assert!((test.p_value - 1.0).abs() < 1e-12, "{n} and {m}: {test:?}");
        }
    }
    // So many that rounding leaves a variance below 0.
    let many = vec![0.1; 165_146];
    for direction in Direction::ALL {
        assert!(mann_whitney(&many, &many, direction).is_some_and(|test| test.p_value > 0.99), "{direction}");
    }
    assert_eq!(hodges_lehmann(&[0.1], &[0.1]).map(f64::to_bits), Some(0), "not a negative zero");
}

#[test]
fn tables_that_are_equally_probable_are_equally_extreme() {
    for (events, hits) in (2..60_u64).flat_map(|events| (0..events.div_ceil(2)).map(move |hits| (events, hits))) {
        let table = [[hits, events - hits], [events - hits, hits]];
        let both = fisher_exact(table, Direction::Both).expect("counts");
        let below = fisher_exact(table, Direction::Below).expect("counts");
        check(&format!("{table:?}"), both, 2.0 * below, 0.0);
    }
}

#[test]
fn what_is_no_sample_has_no_figure() {
    let usual = [1.0, 2.0, 3.0];
    for bad in [&[][..], &[f64::NAN], &[1.0, f64::INFINITY]] {
        for (tested, reference) in [(bad, &usual[..]), (&usual[..], bad)] {
            assert_eq!(mann_whitney(tested, reference, Direction::Both), None);
            assert_eq!(kolmogorov_smirnov(tested, reference), None);
            assert_eq!(wasserstein(tested, reference), None);
            assert_eq!(hodges_lehmann(tested, reference), None);
            assert_eq!(numeric(tested, reference, 10, 0.5), None);
            assert_eq!(bootstrap_difference(tested, reference, 100, 90, 1), None);
        }
    }
    assert_eq!(wasserstein(&[f64::MAX], &[f64::MIN]), None, "too far");
    assert_eq!(hodges_lehmann(&[f64::MAX], &[f64::MIN]), None, "too far");
    assert!(numeric(&[0.0], &[f64::MIN, 1e308, f64::MAX], 4, 0.5).is_some(), "an edge is infinite");
    assert_eq!(bootstrap_difference(&usual, &usual, 99, 90, 1), None);
    assert_eq!(bootstrap_difference(&usual, &usual, 100, 100, 1), None);
    assert_eq!(bootstrap_difference(&usual, &usual, usize::MAX, 90, 1), None);
    assert_eq!(bootstrap_difference(&usual, &usual, 20_000_000, 90, 1), None, "120 million draws");
    assert_eq!(divergence(&[1, 2], &[1, 2, 3], 0.5), None);
    assert_eq!(divergence(&[0, 0], &[1, 2], 0.5), None);
    assert_eq!(divergence(&[u64::MAX, 1], &[1, 2], 0.5), None);
    for smoothing in [-1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(divergence(&[1, 2], &[1, 2], smoothing), None);
    }
    assert_eq!(kolmogorov_tail(f64::NAN).to_bits(), 1.0_f64.to_bits());
}

#[test]
fn what_is_no_count_has_no_figure() {
    let usual = Arm { hits: 1.0, events: 5.0 };
    for (hits, events) in [(2.0, 1.0), (-1.0, 5.0), (0.0, 0.0), (f64::NAN, 5.0), (1.0, f64::NAN), (1.0, f64::INFINITY)]
    {
        assert_eq!(two_proportion_z(Arm { hits, events }, usual, Direction::Both), None, "{hits} of {events}");
        assert_eq!(two_proportion_z(usual, Arm { hits, events }, Direction::Both), None, "{hits} of {events}");
    }
    assert_eq!(fisher_exact([[0, 0], [0, 0]], Direction::Both), Some(1.0));
    assert_eq!(fisher_exact([[u64::MAX, 1], [0, 0]], Direction::Both), None);
    assert_eq!(fisher_exact([[1 << 53, 1], [0, 0]], Direction::Both), None);
    assert_eq!(fisher_exact([[1 << 50, 1 << 50], [1 << 50, 1 << 50]], Direction::Both), None, "wider than a million");
    let rare = fisher_exact([[9, 1 << 40], [5, 1 << 52]], Direction::Above).expect("few hits");
    assert!(rare > 0.0 && rare < 1e-20, "{rare}");
}
