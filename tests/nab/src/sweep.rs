//! The benchmark's scorer: the sum over all files at the one threshold that is best for a profile.
//!
//! Invariant: equal to the official scorer's figures to two decimals; the official one is what counts.
//!
//! - Each window pays its earliest detection by a scaled sigmoid of the position in it, 1 at its left edge and 0 at its
//!   right one; a window without a detection costs the profile's weight of a miss.
//! - Each detection outside costs up to the profile's weight of a false positive, less where it closely follows a window.
//! - The first 15 % of a file, at most 750 rows, are probation and count for nothing.
//! - 0 is the score of a detector that says nothing, 100 that of a perfect one.
//! - Source: Lavin & Ahmad, "Evaluating real-time anomaly detection algorithms", ICMLA (2015).

use crate::corpus::DataFile;

/// What a profile pays and costs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Profile {
    /// Its name in `config/profiles.json`.
    pub(crate) name: &'static str,
    /// Cost of a miss.
    pub(crate) miss: f64,
    /// Cost of a false positive.
    pub(crate) false_positive: f64,
}

/// The benchmark's profiles.
pub(crate) const PROFILES: [Profile; 3] = [
    Profile { name: "standard", miss: 1.0, false_positive: 0.11 },
    Profile { name: "reward_low_FP_rate", miss: 1.0, false_positive: 0.22 },
    Profile { name: "reward_low_FN_rate", miss: 2.0, false_positive: 0.11 },
];

/// The best threshold and what it gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Best {
    /// Rows with this score or a higher one are detections.
    pub(crate) threshold: f64,
    /// Normalised: 0 says nothing, 100 is perfect.
    pub(crate) score: f64,
}

/// One row that counts.
#[derive(Debug, Clone, Copy)]
struct Point {
    score: f64,
    /// The sigmoid: to be weighted as a true positive in a window, else as a false one.
    pay: f64,
    window: Option<usize>,
}

/// A corpus ready to be scored under any profile.
#[derive(Debug)]
pub(crate) struct Sweep {
    points: Vec<Point>,
    /// Windows with a row after probation: the only ones that a miss is charged for.
    windows: usize,
    /// All windows, which is what perfection is.
    labelled: usize,
}

