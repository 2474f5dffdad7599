//! `tocsin detect` as a user runs it.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Exit status, standard output, standard error.
fn detect(arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tocsin"))
        .arg("detect")
        .args(arguments)
        .env_remove("TOCSIN_CONFIG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_owned();
    // It may refuse its options before it reads.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("it does not panic");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// A minute a row; around 10, and 30 in the last rows.
fn series(usual: u32, unusual: u32) -> String {
    let mut text = "timestamp,value\n".to_owned();
    for minute in 0..usual + unusual {
        let noise = f64::from(minute * 7919 % 101) / 101.0;
        let value = if minute < usual { 10.0 + noise } else { 30.0 };
        writeln!(text, "{},{value}", 1_760_000_000 + u64::from(minute) * 60).expect("a string takes it");
    }
    text
}

#[test]
fn every_point_has_a_row_and_what_is_anomalous_has_one_or_more() {
    let input = series(200, 3);
    let (status, output, errors) = detect(&["--detector", "robust_z", "--param", "z=6"], &input);
    assert_eq!((status, errors.as_str()), (0, ""));
    let rows: Vec<Vec<&str>> = output.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0], ["timestamp", "value", "anomaly_score", "verdict"]);
    assert_eq!(rows.len(), input.lines().count());
    for (row, point) in rows.iter().zip(input.lines()).skip(1) {
        assert_eq!(format!("{},{}", row[0], row[1]), point);
        let (score, verdict) = (row[2].parse::<f64>().expect("a number"), row[3]);
        let fits = match verdict {
            "confirmed" => score >= 1.0,
            "rejected" => (0.0..=1.0).contains(&score),
            "inconclusive" => score == 0.0,
            _ => false,
        };
        assert!(fits, "{row:?}");
    }
    let verdicts: Vec<&str> = rows.iter().skip(1).map(|row| row[3]).collect();
    assert!(verdicts[..20].iter().all(|verdict| *verdict == "inconclusive"), "it learns");
    assert!(verdicts[20..200].iter().all(|verdict| *verdict == "rejected"));
    assert!(verdicts[200..].iter().all(|verdict| *verdict == "confirmed"));
}

#[test]
fn a_row_depends_on_no_later_row() {
    let whole = series(150, 20);
    for spec in detectors::ALL {
        let given: Vec<String> = match spec.name {
            "threshold" => vec!["limit=20".to_owned()],
            "relative_change" => vec!["percent=50".to_owned()],
            "rate_in_window" => vec!["rate=0.5".to_owned()],
            "burn_rate" => vec!["objective=0.99".to_owned()],
            "drift" => vec!["psi=0.25".to_owned()],
            _ => {
                let needed = spec.params.iter().filter(|param| param.default.is_none());
                needed.map(|param| format!("{}={}", param.name, 1.0_f64.clamp(param.min, param.max))).collect()
            }
        };
        let mut arguments = vec!["--detector", spec.name];
        arguments.extend(given.iter().flat_map(|param| ["--param", param.as_str()]));
        let (status, output, errors) = detect(&arguments, &whole);
        assert_eq!(status, 0, "{}: {errors}", spec.name);
        for rows in [1, 2, 60, 155] {
            let part: String = whole.split_inclusive('\n').take(rows + 1).collect();
            let (_, of_part, _) = detect(&arguments, &part);
            assert!(output.starts_with(&of_part) && of_part.lines().count() == rows + 1, "{}, {rows} rows", spec.name);
        }
    }
}

#[test]
fn a_rule_of_the_config_brings_its_detectors_and_its_for() {
    let tenths = series(100, 8).replace(",10.", ",1.").replace(",30", ",3");
    let (status, output, _) = detect(&["--rule", "latency"], &tenths);
    assert_eq!(status, 0);
    let verdicts: Vec<&str> = output.lines().skip(1).filter_map(|line| line.rsplit(',').next()).collect();
    // Any of robust_z and threshold, for 5 m: four of five slots will do.
    let first = verdicts.iter().position(|verdict| *verdict == "confirmed");
    assert_eq!(first, Some(104), "{verdicts:?}");
}

#[test]
fn who_names_no_detector_gets_auto() {
    let (named, unnamed) = (detect(&["--detector", "auto"], &series(300, 5)), detect(&[], &series(300, 5)));
    assert_eq!(named, unnamed);
    assert_eq!((unnamed.0, unnamed.1.lines().count()), (0, 306));
}

#[test]
fn gaps_and_clocks_that_are_put_back_lose_no_row() {
    let input = "value,timestamp,total\n1,2026-10-25T02:58:00Z,10\n2,2026-10-25T02:59:00Z,10\n,2026-10-25T02:00:00Z,10\n\
                 NaN,2026-10-25 02:01:00,10\n5,1792893720,0\n9,1792893780000,\n9,\"2026-10-25T02:04:00Z\",10\n";
    let (status, output, errors) = detect(&["--detector", "threshold", "--param", "limit=0.5"], input);
    assert_eq!((status, errors.as_str()), (0, ""));
    let verdicts: Vec<&str> = output.lines().skip(1).filter_map(|line| line.rsplit(',').next()).collect();
    let expected =
        ["rejected", "rejected", "inconclusive", "inconclusive", "inconclusive", "inconclusive", "confirmed"];
    assert_eq!(verdicts, expected);
}

#[track_caller]
fn check_refused(arguments: &[&str], input: &str, mention: &[&str]) {
    let (status, _, errors) = detect(arguments, input);
    assert_eq!(status, 2, "{errors}");
    assert!(mention.iter().all(|part| errors.contains(part)), "{errors}");
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place_and_mend() {
    let threshold = ["--detector", "threshold", "--param", "limit=3"];
    check_refused(&threshold, "time,value\n", &["line 1", "timestamp,value"]);
    check_refused(&threshold, "timestamp,value\n1,2\n2,two\n", &["line 3", "`two`", "gap"]);
    check_refused(&threshold, "timestamp,value\nyesterday,2\n", &["line 2", "`yesterday`", "unix seconds"]);
    check_refused(&threshold, "timestamp,value\n1,2,3\n", &["line 2", "3 fields"]);
    check_refused(&threshold, "timestamp,value\n1e300,2\n", &["line 2"]);
    check_refused(&["--detector", "thresold"], "", &["`thresold`", "threshold"]);
    check_refused(&["--detector", "threshold"], "", &["limit"]);
    check_refused(&["--detector", "threshold", "--param", "limit"], "", &["name=number"]);
    check_refused(&["--detector", "robust_z", "--direction", "up"], "", &["above, below or both"]);
    check_refused(&["--rule", "latency", "--detector", "robust_z"], "", &["--rule"]);
    check_refused(&["--rule", "none-such"], "", &["none-such"]);
    check_refused(&["--rule", "quality"], "", &["quality", "confirm:"]);
    check_refused(&["--param", "z=3"], "", &["auto", "`z`"]);
    check_refused(&["--detector", "robust_z", "none-such.csv"], "", &["none-such.csv"]);
}
