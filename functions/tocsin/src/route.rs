//! `tocsin route`: which rule an alert comes to, whom it tells, and why; or a file of such cases as a test.
//!
//! Invariant: it asks the same config that triage asks, and nothing outside: silences in the table are not seen, nor open
//! incidents that would explain the alert.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, bail};
use config::{CaseAlert, Config, Expected, Recipients, Route};
use domain::{Alert, Fingerprint, Reason, Timestamp};
use pipeline::SystemClock;
use pipeline::ports::Clock;
use serde_json::{Value, json};

use crate::cli::RouteArgs;
use crate::example::checked_config;
use crate::local::LocalEnvironment;
use crate::rehearsal::decode_file;
use crate::run::Answer;

/// What becomes of an alert.
struct Routed<'c> {
    route: Route<'c>,
    recipients: Recipients<'c>,
    muted: Option<Reason>,
    alert: Alert,
}

/// Prints where an event goes, or how each case of a file fared.
pub(crate) fn route(args: &RouteArgs, say: &mut impl FnMut(String)) -> anyhow::Result<Answer> {
    let config = checked_config(args.config.as_deref())?;
    let at = args.at.unwrap_or_else(|| SystemClock.now());
    match (&args.event, &args.cases) {
        (Some(event), _) => event_route(event, args, &config, at, say),
        (_, Some(cases)) => case_routes(cases, args, &config, at, say),
        _ => bail!("name an event or cases: --event FILE or --cases FILE"),
    }
}

fn event_route(
    event: &Path,
    args: &RouteArgs,
    config: &Config,
    at: Timestamp,
    say: &mut impl FnMut(String),
) -> anyhow::Result<Answer> {
    let expected = args.expect.as_ref().map(|names| Expected { receivers: Some(names.clone()), ..Expected::default() });
    let mut answer = Answer::Done;
    for (index, alert) in decode_file(event, args.source.as_deref(), config, at)?.into_iter().enumerate() {
        let routed = routed(config, alert, at);
        if args.json {
            say(routed.json(config).to_string());
        } else {
            if index > 0 {
                say(String::new());
            }
            routed.lines(config).into_iter().for_each(&mut *say);
        }
        for line in expected.iter().flat_map(|expected| routed.differs(expected)) {
            say(format!("not as expected: {line}"));
            answer = Answer::No;
        }
    }
    Ok(answer)
}

fn case_routes(
    file: &Path,
    args: &RouteArgs,
    config: &Config,
    now: Timestamp,
    say: &mut impl FnMut(String),
) -> anyhow::Result<Answer> {
    let shown = file.display();
    let text =
        std::fs::read_to_string(file).with_context(|| format!("{shown}: cannot be read; give a file of cases"))?;
    let cases = config::load_cases(&text, &LocalEnvironment::new(&text)).map_err(|mistakes| {
        let lines: Vec<String> = mistakes.iter().map(|mistake| format!("{shown}:{mistake}")).collect();
        anyhow::anyhow!(lines.join("\n"))
    })?;
    let mut failed = 0;
    for case in &cases {
        let at = case.at.unwrap_or(now);
        let alerts = match &case.of {
            CaseAlert::Labels(labels) => vec![CaseAlert::alert(labels, at)],
            CaseAlert::Event(path, source) => {
                decode_file(&file.parent().unwrap_or(Path::new("")).join(path), source.as_deref(), config, at)
                    .with_context(|| format!("{shown}:{}: {}", case.line, case.name))?
            }
        };
        let wrong: Vec<String> =
            alerts.into_iter().flat_map(|alert| routed(config, alert, at).differs(&case.expect)).collect();
        failed += usize::from(!wrong.is_empty());
        if args.json {
            say(json!({ "case": case.name, "line": case.line, "wrong": wrong }).to_string());
        } else {
            for line in &wrong {
                say(format!("{shown}:{}: {}: {line}", case.line, case.name));
            }
        }
    }
    if !args.json {
        say(format!("{} of {} cases are as expected", cases.len() - failed, cases.len()));
    }
    Ok(if failed == 0 { Answer::Done } else { Answer::No })
}

/// As an alert is taken in: its rules go with it.
fn routed(config: &Config, alert: Alert, at: Timestamp) -> Routed<'_> {
    let item = pipeline::item(config, alert.clone());
    let muted = config.muted(&item.alert, &[], at);
    Routed { route: config.route(&alert), recipients: config.recipients(&item.alert, at), muted, alert }
}

