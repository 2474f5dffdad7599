//! The rules of control charts, for one side: values are in standard deviations, and larger is worse.
//!
//! Invariant: a rule's score exceeds 1 exactly when it fires, and its edge is the newest value from which on it would.

/// The longest pattern, in points.
pub(crate) const RUN_MAX: usize = 15;

/// One rule.
#[derive(Debug)]
pub(crate) struct Rule {
    name: &'static str,
    pattern: Pattern,
}

/// What a rule looks for.
#[derive(Debug, Clone, Copy)]
enum Pattern {
    /// So many of so many points beyond a limit, on one side.
    Beyond { of: usize, points: usize, limit: f64 },
    /// A run on one side of the centre.
    OneSide(usize),
    /// A run that only rises.
    Trend(usize),
    /// A run that rises and falls in turn.
    Alternating(usize),
    /// A run within one standard deviation, both sides.
    Hugging(usize),
    /// A run beyond one standard deviation, both sides.
    Avoiding(usize),
}

/// The four of the Western Electric handbook.
pub(crate) const WESTERN_ELECTRIC: [Rule; 4] = [
    rule("Western Electric rule 1, a point beyond 3 sigma: deviation", beyond(1, 1, 3.0)),
    rule("Western Electric rule 2, two of three points beyond 2 sigma: deviation", beyond(2, 3, 2.0)),
    rule("Western Electric rule 3, four of five points beyond 1 sigma: deviation", beyond(4, 5, 1.0)),
    rule("Western Electric rule 4, eight points in a row on one side: deviation", Pattern::OneSide(8)),
];

/// Nelson's eight.
pub(crate) const NELSON: [Rule; 8] = [
    rule("Nelson rule 1, a point beyond 3 sigma: deviation", beyond(1, 1, 3.0)),
    rule("Nelson rule 2, nine points in a row on one side: deviation", Pattern::OneSide(9)),
    rule("Nelson rule 3, six points in a row rising or falling: deviation", Pattern::Trend(6)),
    rule("Nelson rule 4, fourteen points in a row alternating: deviation", Pattern::Alternating(14)),
    rule("Nelson rule 5, two of three points beyond 2 sigma: deviation", beyond(2, 3, 2.0)),
    rule("Nelson rule 6, four of five points beyond 1 sigma: deviation", beyond(4, 5, 1.0)),
    rule("Nelson rule 7, fifteen points in a row within 1 sigma: deviation", Pattern::Hugging(15)),
    rule("Nelson rule 8, eight points in a row beyond 1 sigma: deviation", Pattern::Avoiding(8)),
];

const fn rule(name: &'static str, pattern: Pattern) -> Rule {
    Rule { name, pattern }
}

const fn beyond(of: usize, points: usize, limit: f64) -> Pattern {
    Pattern::Beyond { of, points, limit }
}

/// What the rules say together.
#[derive(Debug)]
pub(crate) struct Fired {
    /// The one with the highest score.
    pub(crate) name: &'static str,
    pub(crate) score: f64,
    /// The last newest value that would fire none; infinite where any would do.
    pub(crate) edge: f64,
}

/// Asks each rule about the last values, oldest first. Where the series does not vary, it does not vary too little.
pub(crate) fn strongest(rules: &'static [Rule], values: &[f64], varies: bool) -> Fired {
    let mut fired = Fired { name: "", score: 0.0, edge: f64::INFINITY };
    let Some((newest, before)) = values.split_last() else { return fired };
    for Rule { name, pattern } in rules {
        let (score, edge) = match *pattern {
            Pattern::Beyond { of, points, limit } => beyond_limit(*newest, before, of, points, limit),
            Pattern::OneSide(length) => {
                let run = length_of(values, |v| v > 0.0);
                (over(run, length - 1), if length_of(before, |v| v > 0.0) + 1 >= length { 0.0 } else { f64::INFINITY })
            }
            Pattern::Trend(length) => {
                let edge = if rising(before) + 1 >= length { before.last().copied() } else { None };
                (over(rising(values).saturating_sub(1), length - 2), edge.unwrap_or(f64::INFINITY))
            }
            Pattern::Alternating(length) if *newest >= 0.0 => {
                (over(alternating(values).saturating_sub(1), length - 2), f64::INFINITY)
            }
            Pattern::Hugging(length) if *newest >= 0.0 && varies => {
                (over(length_of(values, |v| v.abs() < 1.0), length - 1), f64::INFINITY)
            }
            Pattern::Avoiding(length) if *newest >= 0.0 => {
                let run = length_of(values, |v| v.abs() > 1.0);
                let edge = if length_of(before, |v| v.abs() > 1.0) + 1 >= length { 1.0 } else { f64::INFINITY };
                (over(run, length - 1), edge)
            }
            Pattern::Alternating(_) | Pattern::Hugging(_) | Pattern::Avoiding(_) => (0.0, f64::INFINITY),
        };
        fired.edge = fired.edge.min(edge);
        if score > fired.score {
            (fired.name, fired.score) = (name, score);
        }
    }
    fired
}

/// The newest and enough of those before it: the `of`-th largest decides.
fn beyond_limit(newest: f64, before: &[f64], of: usize, points: usize, limit: f64) -> (f64, f64) {
    let mut others = before.get(before.len().saturating_sub(points - 1)..).unwrap_or_default().to_vec();
    others.sort_by(|a, b| b.total_cmp(a));
    let weakest = match of.checked_sub(2) {
        None => f64::INFINITY,
        Some(index) => others.get(index).copied().unwrap_or(f64::NEG_INFINITY),
    };
    let edge = if weakest > limit { limit } else { f64::INFINITY };
    ((newest.min(weakest) / limit).max(0.0), edge)
}