impl Sweep {
    /// Takes each file with its scores.
    pub(crate) fn new<'a>(files: impl Iterator<Item = (&'a DataFile, &'a [f64])>) -> Self {
        let mut sweep = Self { points: Vec::new(), windows: 0, labelled: 0 };
        for (file, scores) in files {
            sweep.labelled += file.windows.len();
            sweep.add(file, scores);
        }
        sweep.points.sort_by(|a, b| b.score.total_cmp(&a.score));
        sweep
    }

    fn add(&mut self, file: &DataFile, scores: &[f64]) {
        let index = |time: i64| file.times.iter().position(|at| *at == time).unwrap_or(0);
        let probation = (file.times.len() * 15 / 100).min(750);
        let mut ahead = file.windows.iter();
        let mut next = ahead.next();
        let mut current: Option<(i64, usize, f64)> = None;
        let mut previous: Option<(usize, f64)> = None;
        let mut counted = None;
        for (row, (time, score)) in file.times.iter().zip(scores).enumerate() {
            if let Some((from, to)) = next.filter(|(from, _)| from == time) {
                current = Some((*to, index(*to), float(index(*to) + 1) - float(index(*from))));
                next = ahead.next();
                counted = None;
            }
            let pay = match (current, previous) {
                (Some((_, right, width)), _) => sigmoid((float(row) - float(right) - 1.0) / width) / sigmoid(-1.0),
                (None, Some((right, width))) => sigmoid((float(row) - float(right)) / (width - 1.0)),
                (None, None) => -1.0,
            };
            if row >= probation {
                if current.is_some() && counted.is_none() {
                    counted = Some(self.windows);
                    self.windows += 1;
                }
                let window = current.and(counted);
                self.points.push(Point { score: *score, pay, window });
            }
            if let Some((_, _, width)) = current.filter(|(to, _, _)| to == time) {
                previous = Some((row, width));
                current = None;
            }
        }
    }

    /// The best threshold under a profile.
    #[must_use]
    pub(crate) fn best(&self, profile: &Profile) -> Best {
        let mut paid: Vec<f64> = vec![-profile.miss; self.windows];
        let mut sum = -profile.miss * float(self.windows);
        let (mut best, mut threshold) = (sum, 1.1);
        let mut rest = self.points.iter().peekable();
        while let Some(point) = rest.next() {
            match point.window.and_then(|window| paid.get_mut(window)) {
                Some(paid) if point.pay > *paid => {
                    sum += point.pay - *paid;
                    *paid = point.pay;
                }
                Some(_) => {}
                None => sum += point.pay * profile.false_positive,
            }
            let last = rest.peek().is_none_or(|next| next.score < point.score);
            if last && sum > best {
                (best, threshold) = (sum, point.score);
            }
        }
        let silent = -profile.miss * float(self.windows);
        Best { threshold, score: 100.0 * (best - silent) / (float(self.labelled) - silent) }
    }

    /// The score under a profile at a given threshold.
    #[must_use]
    pub(crate) fn at(&self, profile: &Profile, threshold: f64) -> f64 {
        let kept: Vec<Point> = self.points.iter().filter(|point| point.score >= threshold).copied().collect();
        let mut paid: Vec<f64> = vec![-profile.miss; self.windows];
        let mut sum = 0.0;
        for point in kept {
            match point.window.and_then(|window| paid.get_mut(window)) {
                Some(paid) => *paid = paid.max(point.pay),
                None => sum += point.pay * profile.false_positive,
            }
        }
        let silent = -profile.miss * float(self.windows);
        100.0 * (sum + paid.iter().sum::<f64>() - silent) / (float(self.labelled) - silent)
    }
}

/// 2σ(−5x) − 1: 0.98661 at −1, 0 at 0, −1 far beyond.
fn sigmoid(position: f64) -> f64 {
    if position > 3.0 { -1.0 } else { 2.0 / (1.0 + (5.0 * position).exp()) - 1.0 }
}

fn float(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(rows: i64, windows: &[(i64, i64)]) -> DataFile {
        DataFile {
            path: "a/b.csv".to_owned(),
            stamps: Vec::new(),
            times: (0..rows).collect(),
            values: Vec::new(),
            windows: windows.to_vec(),
        }
    }

    fn best(scores: &[f64], windows: &[(i64, i64)]) -> f64 {
        let file = file(i64::try_from(scores.len()).expect("it is short"), windows);
        Sweep::new(std::iter::once((&file, scores))).best(&PROFILES[0]).score
    }

    fn scores(rows: usize, alarms: &[usize]) -> Vec<f64> {
        let mut scores = vec![0.0; rows];
        for row in alarms {
            scores[*row] = 1.0;
        }
        scores
    }

    #[test]
    fn the_left_edge_is_perfect_and_silence_is_nothing() {
        assert!((best(&scores(1000, &[500]), &[(500, 599)]) - 100.0).abs() < 1e-9);
        assert!(best(&vec![0.0; 1000], &[(500, 599)]).abs() < 1e-9);
    }

    #[test]
    fn only_the_first_detection_of_a_window_pays_and_each_false_one_costs() {
        let once = best(&scores(1000, &[550]), &[(500, 599)]);
        assert!((best(&scores(1000, &[550, 560]), &[(500, 599)]) - once).abs() < 1e-9);
        // A false positive far from every window costs 0.11 of the 2 between silence and perfection.
        let with_false = best(&scores(1000, &[300, 550]), &[(500, 599)]);
        assert!((once - with_false - 100.0 * 0.11 / 2.0).abs() < 1e-9);
    }

    #[test]
    fn probation_counts_for_nothing() {
        let plain = best(&scores(1000, &[500]), &[(500, 599)]);
        assert!((best(&scores(1000, &[100, 500]), &[(500, 599)]) - plain).abs() < 1e-9);
    }
}
