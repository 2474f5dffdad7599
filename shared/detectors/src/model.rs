//! Streaming detectors: what they share.
//!
//! Invariant: a model judges a value by its state before that value, then learns it; direction and `min_effect` are
//! judged here alone; a number too large to compute with never enters a model.

use std::collections::VecDeque;

use domain::{Band, Evidence, Point, Series, Timestamp, Verdict};

use crate::band::{GAUGED_MIN, inconclusive};
use crate::cut::{self, Cut};
use crate::score::SCORE_MAX;
use crate::sentence::{counted, short, stands};
use crate::stream::{HELD_POINTS_MAX, Scored, Stream};
use crate::{Detector, Direction, Window};

/// Values beyond this magnitude are not judged: their squares would overflow. 10¹⁵⁰.
const MAGNITUDE_MAX: f64 = 1e150;

/// A streaming detector's state.
pub(crate) trait Model: Send {
    /// Points before which nothing is said.
    fn points_min(&self) -> usize;

    /// Whether it marks where something begins, so that one tested point beyond its edge is enough.
    fn tells_onsets(&self) -> bool {
        false
    }

    /// For a model that marks where something begins: whether it lasts at the newest value.
    fn lasting(&self) -> Option<Lasting> {
        None
    }

    /// Judges a finite value by what was before, then learns it. Times strictly increase; what lies between two is a gap.
    /// `None` while it learns.
    fn push(&mut self, at: Timestamp, value: f64) -> Option<Finding>;
}

/// What a model says of one value, before direction and `min_effect`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finding {
    pub(crate) below: Side,
    pub(crate) above: Side,
    pub(crate) gauge: Gauge,
}

/// What began earlier and is still off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lasting {
    pub(crate) above: bool,
    /// As of a [`Side`].
    pub(crate) score: f64,
    /// As of a [`Side`].
    pub(crate) edge: f64,
    /// Where the value was expected.
    pub(crate) center: f64,
}

impl Finding {
    /// With what lasts, where that is further off.
    fn with(mut self, value: f64, lasting: Option<Lasting>) -> Self {
        let Some(Lasting { above, score, edge, center }) = lasting else { return self };
        let (side, sign) = if above { (&mut self.above, 1.0) } else { (&mut self.below, -1.0) };
        if score > side.score && score.is_finite() {
            *side = Side { score, edge, effect: sign * (value - center), gain: 1.0 };
            self.gauge.value = score;
        }
        self
    }
}

/// One side of what is usual.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Side {
    /// How unusual: 1.0 at the edge, more beyond it.
    pub(crate) score: f64,
    /// The last usual value; not finite where there is none.
    pub(crate) edge: f64,
    /// What is compared with `min_effect`, in the metric's unit, counted towards this side.
    pub(crate) effect: f64,
    /// By how much the effect grows with the value: 1 where the effect is a distance.
    pub(crate) gain: f64,
}

/// A deviation in the detector's own unit: `CUSUM 6.2 sigma`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gauge {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
    pub(crate) suffix: &'static str,
}

/// A judged value.
#[derive(Debug, Clone, Copy)]
struct Judged {
    value: f64,
    score: f64,
    beyond: Option<Direction>,
    expected: Band,
    widened: bool,
    gauge: Gauge,
}

impl Judged {
    fn new(value: f64, finding: &Finding, direction: Direction, min_effect: f64) -> Option<Self> {
        let unbounded = Band { low: None, high: None };
        let mut judged =
            Self { value, score: 0.0, beyond: None, expected: unbounded, widened: false, gauge: finding.gauge };
        if direction != Direction::Above {
            let edge = judged.weigh(&finding.below, Direction::Below, min_effect)?;
            judged.expected.low = Some(edge).filter(|edge| edge.is_finite());
        }
        if direction != Direction::Below {
            let edge = judged.weigh(&finding.above, Direction::Above, min_effect)?;
            judged.expected.high = Some(edge).filter(|edge| edge.is_finite());
        }
        Some(judged)
    }

    fn verdict(&self) -> Verdict {
        if self.beyond.is_some() { Verdict::Confirmed } else { Verdict::Rejected }
    }

    /// Takes one side into account and gives its edge; `None` where the numbers overflowed.
    fn weigh(&mut self, side: &Side, direction: Direction, min_effect: f64) -> Option<f64> {
        if side.score.is_nan() || !side.effect.is_finite() || min_effect.is_infinite() {
            return None;
        }
        let capped = if min_effect > 0.0 { side.score.min(side.effect / min_effect) } else { side.score };
        let score = capped.clamp(0.0, SCORE_MAX);
        if side.score > 1.0
            && (min_effect <= 0.0 || side.effect >= min_effect)
            && (self.beyond.is_none() || score > self.score)
        {
            self.beyond = Some(direction);
        }
        self.score = self.score.max(score);
        let sign = if direction == Direction::Below { -1.0 } else { 1.0 };
        let (edge, effective) = (sign * side.edge, sign * self.value + (min_effect - side.effect) / side.gain);
        if min_effect > 0.0 && effective > edge {
            self.widened = true;
            return Some(sign * effective);
        }
        Some(side.edge)
    }
}

/// A tested point; `None`: it could not be judged.
#[derive(Debug, Clone, Copy)]
struct Tested {
    at: Timestamp,
    judged: Option<Judged>,
}

/// The tested point that decides, if each could be judged: of onsets the furthest, else the closest to usual.
fn deciding<'a>(tested: impl Iterator<Item = &'a Tested>, onsets: bool) -> Option<Judged> {
    let mut all: Option<Judged> = None;
    for Tested { judged, .. } in tested {
        let judged = judged.as_ref()?;
        // Beyond the edge comes first: a score of exactly 1 may be either.
        let key = |judged: &Judged| (judged.beyond.is_some(), judged.score);
        let decides =
            all.as_ref().is_none_or(|all| if onsets { key(judged) > key(all) } else { key(judged) < key(all) });
        if decides {
            all = Some(*judged);
        }
    }
    all
}