fn length_of(values: &[f64], belongs: impl Fn(f64) -> bool) -> usize {
    values.iter().rev().take_while(|v| belongs(**v)).count()
}

/// Points of the last stretch that only rises.
fn rising(values: &[f64]) -> usize {
    let steps = values.windows(2).rev().take_while(|pair| matches!(pair, [a, b] if b > a)).count();
    steps + usize::from(!values.is_empty())
}

/// Points of the last stretch that turns at each point.
fn alternating(values: &[f64]) -> usize {
    let turns = |three: &&[f64]| matches!(three, [a, b, c] if (b > a && b > c) || (b < a && b < c));
    let turns = values.windows(3).rev().take_while(turns).count();
    let moves = matches!(values, [.., a, b] if (a - b).abs() > 0.0);
    turns + usize::from(moves) + usize::from(!values.is_empty())
}

/// A run against the longest usual one.
fn over(run: usize, usual: usize) -> f64 {
    let count = |n: usize| u32::try_from(n).map_or(f64::from(u32::MAX), f64::from);
    count(run) / count(usual.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which rules fire on the last of the values, by their numbers.
    #[track_caller]
    fn check(rules: &'static [Rule], values: &[f64], expected: &[usize]) {
        let fires = |rule: &usize| strongest(&rules[*rule..=*rule], values, true).score > 1.0;
        let numbers: Vec<usize> = (0..rules.len()).filter(fires).map(|rule| rule + 1).collect();
        assert_eq!(numbers, expected, "{values:?}");
    }

    #[test]
    fn western_electric_fires_at_the_point_that_completes_a_pattern() {
        check(&WESTERN_ELECTRIC, &[0.1, 3.1], &[1]);
        check(&WESTERN_ELECTRIC, &[0.1, 3.0], &[]);
        check(&WESTERN_ELECTRIC, &[0.1, -3.1], &[]);
        check(&WESTERN_ELECTRIC, &[2.1, 0.0, 2.1], &[2]);
        check(&WESTERN_ELECTRIC, &[2.1, 0.0, 0.0, 2.1], &[]);
        check(&WESTERN_ELECTRIC, &[2.1, 2.1, 0.0], &[]);
        check(&WESTERN_ELECTRIC, &[1.1, -1.0, 1.1, 1.1, 1.1], &[3]);
        check(&WESTERN_ELECTRIC, &[1.1, -1.0, -1.0, 1.1, 1.1, 1.1], &[]);
        check(&WESTERN_ELECTRIC, &[0.1; 7], &[]);
        check(&WESTERN_ELECTRIC, &[0.1; 8], &[4]);
        check(&WESTERN_ELECTRIC, &[0.0; 15], &[]);
    }

    #[test]
    fn nelson_fires_at_the_point_that_completes_a_pattern() {
        check(&NELSON, &[-0.1, 3.1], &[1]);
        check(&NELSON, &[0.2; 8], &[]);
        check(&NELSON, &[0.2; 9], &[2]);
        check(&NELSON, &[-3.0, -2.0, -1.0, 0.0, 0.5], &[]);
        check(&NELSON, &[-3.0, -2.0, -1.0, 0.0, 0.5, 0.6], &[3]);
        let zigzag: Vec<f64> = (0..14).map(|i| if i % 2 == 0 { -0.5 } else { 1.5 }).collect();
        check(&NELSON, &zigzag[1..], &[]);
        check(&NELSON, &zigzag, &[4]);
        check(&NELSON, &[2.1, 0.0, 2.1], &[5]);
        check(&NELSON, &[1.1, -1.5, 1.1, 1.1, 1.1], &[6]);
        let quiet: Vec<f64> = (0..15).map(|i| [0.5, 0.5, -0.5][i % 3]).rev().collect();
        check(&NELSON, &quiet[1..], &[]);
        check(&NELSON, &[&quiet[..14], &[0.4]].concat(), &[7]);
        let wide: Vec<f64> = (0..8).map(|i| [-1.5, -1.4, 1.5, 1.4][i % 4]).collect();
        check(&NELSON, &wide[1..], &[]);
        check(&NELSON, &wide, &[8]);
    }

    #[test]
    fn what_does_not_vary_does_not_vary_too_little() {
        assert!(strongest(&NELSON, &[0.0; 15], false).score.abs() < 1e-12);
    }

    #[test]
    fn the_edge_is_where_the_newest_point_begins_to_fire() {
        for values in [vec![0.1; 7], vec![2.5, 0.1], vec![1.5; 4], vec![-2.0, -1.0, 0.0, 0.5, 0.6], vec![1.2, -1.2]] {
            for rules in [&WESTERN_ELECTRIC[..], &NELSON[..]] {
                let mut values = values.clone();
                values.push(0.0);
                let edge = strongest(rules, &values, true).edge;
                for (off, fires) in [(0.0, false), (1e-6, true)] {
                    *values.last_mut().unwrap() = edge + off;
                    assert_eq!(strongest(rules, &values, true).score > 1.0, fires, "{values:?}");
                }
            }
        }
    }
}
