//! What is sent, and when the functions are killed: all of it follows from the seed.
//!
//! Invariant: a problem has at most [`ALERTS_A_PROBLEM_MAX`] alerts, so that its incident remembers each by its id and
//! every single one can be looked for afterwards.

use fastrand::Rng;

/// Firing and clearing alerts of one problem, at most: half of what an incident remembers, since an alert that was taken
/// and not answered is sent again.
pub(crate) const ALERTS_A_PROBLEM_MAX: usize = 32;

/// Alerts in one body.
const BATCH_MAX: usize = 20;

/// One alert to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Planned {
    /// Which problem, from 0.
    pub(crate) problem: usize,
    /// Firing, or cleared.
    pub(crate) firing: bool,
    /// Critical, or error: a problem may become worse.
    pub(crate) critical: bool,
}

/// A seeded storm.
pub(crate) struct Plan {
    /// Bodies in the order in which they are sent.
    pub(crate) bodies: Vec<Vec<Planned>>,
    /// Alerts over all bodies.
    pub(crate) alerts: usize,
    /// Problems with at least one alert.
    pub(crate) problems: usize,
    /// After so many sent alerts, each, the functions are killed.
    pub(crate) kills_while_sending: Vec<usize>,
    /// So many milliseconds after the kill before, or after the last alert, each, they are killed again.
    pub(crate) kills_while_draining_ms: Vec<u64>,
}

impl Plan {
    /// Of `alerts` over `problems`, with `kills`, two thirds of them while alerts are sent.
    pub(crate) fn new(alerts: usize, problems: usize, kills: usize, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut timed: Vec<(u32, Planned)> = Vec::with_capacity(alerts);
        for problem in 0..problems {
            let count = (alerts * (problem + 1) / problems) - (alerts * problem / problems);
            let mut moments: Vec<u32> = (0..count).map(|_| rng.u32(..)).collect();
            moments.sort_unstable();
            let clears = clears(count, &mut rng);
            let worse_from = if rng.u8(..4) == 0 { rng.usize(..count.max(1)) } else { count };
            timed.extend(moments.into_iter().enumerate().map(|(at, time)| {
                (time, Planned { problem, firing: !clears.contains(&at), critical: at >= worse_from })
            }));
        }
        timed.sort_by_key(|(time, _)| *time);
        let while_sending = kills * 2 / 3;
        let mut kills_while_sending: Vec<usize> = (0..while_sending).map(|_| rng.usize(..alerts.max(1))).collect();
        kills_while_sending.sort_unstable();
        let kills_while_draining_ms = (while_sending..kills).map(|_| rng.u64(500..5000)).collect();
        let planned = timed.into_iter().map(|(_, planned)| planned).collect();
        let bodies = batches(planned, &mut rng);
        Self { bodies, alerts, problems, kills_while_sending, kills_while_draining_ms }
    }
}

/// Which of a problem's alerts are clears: none before the first firing one, and mostly one or two.
fn clears(count: usize, rng: &mut Rng) -> Vec<usize> {
    if count < 2 {
        return Vec::new();
    }
    let mut clears: Vec<usize> = (0..rng.usize(..3)).map(|_| rng.usize(1..count)).collect();
    if rng.bool() {
        clears.push(count - 1);
    }
    clears
}

/// Half of the bodies hold one alert, the others up to [`BATCH_MAX`].
fn batches(planned: Vec<Planned>, rng: &mut Rng) -> Vec<Vec<Planned>> {
    let mut bodies = Vec::new();
    let mut rest = planned.into_iter().peekable();
    while rest.peek().is_some() {
        let size = if rng.bool() { 1 } else { rng.usize(2..=BATCH_MAX) };
        bodies.push(rest.by_ref().take(size).collect());
    }
    bodies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_storm_of_the_size_asked_for() {
        let (one, same, other) = (Plan::new(1000, 70, 9, 1), Plan::new(1000, 70, 9, 1), Plan::new(1000, 70, 9, 2));
        assert_eq!((&one.bodies, &one.kills_while_sending), (&same.bodies, &same.kills_while_sending));
        assert_ne!(one.bodies, other.bodies);
        let sent: Vec<&Planned> = one.bodies.iter().flatten().collect();
        assert_eq!(sent.len(), 1000);
        assert_eq!(one.kills_while_sending.len() + one.kills_while_draining_ms.len(), 9);
        let of_problem = |problem| sent.iter().filter(move |p| p.problem == problem);
        for problem in 0..70 {
            assert!((14..=15).contains(&of_problem(problem).count()));
            assert!(of_problem(problem).next().is_some_and(|first| first.firing));
        }
        assert!(sent.iter().any(|p| !p.firing) && sent.iter().any(|p| p.critical));
        assert!(one.bodies.iter().all(|body| (1..=BATCH_MAX).contains(&body.len())));
    }
}