/// A model with a rule's window.
pub(crate) struct Judge {
    model: Box<dyn Model>,
    direction: Direction,
    min_effect: f64,
    step_secs: u32,
    test_secs: u32,
    /// Whether what began earlier and lasts counts.
    lasting: bool,
    last: Option<Timestamp>,
    tested: VecDeque<Tested>,
}

impl Judge {
    pub(crate) fn new(detector: &Detector, step_secs: u32, window: Window, model: Box<dyn Model>) -> Self {
        let test_secs = cut::test_secs(&window, step_secs);
        Self {
            model,
            direction: detector.direction(),
            min_effect: window.min_effect(),
            step_secs,
            test_secs,
            lasting: test_secs > step_secs,
            last: None,
            tested: VecDeque::new(),
        }
    }

    fn judge(&mut self, at: Timestamp, value: f64) -> Option<Judged> {
        if !is_computable(value) {
            return None;
        }
        let found = self.model.push(at, value)?;
        let finding = if self.lasting { found.with(value, self.model.lasting()) } else { found };
        Judged::new(value, &finding, self.direction, self.min_effect)
    }

    fn is_covered(&self, now: Timestamp) -> bool {
        let slots = usize::try_from(self.test_secs / self.step_secs).unwrap_or(usize::MAX);
        let slot = |tested: &Tested| (now.as_second() - tested.at.as_second()) / i64::from(self.step_secs);
        let mut covered: Vec<i64> = self.tested.iter().map(slot).collect();
        covered.dedup();
        cut::covers_test(covered.len().min(slots), slots)
    }
}

impl Stream for Judge {
    fn push(&mut self, point: &Point) -> Option<Scored> {
        if self.last.is_some_and(|last| last >= point.at) {
            return None;
        }
        let value =
            cut::reading(point).filter(|_| point.value.is_finite() && point.total.is_none_or(f64::is_finite))?;
        self.last = Some(point.at);
        let judged = self.judge(point.at, value);
        let oldest_secs = point.at.as_second() - i64::from(self.test_secs);
        while self.tested.len() >= HELD_POINTS_MAX
            || self.tested.front().is_some_and(|t| t.at.as_second() <= oldest_secs)
        {
            self.tested.pop_front();
        }
        self.tested.push_back(Tested { at: point.at, judged });
        let onsets = self.model.tells_onsets();
        let decides = deciding(self.tested.iter(), onsets).filter(|_| self.is_covered(point.at))?;
        let shown = if onsets { decides } else { judged? };
        Some(Scored { value: shown.value, score: decides.score, verdict: decides.verdict(), expected: shown.expected })
    }
}

fn is_computable(value: f64) -> bool {
    value.abs() <= MAGNITUDE_MAX
}

/// Runs a model over a whole series and judges the tested points. These enter the model as they come.
pub(crate) fn evaluate(detector: &Detector, series: &Series, window: &Window, model: Box<dyn Model>) -> Evidence {
    let points_min = model.points_min();
    let cut = cut::cut(series, window, Some(points_min), cut::reading);
    if let Some(because) = &cut.shortage {
        return inconclusive(detector, &cut, because);
    }
    let mut judge = Judge { lasting: true, ..Judge::new(detector, series.step_secs(), *window, model) };
    let mut tested = Vec::with_capacity(cut.tested.len());
    for (read, point) in series.points().iter().filter(|p| cut::reading(p).is_some()).enumerate() {
        let judged = cut::reading(point).and_then(|value| judge.judge(point.at, value));
        if read >= cut.baseline.len() {
            tested.push(Tested { at: point.at, judged });
        }
    }
    let onsets = judge.model.tells_onsets();
    let newest = tested.last().and_then(|t| t.judged);
    let (Some(decides), Some(newest)) = (deciding(tested.iter(), onsets), newest) else {
        let too_large = cut.tested.iter().any(|s| !is_computable(s.reading));
        let because = if too_large { "the numbers are too large to compare" } else { "it has not learned enough yet" };
        return inconclusive(detector, &cut, because);
    };
    let is_beyond = |t: &&Tested| t.judged.is_some_and(|j| j.beyond.is_some());
    let shown = if onsets { decides } else { newest };
    let since = if onsets { tested.iter().find(is_beyond) } else { tested.iter().rev().take_while(is_beyond).last() };
    Evidence {
        verdict: decides.verdict(),
        score: Some(decides.score),
        value: Some(shown.value),
        expected: Some(shown.expected),
        since: since.map(|t| t.at),
        ..inconclusive(detector, &cut, &explain(&cut, &shown, tested.iter().filter(is_beyond).count()))
    }
}

fn explain(cut: &Cut<f64>, judged: &Judged, beyond: usize) -> String {
    let value = judged.value;
    let tested = cut.tested.len();
    let run = match (tested, tested - beyond) {
        (1, _) => String::new(),
        (_, 0) => format!(" at all {tested} tested points"),
        _ => format!(", with {beyond} of {tested} tested points beyond it"),
    };
    let gauged = if judged.gauge.value.abs() < GAUGED_MIN { 0.0 } else { judged.gauge.value };
    let mut notes = vec![format!("{} learned", counted(cut.baseline.len(), "point"))];
    if gauged.is_finite() {
        notes.push(format!("{} {}{}", judged.gauge.name, short(gauged), judged.gauge.suffix));
    }
    if judged.widened {
        notes.push("widened to min_effect".to_owned());
    }
    format!("{} {}{run} ({})", short(value), stands(judged.beyond, judged.expected), notes.join(", "))
}
