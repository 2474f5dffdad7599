//! What a detector is called, which parameters it takes, and what may be wrong with them.
//!
//! Invariant: every parameter has a unit and bounds, and every mistake names the parameter.

use domain::{Evidence, Series};
use thiserror::Error;

use crate::model::Model;
use crate::{Detector, Direction, Window};

/// One parameter of a detector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ParamSpec {
    /// Its name in config.
    pub name: &'static str,
    /// What it is where config says nothing; `None`: it must be given.
    pub default: Option<f64>,
    /// Smallest value allowed.
    pub min: f64,
    /// Largest value allowed.
    pub max: f64,
    /// What it does, with its unit.
    pub doc: &'static str,
}

/// The parameter that all detectors with a spread take.
pub(crate) const RESOLUTION: ParamSpec = ParamSpec {
    name: "resolution",
    default: Some(0.0),
    min: 0.0,
    max: 1e15,
    doc: "smallest step that the metric can take, in its unit; the spread is never below it",
};

/// The parameter of detectors that learn what is usual from the last points.
pub(crate) const MEMORY: ParamSpec = ParamSpec {
    name: "memory",
    default: Some(1_440.0),
    min: 60.0,
    max: 10_080.0,
    doc: "points over which location and spread are learned",
};

/// A check over direction and parameters together.
pub(crate) type Check = fn(&Detector) -> Result<(), ParamError>;

/// How a detector works.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Method {
    /// It looks at a bounded series as a whole.
    Windowed(fn(&Detector, &Series, &Window) -> Evidence),
    /// It takes one point after the other; made from the detector and the step in seconds.
    Streaming(fn(&Detector, u32) -> Box<dyn Model>),
}

/// One detector as config knows it. Two are equal when their names are.
#[derive(Debug, Clone, Copy)]
pub struct Spec {
    /// Its name in config.
    pub name: &'static str,
    /// Which deviations count where config says nothing.
    pub default_direction: Direction,
    /// Its parameters.
    pub params: &'static [ParamSpec],
    /// What bounds alone cannot say about direction and parameters.
    pub(crate) check: Option<Check>,
    pub(crate) method: Method,
}

impl PartialEq for Spec {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Spec {}

impl Spec {
    /// The names of its parameters, for a message.
    pub(crate) fn param_names(&self) -> String {
        let names: Vec<&str> = self.params.iter().map(|p| p.name).collect();
        names.join(", ")
    }
}

/// A detector cannot be made of what config gives.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ParamError {
    /// It has no such parameter.
    #[error("{detector} has no parameter `{param}`: it takes {allowed}")]
    Unknown {
        /// The detector.
        detector: &'static str,
        /// The parameter given.
        param: String,
        /// The parameters it has, joined by commas.
        allowed: String,
    },
    /// It cannot do without.
    #[error("{detector} needs `{param}`: {doc}")]
    Missing {
        /// The detector.
        detector: &'static str,
        /// The parameter; where one of several will do, the first.
        param: &'static str,
        /// What to give.
        doc: &'static str,
    },
    /// It is too small, too large or no number.
    #[error("`{param}` of {detector} is {value:?}: it must be between {min:?} and {max:?}")]
    OutOfRange {
        /// The detector.
        detector: &'static str,
        /// The parameter.
        param: &'static str,
        /// What was given.
        value: f64,
        /// Smallest value allowed.
        min: f64,
        /// Largest value allowed.
        max: f64,
    },
    /// It is none of the values that mean something.
    #[error("`{param}` of {detector} must be {choices}")]
    NoChoice {
        /// The detector.
        detector: &'static str,
        /// The parameter.
        param: &'static str,
        /// What to give.
        choices: &'static str,
    },
    /// It has one limit and cannot look to both sides of it.
    #[error("`direction` of {detector} is both, but it has one limit: use above or below, or two detectors")]
    OneSided {
        /// The detector.
        detector: &'static str,
    },
    /// It compares whole distributions, which have no side.
    #[error("`direction` of {detector} is {direction}, but a distribution has no side: leave it out")]
    NoSide {
        /// The detector.
        detector: &'static str,
        /// What was given.
        direction: Direction,
    },
}