impl Routed<'_> {
    /// Those who are told, now.
    fn told(&self) -> Vec<&str> {
        let told = self.recipients.told.iter().filter(|_| self.muted.is_none());
        told.map(|receiver| receiver.name.as_str()).collect()
    }

    fn withheld(&self) -> Vec<&str> {
        self.recipients.withheld.iter().map(|receiver| receiver.name.as_str()).collect()
    }

    fn also(&self) -> Vec<&str> {
        self.route.also.iter().map(|rule| rule.name.as_str()).collect()
    }

    /// The reason's name, as records have it; `no` where people are told.
    fn muted_name(&self) -> String {
        let name = self.muted.as_ref().and_then(|reason| serde_json::to_value(reason).ok());
        name.and_then(|value| Some(value.get("reason")?.as_str()?.to_owned())).unwrap_or_else(|| "no".to_owned())
    }

    fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.alert, &self.route.rule.group_by)
    }

    /// What tells it apart from the others of its incident, where its rule has children.
    fn child(&self) -> impl Iterator<Item = (&str, &str)> {
        let labels = self.route.rule.children.iter();
        labels.map(|label| (label.as_str(), self.alert.label(label).unwrap_or_default()))
    }

    fn json(&self, config: &Config) -> Value {
        let passed = config.passed_over(&self.alert).into_iter();
        json!({
            "service": self.alert.service,
            "metric": self.alert.metric,
            "severity": self.alert.severity,
            "rule": self.route.rule.name,
            "also": self.also(),
            "phase": self.route.rule.phase,
            "group_by": self.route.rule.group_by,
            "fingerprint": self.fingerprint(),
            "child": (!self.route.rule.children.is_empty()).then(|| self.child().collect::<BTreeMap<_, _>>()),
            "receivers": self.told(),
            "withheld": self.withheld(),
            "muted": self.muted,
            "passed_over": passed
                .map(|(rule, missed)| json!({ "rule": rule.name, "wants": missed.to_string() }))
                .collect::<Vec<_>>(),
        })
    }

    fn lines(&self, config: &Config) -> Vec<String> {
        let list = |names: Vec<&str>| if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
        let rule = self.route.rule;
        let mut lines = vec![
            format!("alert     {} of {}, {}", self.alert.metric, self.alert.service, self.alert.severity),
            format!("rule      {} (phase {})", rule.name, rule.phase.as_str()),
        ];
        for (passed, missed) in config.passed_over(&self.alert) {
            let own = self.alert.label(&missed.label).unwrap_or("not there");
            lines.push(format!("  not {}: it wants {missed}, and {} is {own}", passed.name, missed.label));
        }
        if !self.route.also.is_empty() {
            lines.push(format!("also      {}", self.also().join(", ")));
        }
        lines.push(format!("group_by  {} ({})", rule.group_by.join(", "), self.fingerprint()));
        if !rule.children.is_empty() {
            let own: Vec<String> = self.child().map(|(label, value)| format!("{label}={value}")).collect();
            lines.push(format!(
                "child     {}: one of the incident's, which is over when none of them fires",
                own.join(", ")
            ));
        }
        lines.push(format!("told      {}", list(self.told())));
        if !self.recipients.withheld.is_empty() {
            lines.push(format!("withheld  {}, by phase or hours", self.withheld().join(", ")));
        }
        if let Some(reason) = &self.muted {
            lines.push(format!("muted     {}", reason.explain()));
        }
        lines
    }

    /// What is not as expected, a line each.
    fn differs(&self, expected: &Expected) -> Vec<String> {
        let mut differs = Vec::new();
        let mut compare = |what: &str, is: String, should: Option<String>| {
            if let Some(should) = should.filter(|should| *should != is) {
                differs.push(format!("{what} is {is}, not {should}"));
            }
        };
        let sorted = |names: &[&str]| {
            let mut names = names.to_vec();
            names.sort_unstable();
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        };
        let names = |list: &Option<Vec<String>>| {
            list.as_ref()
                .map(|list| sorted(&list.iter().map(String::as_str).filter(|name| *name != "none").collect::<Vec<_>>()))
        };
        compare("the rule", self.route.rule.name.clone(), expected.rule.clone());
        compare("what follows it", sorted(&self.also()), names(&expected.also));
        compare("the phase", self.route.rule.phase.as_str().to_owned(), expected.phase.clone());
        compare("who is told", sorted(&self.told()), names(&expected.receivers));
        let muted = match (self.muted_name(), &expected.muted) {
            (name, Some(any)) if any == "yes" && name != "no" => any.clone(),
            (name, _) => name,
        };
        compare("what mutes it", muted, expected.muted.clone());
        differs
    }
}
