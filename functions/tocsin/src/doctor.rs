//! `tocsin doctor`: asks every vendor that the config names whether it is ready.
//!
//! Invariant: a question creates and changes nothing; all are asked at once, each under its own time limit; no secret is
//! shown. What has no credentials is not asked.

mod aws;
mod outside;
mod question;
mod receivers;

use std::time::Duration;

use config::secret_places;
use futures::future::join_all;
use serde_json::json;
use web::{Client, Sender, Timeouts};

use crate::cli::DoctorArgs;
use crate::example::{checked_config, config_text};
use crate::local::LocalEnvironment;
use crate::run::Answer;
use question::{Finding, Question};

/// Until a connection stands.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Asks, and prints a line for each answer.
pub(crate) async fn doctor(args: &DoctorArgs, say: &mut impl FnMut(String)) -> anyhow::Result<Answer> {
    let (_, text) = config_text(args.config.as_deref())?;
    let config = checked_config(args.config.as_deref())?;
    let total = Duration::from_secs(args.timeout);
    let client = Client::with_timeouts(Timeouts { connect: CONNECT_TIMEOUT.min(total), total })?;
    let sender = Sender::new(client);
    let environment = LocalEnvironment::new(&text);
    let places = secret_places(&text);
    let mut questions = receivers::questions(&config, &sender);
    questions.extend(outside::questions(&config, &sender));
    questions.extend(aws::questions(&config));
    let asked = questions.into_iter().map(|question| {
        let unset = without_credentials(&question.section, &places, environment.unset());
        answered(question, unset, total)
    });
    let answers = join_all(asked).await;
    if args.json {
        let checks = answers
            .iter()
            .map(|(what, finding)| json!({ "check": what, "state": finding.as_str(), "detail": finding.detail() }));
        say(json!({ "checks": checks.collect::<Vec<_>>() }).to_string());
    } else {
        let width = answers.iter().map(|(what, _)| what.chars().count()).max().unwrap_or_default();
        for (what, finding) in &answers {
            say(format!("{what:width$}  {:7}  {}", finding.as_str(), finding.detail()));
        }
        say(summary(&answers));
    }
    let failed = answers.iter().any(|(_, finding)| matches!(finding, Finding::Failed { .. }));
    Ok(if failed { Answer::No } else { Answer::Done })
}

/// `12 checks, 1 failed, 2 skipped`.
fn summary(answers: &[(String, Finding)]) -> String {
    let count = |fits: fn(&Finding) -> bool| answers.iter().filter(|(_, finding)| fits(finding)).count();
    let failed = count(|finding| matches!(finding, Finding::Failed { .. }));
    let skipped = count(|finding| matches!(finding, Finding::Skipped(_)));
    let all = answers.len();
    format!("{all} {}, {failed} failed, {skipped} skipped", if all == 1 { "check" } else { "checks" })
}

/// The variables of a section that are not set.
fn without_credentials(section: &str, places: &[(String, String)], unset: &[String]) -> Vec<String> {
    let below = |path: &str| path.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'));
    let mut names: Vec<String> = Vec::new();
    for (_, name) in places.iter().filter(|(path, name)| below(path) && unset.contains(name)) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

async fn answered(question: Question<'_>, unset: Vec<String>, total: Duration) -> (String, Finding) {
    if !unset.is_empty() {
        let why = format!("no credentials; set {}", unset.join(" and "));
        return (question.what, Finding::Skipped(why));
    }
    // Some questions are several requests, and an SDK tries again by itself.
    let finding = tokio::time::timeout(total.saturating_mul(2), question.asked).await;
    let finding =
        finding.unwrap_or_else(|_| Finding::failed("no answer in time", "look at the network, or give --timeout more"));
    (question.what, finding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts() {
        let skipped = || ("one".to_owned(), Finding::Skipped("no credentials".to_owned()));
        let failed = ("another".to_owned(), Finding::failed("no answer", "look"));
        assert_eq!(summary(&[failed, skipped(), skipped()]), "3 checks, 1 failed, 2 skipped");
        assert_eq!(summary(&[skipped()]), "1 check, 0 failed, 1 skipped");
    }

    #[test]
    fn only_what_a_section_itself_lacks_counts() {
        let places = [("receivers.a.token", "A"), ("receivers.ab.token", "B"), ("receivers.a.fields.x", "A")];
        let places = places.map(|(path, name)| (path.to_owned(), name.to_owned()));
        let unset = ["A".to_owned(), "B".to_owned()];
        assert_eq!(without_credentials("receivers.a", &places, &unset), ["A"]);
        assert_eq!(without_credentials("receivers.ab", &places, &unset), ["B"]);
        assert_eq!(without_credentials("receivers.b", &places, &unset), [""; 0]);
        assert_eq!(without_credentials("receivers.a", &places, &[]), [""; 0]);
    }
}
