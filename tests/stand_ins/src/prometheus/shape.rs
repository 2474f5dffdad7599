//! What a scripted series looks like.
//!
//! Invariant: a value depends on the query, the slot and the request's end alone; noise stays inside its amplitude.

use std::collections::BTreeMap;

use super::parameters::Range;

/// How far back a slot looks for its latest sample, in milliseconds: Prometheus' default of 5 minutes.
const LOOKBACK_MS: i64 = 300_000;

/// A series. Noise is an amplitude in the series' own unit: a value lies within plus or minus that much.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// As usual.
    Flat {
        /// Its usual value.
        level: f64,
        /// Its noise.
        noise: f64,
    },
    /// As usual, then at another level.
    Jump {
        /// The usual value.
        level: f64,
        /// The later one.
        to: f64,
        /// Seconds before the request's end at which it jumps.
        since_secs_before_end: i64,
        /// The noise of both.
        noise: f64,
    },
    /// Samples: unix seconds and value. A slot shows the latest one of its last 5 minutes.
    Points(Vec<(i64, f64)>),
    /// No series.
    Empty,
    /// As usual, with slots missing.
    Gaps {
        /// Its usual value.
        level: f64,
        /// Its noise.
        noise: f64,
        /// Seconds before the request's end at which slots begin to be missing.
        from_secs_before_end: i64,
        /// Seconds before the request's end at which they are there again.
        to_secs_before_end: i64,
    },
    /// Several flat series, told apart by their label `instance`.
    Several {
        /// How many.
        series: usize,
        /// The usual value of each.
        level: f64,
        /// The noise of each.
        noise: f64,
    },
}

type Labels = BTreeMap<&'static str, String>;

/// Milliseconds and value.
pub(crate) type Points = Vec<(i64, f64)>;

impl Shape {
    /// The series in a range: labels, then (milliseconds, value).
    pub(super) fn series(&self, query: &str, range: Range) -> Vec<(Labels, Points)> {
        let seed = hash(query);
        if let Self::Several { series, level, noise } = self {
            let one = |n: usize| {
                let name = format!("10.0.0.{n}:8000");
                let points = range.slots().map(|at| (at, noisy(*level, *noise, hash(&name) ^ seed, at))).collect();
                (Labels::from([("instance", name)]), points)
            };
            return (1..=*series).map(one).collect();
        }
        let points: Points = range.slots().filter_map(|at| Some((at, self.value(seed, at, range.end)?))).collect();
        if points.is_empty() { Vec::new() } else { vec![(Labels::new(), points)] }
    }

    /// The series in buckets that start from `start_ms` up to before `end_ms`: (milliseconds, value), by series.
    pub(crate) fn buckets(&self, query: &str, start_ms: i64, end_ms: i64, step_ms: i64) -> Vec<Points> {
        let range = Range { start: start_ms, end: end_ms.saturating_sub(1), step: step_ms.max(1) };
        self.series(query, range).into_iter().map(|(_, points)| points).collect()
    }

    fn value(&self, seed: u64, at_ms: i64, end_ms: i64) -> Option<f64> {
        let before_end = |secs: &i64| end_ms.saturating_sub(secs.saturating_mul(1000));
        match self {
            Self::Flat { level, noise } | Self::Several { level, noise, .. } => {
                Some(noisy(*level, *noise, seed, at_ms))
            }
            Self::Jump { level, to, since_secs_before_end, noise } => {
                let level = if at_ms >= before_end(since_secs_before_end) { to } else { level };
                Some(noisy(*level, *noise, seed, at_ms))
            }
            Self::Gaps { level, noise, from_secs_before_end, to_secs_before_end } => {
                let missing = before_end(from_secs_before_end)..before_end(to_secs_before_end);
                (!missing.contains(&at_ms)).then(|| noisy(*level, *noise, seed, at_ms))
            }
            Self::Points(points) => {
                let is_recent = |secs: i64| {
                    let age_ms = at_ms.saturating_sub(secs.saturating_mul(1000));
                    (0..LOOKBACK_MS).contains(&age_ms)
                };
                let latest = points.iter().filter(|(secs, _)| is_recent(*secs)).max_by_key(|(secs, _)| *secs);
                latest.map(|(_, value)| *value)
            }
            Self::Empty => None,
        }
    }
}

fn noisy(level: f64, noise: f64, seed: u64, at_ms: i64) -> f64 {
    let [a, b, c, d, ..] = mix(seed ^ at_ms.cast_unsigned()).to_le_bytes();
    let share = f64::from(u32::from_le_bytes([a, b, c, d])) / f64::from(u32::MAX);
    level + noise * (2.0 * share - 1.0)
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The finaliser of `SplitMix64`: neighbouring slots get values that have nothing in common.
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::{Range, Shape};

    const HOUR: Range = Range { start: 0, end: 3_600_000, step: 60_000 };

    fn values(shape: &Shape) -> Vec<(i64, f64)> {
        shape.series("up", HOUR).into_iter().flat_map(|(_, points)| points).collect()
    }

    #[test]
    fn noise_is_repeatable_bounded_and_not_constant() {
        let flat = Shape::Flat { level: 10.0, noise: 0.5 };
        let first = values(&flat);
        assert_eq!(first, values(&flat));
        assert_eq!(first.len(), 61);
        assert!(first.iter().all(|(_, value)| (9.5..=10.5).contains(value)));
        let mean = first.iter().map(|(_, value)| value).sum::<f64>() / 61.0;
        assert!((mean - 10.0).abs() < 0.15, "{mean}");
        assert!(first.windows(2).all(|pair| pair[0].1.to_bits() != pair[1].1.to_bits()));
    }

    #[test]
    fn a_jump_is_anchored_at_the_end() {
        let jump = Shape::Jump { level: 1.0, to: 5.0, since_secs_before_end: 600, noise: 0.0 };
        let after: Vec<i64> = values(&jump).into_iter().filter(|(_, v)| *v > 4.0).map(|(at, _)| at / 60_000).collect();
        assert_eq!(after, (50..=60).collect::<Vec<_>>());
    }

    #[test]
    fn gaps_are_absent_points() {
        let gaps = Shape::Gaps { level: 1.0, noise: 0.0, from_secs_before_end: 1800, to_secs_before_end: 600 };
        let missing: Vec<i64> =
            (0..=60).filter(|slot| !values(&gaps).iter().any(|(at, _)| at / 60_000 == *slot)).collect();
        assert_eq!(missing, (30..50).collect::<Vec<_>>());
    }

    #[test]
    fn a_sample_is_seen_for_five_minutes() {
        let points = Shape::Points(vec![(90, 2.0), (600, f64::INFINITY)]);
        let seen: Vec<i64> = values(&points).into_iter().map(|(at, _)| at / 60_000).collect();
        assert_eq!(seen, [2, 3, 4, 5, 6, 10, 11, 12, 13, 14]);
        assert!(values(&Shape::Empty).is_empty());
    }
}
