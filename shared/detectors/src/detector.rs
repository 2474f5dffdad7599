//! A detector with its parameters, ready to look at a series.
//!
//! Invariant: a [`Detector`] that exists has every parameter of its [`Spec`], each inside its bounds.

use std::collections::BTreeMap;

use domain::{Evidence, Point, Series, Timestamp, Verdict};

use crate::model;
use crate::spec::Method;
use crate::stream::{self, Stream};
use crate::{Direction, ParamError, Spec};

/// Events of a slot that is made up, and how many of them are hits.
const EVENTS: f64 = 1e6;
const HITS: f64 = 100.0;

/// What a rule says about the test, whatever the detector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// The rule's `for:`, in seconds: how long the metric must have been anomalous. Rounded up to whole slots, at
    /// least one.
    pub test_secs: u32,
    /// Smallest deviation that matters, in the metric's unit; 0 or less: any.
    pub min_effect: f64,
}

impl Window {
    /// Never negative, never NaN.
    pub(crate) fn min_effect(&self) -> f64 {
        self.min_effect.max(0.0)
    }
}

/// A detector with its parameters and its direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Detector {
    spec: &'static Spec,
    direction: Direction,
    params: BTreeMap<&'static str, f64>,
}

impl Detector {
    /// Checks `values` against the spec and fills in defaults.
    ///
    /// # Errors
    /// Every mistake at once: unknown, missing and out-of-range parameters, and a direction that does not fit.
    pub fn new(
        spec: &'static Spec,
        direction: Option<Direction>,
        values: &BTreeMap<String, f64>,
    ) -> Result<Self, Vec<ParamError>> {
        let unknown = values.keys().filter(|name| spec.params.iter().all(|p| p.name != name.as_str()));
        let mut mistakes: Vec<ParamError> = unknown
            .map(|name| ParamError::Unknown { detector: spec.name, param: name.clone(), allowed: spec.param_names() })
            .collect();
        let mut params = BTreeMap::new();
        for param in spec.params {
            let (detector, min, max) = (spec.name, param.min, param.max);
            match values.get(param.name).copied().or(param.default) {
                Some(value) if (min..=max).contains(&value) => {
                    params.insert(param.name, value);
                }
                Some(value) => mistakes.push(ParamError::OutOfRange { detector, param: param.name, value, min, max }),
                None => mistakes.push(ParamError::Missing { detector, param: param.name, doc: param.doc }),
            }
        }
        let made = Self { spec, direction: direction.unwrap_or(spec.default_direction), params };
        if let (true, Some(check)) = (mistakes.is_empty(), spec.check) {
            mistakes.extend(check(&made).err());
        }
        if mistakes.is_empty() { Ok(made) } else { Err(mistakes) }
    }

    /// Its name, as in config.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.spec.name
    }

    /// Which deviations count.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// A parameter's value. NaN for a name that the spec does not list, which ends as `Inconclusive`.
    pub(crate) fn param(&self, name: &str) -> f64 {
        self.params.get(name).copied().unwrap_or(f64::NAN)
    }

    /// A parameter that counts: its value, rounded down. There is no checked conversion from floats, so it is bisected.
    pub(crate) fn count(&self, name: &str) -> usize {
        let value = self.param(name);
        let largest = |known: u32, bit: u32| {
            let more = known | (1 << bit);
            if f64::from(more) <= value { more } else { known }
        };
        usize::try_from((0..u32::BITS).rev().fold(0, largest)).unwrap_or(usize::MAX)
    }

    /// Looks at a series.
    #[must_use]
    pub fn evaluate(&self, series: &Series, window: &Window) -> Evidence {
        match self.spec.method {
            Method::Windowed(evaluate) => evaluate(self, series, window),
            Method::Streaming(model) => model::evaluate(self, series, window, model(self, series.step_secs())),
        }
    }

    /// Why it could never decide in a rule that reads `window_secs` seconds before the tested ones, even without a gap;
    /// `None` where it could. `counted`: the points carry totals.
    #[must_use]
    pub fn shortage(&self, window_secs: u32, step_secs: u32, window: &Window, counted: bool) -> Option<String> {
        let step = i64::from(step_secs.max(1));
        let slots = (i64::from(window_secs) + i64::from(window.test_secs)) / step;
        if let Method::Streaming(model) = self.spec.method {
            let needed = model(self, step_secs.max(1)).points_min();
            let there = usize::try_from(i64::from(window_secs) / step).unwrap_or(usize::MAX);
            return (there < needed).then(|| format!("the baseline has only {there} of at least {needed} points"));
        }
        let time = |slot: i64| Timestamp::from_second(slot * step).ok();
        // Enough events that none is too few, and few hits; of values, two that alternate.
        let value = |slot: i64| if slot % 2 == 0 { HITS } else { HITS + 1.0 };
        let point = |slot| Some(Point { at: time(slot)?, value: value(slot), total: counted.then_some(EVENTS) });
        let series = Series::new(time(0)?, time(slots)?, step_secs, (0..=slots).filter_map(point).collect());
        let evidence = self.evaluate(&series, window);
        (evidence.verdict == Verdict::Inconclusive).then_some(evidence.because)
    }

    /// Looks at points as they come, one slot every `step_secs` seconds (0 counts as 1). What it says of a point is what
    /// [`Self::evaluate`] would say of the points up to that one, as far back as the stream remembers.
    #[must_use]
    pub fn stream(&self, step_secs: u32, window: Window) -> Box<dyn Stream> {
        let step_secs = step_secs.max(1);
        match self.spec.method {
            Method::Windowed(_) => Box::new(stream::Ring::new(self.clone(), step_secs, window)),
            Method::Streaming(model) => Box::new(model::Judge::new(self, step_secs, window, model(self, step_secs))),
        }
    }
}

/// For a detector with one limit: it looks to one side of it.
pub(crate) fn check_one_sided(detector: &Detector) -> Result<(), ParamError> {
    match detector.direction {
        Direction::Above | Direction::Below => Ok(()),
        Direction::Both => Err(ParamError::OneSided { detector: detector.name() }),
    }
}
