//! The detectors by cases, by property and against the figures of other libraries.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod ab_test;
mod auto;
mod build;
mod burn_rate;
mod coverage;
mod drift;
mod panel;
mod params;
mod points;
mod properties;
mod rates;
mod recovery;
mod reference;
mod stream_figures;
mod streams;
mod two_sample;
