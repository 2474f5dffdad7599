//! A metric's points as `CloudWatch` tells them over the SDK, and its refusals.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use config::{CloudwatchQuery, Query};
use domain::{Series, Timestamp};
use pipeline::ports::{MetricQuery, MetricReader, ReadError};
use stand_ins::prometheus::Shape;
use stand_ins::{Cloudwatch, Fault};
use tocsin_aws::CloudWatch;

/// 2026-11-20T10:00:00Z.
const START: i64 = 1_795_168_800;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_second(START + secs).unwrap()
}

fn metric(name: &str, endpoint: &str) -> Query {
    let [namespace, metric, stat] = ["AWS/SageMaker", name, "p95"].map(str::to_owned);
    let dimensions = [("EndpointName", endpoint), ("VariantName", "AllTraffic")];
    let dimensions = dimensions.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    Query::Cloudwatch(CloudwatchQuery { namespace, metric, stat, dimensions })
}

fn query(name: &str) -> MetricQuery {
    MetricQuery { query: metric(name, "chat"), total_query: None, start: at(-3600), end: at(0), step_secs: 60 }
}

fn rate(name: &str, total: &str) -> MetricQuery {
    MetricQuery { total_query: Some(metric(total, "chat")), ..query(name) }
}

async fn vendor() -> Cloudwatch {
    let vendor = Cloudwatch::start().await.unwrap();
    let dimensions = [("EndpointName", "chat"), ("VariantName", "AllTraffic")];
    let jump = Shape::Jump { level: 1.0, to: 4.0, since_secs_before_end: 60, noise: 0.0 };
    let holey = Shape::Gaps { level: 9.0, noise: 0.0, from_secs_before_end: 120, to_secs_before_end: 60 };
    for (name, shape) in [
        ("ModelLatency", jump),
        ("Invocations", Shape::Flat { level: 250.0, noise: 0.0 }),
        ("Holey", holey),
        ("Several", Shape::Several { series: 2, level: 1.0, noise: 0.0 }),
    ] {
        vendor.script("AWS/SageMaker", name, &dimensions, shape);
    }
    vendor
}

async fn ask(vendor: &Cloudwatch, query: &MetricQuery) -> Result<Series, ReadError> {
    let read = CloudWatch::local(&vendor.url()).read(query).await;
    if let Err(error) = &read {
        assert!(error.why.starts_with("CloudWatch: ") && !error.why.contains("canary"), "{}", error.why);
    }
    read
}

#[track_caller]
fn check(read: Result<Series, ReadError>, mention: &str) {
    let error = read.unwrap_err();
    assert!(error.why.contains(mention), "{}", error.why);
}

#[tokio::test]
async fn a_window_is_read_up_to_its_last_slot() {
    let vendor = vendor().await;
    let series = ask(&vendor, &query("ModelLatency")).await.unwrap();
    let points = series.points();
    assert_eq!((points.len(), points[0].at, points[60].at), (61, at(-3600), at(0)));
    assert_eq!((points[59].value, points[60].value), (1.0, 4.0));
    assert!(points.iter().all(|p| p.total.is_none()));
    assert_eq!(ask(&vendor, &query("Unknown")).await.unwrap().points(), []);
    let other = MetricQuery { query: metric("ModelLatency", "other"), ..query("") };
    assert_eq!(ask(&vendor, &other).await.unwrap().points(), [], "other dimensions are another metric");
}

#[tokio::test]
async fn a_gap_is_a_gap_and_so_is_a_missing_denominator() {
    let vendor = vendor().await;
    assert_eq!(ask(&vendor, &query("Holey")).await.unwrap().points().len(), 60);
    let whole = ask(&vendor, &rate("ModelLatency", "Invocations")).await.unwrap();
    assert!(whole.points().len() == 61 && whole.points().iter().all(|p| p.total == Some(250.0)));
    let holey = ask(&vendor, &rate("ModelLatency", "Holey")).await.unwrap();
    assert_eq!(holey.points().len(), 60);
    assert!(!holey.points().iter().any(|p| p.at == at(-60)));
    assert_eq!(ask(&vendor, &rate("ModelLatency", "Unknown")).await.unwrap().points(), []);
    assert_eq!(vendor.requests(), 4, "both are asked for in one call");
}

#[tokio::test]
async fn every_page_is_read() {
    let vendor = vendor().await;
    let whole = ask(&vendor, &rate("ModelLatency", "Holey")).await.unwrap();
    vendor.page_of(7);
    let before = vendor.requests();
    assert_eq!(ask(&vendor, &rate("ModelLatency", "Holey")).await.unwrap(), whole);
    assert_eq!(vendor.requests() - before, 9);
    vendor.page_of(1);
    check(ask(&vendor, &query("ModelLatency")).await, "more than 50 pages");
}

#[tokio::test]
async fn part_of_the_points_is_an_error_and_no_shorter_series() {
    let vendor = vendor().await;
    for (status, mention) in [
        ("PartialData", "part of the points is missing"),
        ("InternalError", "a fault of its own"),
        ("Forbidden", "may not read this metric"),
        ("Unheard", "a fault of its own"),
    ] {
        vendor.end_with(status);
        check(ask(&vendor, &query("ModelLatency")).await, mention);
        check(ask(&vendor, &rate("ModelLatency", "Invocations")).await, mention);
    }
    vendor.end_with("Complete");
    vendor.warn();
    check(ask(&vendor, &query("ModelLatency")).await, "carries a message and may be partial");
}

#[tokio::test]
async fn faults_are_told_and_answers_are_not() {
    let vendor = vendor().await;
    for (fault, mention) in [
        (Fault::status(429), "CloudWatch"),
        (Fault::status(500), "CloudWatch"),
        (Fault::Reset, "cannot be reached, or gave no answer"),
        (Fault::RefuseThenClose, "cannot be reached, or gave no answer"),
        (Fault::Garbage, "CloudWatch"),
    ] {
        vendor.faults().always(fault);
        check(ask(&vendor, &query("ModelLatency")).await, mention);
        vendor.faults().clear();
    }
    vendor.faults().next(1, Fault::status(500));
    assert_eq!(ask(&vendor, &query("ModelLatency")).await.unwrap().points().len(), 61, "one fault is tried again");
}

#[tokio::test]
async fn what_cloudwatch_refuses_is_named_and_not_quoted() {
    let vendor = vendor().await;
    let seven = MetricQuery { step_secs: 7, end: at(-3600 + 70), ..query("ModelLatency") };
    check(ask(&vendor, &seven).await, "the query is refused");
    let blank = MetricQuery { query: metric("ModelLatency", " "), ..query("") };
    check(ask(&vendor, &blank).await, "the query is refused");
    let before = vendor.requests();
    let foreign = MetricQuery { query: Query::Prometheus("up".to_owned()), ..query("") };
    check(ask(&vendor, &foreign).await, "one for prometheus");
    check(ask(&vendor, &MetricQuery { step_secs: 0, ..query("ModelLatency") }).await, "empty");
    check(ask(&vendor, &MetricQuery { end: at(-7200), ..query("ModelLatency") }).await, "empty");
    assert_eq!(vendor.requests(), before);
}
