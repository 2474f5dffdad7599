//! Does what began last? A score tells where something begins, and forgets it within the hour; whoever looks later must
//! not be told that all is well.
//!
//! Invariant: what lasts is measured from where the series was before it began, so that it cannot become its own level.

use domain::Timestamp;

use crate::model::Lasting;

/// Points in a row that are back before it is over.
const BACK_POINTS: u32 = 3;

/// After so long it is what the series is like: a day.
const LASTS_SECS: i64 = 86_400;

/// The last alarm, while the series is off.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held(Option<Off>);

#[derive(Debug, Clone, Copy)]
struct Off {
    began: Timestamp,
    above: bool,
    /// The level before it began; from the season, where there was one.
    level: f64,
    seasonal: bool,
    /// The distance from there that would just have paged.
    size: f64,
    back: u32,
    /// Of the newest point: where it should have been, and its distance as a multiple of `size`.
    expected: f64,
    ratio: f64,
}

impl Held {
    /// Takes in a judged point. `center` is where it was expected, `season` the median of its time of day.
    pub(super) fn push(&mut self, at: Timestamp, value: f64, center: f64, season: Option<f64>, unusual: f64) {
        if let Some(off) = self.0 {
            self.0 = off.next(at, value, season);
        }
        let size = (value - center).abs() / unusual;
        if self.0.is_none() && unusual > 1.0 && size > 0.0 {
            self.0 = Some(Off {
                began: at,
                above: value > center,
                level: center - season.unwrap_or(0.0),
                seasonal: season.is_some(),
                size,
                back: 0,
                expected: center,
                ratio: unusual,
            });
        }
    }

    /// Whether the newest point is still off.
    pub(super) fn lasting(&self) -> Option<Lasting> {
        let off = self.0.filter(|off| off.ratio > 1.0)?;
        let sign = if off.above { 1.0 } else { -1.0 };
        Some(Lasting { above: off.above, score: off.ratio, edge: off.expected + sign * off.size, center: off.expected })
    }
}

impl Off {
    fn next(self, at: Timestamp, value: f64, season: Option<f64>) -> Option<Self> {
        let is_old = at.as_second() - self.began.as_second() > LASTS_SECS;
        if is_old || season.is_some() != self.seasonal {
            return None;
        }
        let expected = self.level + season.unwrap_or(0.0);
        let distance = if self.above { value - expected } else { expected - value };
        let ratio = distance / self.size;
        let back = if ratio > 1.0 { 0 } else { self.back + 1 };
        (back < BACK_POINTS).then_some(Self { back, expected, ratio, ..self })
    }
}
