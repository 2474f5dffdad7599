//! Which metric source a rule asks, in which form, and what it is told where it is wrong.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use secrecy::ExposeSecret;
use tocsin_config::{Config, Confirm, MetricSource, Mistake, Query, load, secret_names};

/// A value that serves as any secret.
const SECRET: &str = "dG9jc2luIGxvY2FsIHNlY3JldCBvbmx5";

const PROMETHEUS: &str = "prometheus: { url: \"https://prometheus.example.com\" }\n";
const DATADOG: &str = "datadog: { site: datadoghq.eu, api_key: \"${DD_API_KEY}\", app_key: \"${DD_APP_KEY}\" }\n";
const CLOUDWATCH: &str = "cloudwatch: { region: eu-central-1 }\n";
const ARIZE: &str = "arize_api: { key: \"${ARIZE_API_KEY}\" }\n";

const DATADOG_QUERY: &str = "query: 'avg:llm.duration{model:{{model}}}'";
const CLOUDWATCH_QUERY: &str = "query: { namespace: AWS/SageMaker, metric: ModelLatency, stat: p95, dimensions: { EndpointName: \"{{endpoint}}\" } }";
const ARIZE_QUERY: &str = "query: { space: U3BhY2U6MQ==, model: \"{{model}}\", monitor: p95 }";

/// With these sections and this in `confirm:`.
fn text(sections: &str, confirm: &str) -> String {
    format!(
        "sources:\n  arize: {{ auth: {{ kind: bearer, secrets: [ \"${{ARIZE}}\" ] }} }}\n{sections}\
         default:\n  confirm: {{ {confirm}, detectors: [iqr] }}\n  receivers: [team]\n\
         receivers:\n  team: {{ kind: slack, token: \"${{SLACK}}\", channel: C0AIOPS001 }}\n"
    )
}

fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, Vec<Mistake>> {
    let mut environment: BTreeMap<String, String> =
        secret_names(text).into_iter().map(|name| (name, SECRET.to_owned())).collect();
    environment.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    load(text, &environment)
}

#[track_caller]
fn confirm(sections: &str, confirm: &str) -> Confirm {
    let config = read(&text(sections, confirm), &[]).unwrap_or_else(|mistakes| panic!("{mistakes:#?}"));
    config.default_rule.confirm.expect("it is there")
}

/// There is exactly one mistake, in that field of `confirm:`, and its text holds the fragment.
#[track_caller]
fn check(sections: &str, confirm: &str, field: &str, fragment: &str) {
    let mistakes = read(&text(sections, confirm), &[]).expect_err("there is a mistake");
    let path = format!("default.confirm{field}");
    let shown = |m: &Mistake| format!("{}; {}", m.what, m.mend);
    assert!(mistakes.len() == 1, "{mistakes:#?}");
    assert!(mistakes[0].path == path && shown(&mistakes[0]).contains(fragment), "{path}, {fragment}: {mistakes:#?}");
    assert!(!mistakes[0].to_string().contains(SECRET));
}

#[test]
fn a_rule_asks_prometheus_or_the_only_one_or_whom_it_names() {
    let asked = |sections: &str, own: &str| confirm(sections, own).query.source();
    let all = [PROMETHEUS, DATADOG, CLOUDWATCH, ARIZE].concat();
    assert_eq!(asked(PROMETHEUS, "query: up"), MetricSource::Prometheus);
    assert_eq!(asked(&all, "query: up"), MetricSource::Prometheus);
    assert_eq!(asked(DATADOG, DATADOG_QUERY), MetricSource::Datadog);
    assert_eq!(asked(CLOUDWATCH, CLOUDWATCH_QUERY), MetricSource::Cloudwatch);
    let hours = format!("{ARIZE_QUERY}, window: 7d, step: 1h, for: 2h");
    assert_eq!(asked(ARIZE, &hours), MetricSource::Arize);
    assert_eq!(asked(&all, &format!("from: arize, {hours}")), MetricSource::Arize);
    assert_eq!(asked(&all, &format!("from: datadog, {DATADOG_QUERY}")), MetricSource::Datadog);
    assert_eq!(asked(&all, &format!("from: cloudwatch, {CLOUDWATCH_QUERY}")), MetricSource::Cloudwatch);
}

#[test]
fn who_is_asked_must_be_there_and_be_clear() {
    check("", "query: up", "", "add one of `prometheus:`, `datadog:`, `cloudwatch:`, `arize_api:`");
    let two = [DATADOG, CLOUDWATCH].concat();
    check(&two, DATADOG_QUERY, ".from", "datadog or cloudwatch");
    check(PROMETHEUS, &format!("from: datadog, {DATADOG_QUERY}"), ".from", "add `datadog:`");
    check(PROMETHEUS, &format!("from: arize, {ARIZE_QUERY}"), ".from", "add `arize_api:`");
    check(PROMETHEUS, "from: promteheus, query: up", ".from", "did you mean `prometheus`");
}

/// A section that cannot be read is there all the same: its rules are not blamed as well.
#[test]
fn a_broken_section_is_one_mistake() {
    let broken = DATADOG.replace("datadoghq.eu", "datadog.eu");
    let mistakes = read(&text(&broken, DATADOG_QUERY), &[]).expect_err("the site");
    assert_eq!(mistakes.iter().map(|m| m.path.as_str()).collect::<Vec<_>>(), ["datadog.site"]);
    assert!(mistakes[0].mend.contains("datadoghq.eu"), "{mistakes:?}");
}

#[test]
fn a_query_has_the_form_of_its_source() {
    check(PROMETHEUS, CLOUDWATCH_QUERY, ".query", "text");
    check(DATADOG, ARIZE_QUERY, ".query", "text");
    check(CLOUDWATCH, "query: up", ".query", "namespace:");
    check(ARIZE, "query: up, window: 7d, step: 1h, for: 2h", ".query", "monitor:");
    check(DATADOG, "query: 'avg:x{{{model}}}'", ".query", "{tag:{{label}}}");
    check(DATADOG, "query: 'avg:x{m:{{modle}}}'", ".query", "did you mean `model`");
    check(DATADOG, &format!("{DATADOG_QUERY}, total_query: 'sum:x{{a:b'"), ".total_query", "not closed");
    check(CLOUDWATCH, &format!("{CLOUDWATCH_QUERY}, total_query: up"), ".total_query", "mapping");
}

#[test]
fn a_cloudwatch_query_names_one_metric() {
    let Query::Cloudwatch(query) = confirm(CLOUDWATCH, CLOUDWATCH_QUERY).query else { panic!("another source") };
    assert_eq!(
        (query.namespace.as_str(), query.metric.as_str(), query.stat.as_str()),
        ("AWS/SageMaker", "ModelLatency", "p95")
    );
    let written = query.dimensions["EndpointName"].fill_in(|label| Ok::<_, ()>(format!("<{label}>")));
    assert_eq!(written.as_deref(), Ok("<endpoint>"));
    let check = |from: &str, to: &str, field: &str, fragment: &str| {
        assert!(CLOUDWATCH_QUERY.contains(from));
        self::check(CLOUDWATCH, &CLOUDWATCH_QUERY.replace(from, to), &format!(".query.{field}"), fragment);
    };
    check("namespace: AWS/SageMaker, ", "", "namespace", "add `namespace:`");
    check("AWS/SageMaker", "\":AWS\"", "namespace", "no colon first");
    check("ModelLatency", "\"{{metric}}\"", "metric", "no placeholder");
    check("p95", "p195", "stat", "p95");
    check("p95", "average", "stat", "did you mean `Average`");
    check("{{endpoint}}", "{{ endpoint }}", "dimensions.EndpointName", "{{label}}");
    check("{{endpoint}}", "{{endpiont}}", "dimensions.EndpointName", "did you mean `endpoint`");
    check("EndpointName:", "\"Énd\":", "dimensions.Énd", "ASCII");
}

#[test]
fn a_step_is_one_that_the_source_has() {
    let cloudwatch = |spans: &str| format!("{CLOUDWATCH_QUERY}, {spans}");
    for fits in
        ["step: 10s, window: 2h", "step: 1m, window: 7d", "step: 5m, window: 30d", "step: 2h, for: 4h, window: 90d"]
    {
        confirm(CLOUDWATCH, &cloudwatch(fits));
    }
    check(CLOUDWATCH, &cloudwatch("step: 15s"), ".step", "no period of 15s");
    check(CLOUDWATCH, &cloudwatch("step: 90s"), ".step", "whole minutes");
    check(CLOUDWATCH, &cloudwatch("step: 10s, window: 3h"), ".step", "for 3h only");
    check(CLOUDWATCH, &cloudwatch("step: 1m, for: 5m, window: 15d"), ".step", "make step a multiple of 5m");
    check(CLOUDWATCH, &cloudwatch("step: 5m, for: 5m, window: 63d"), ".step", "make step a multiple of 1h");
    let arize = |spans: &str| format!("{ARIZE_QUERY}, {spans}");
    confirm(ARIZE, &arize("window: 30d, step: 1d, for: 1d"));
    check(ARIZE, ARIZE_QUERY, ".step", "1h or more");
    check(ARIZE, &arize("window: 7d, step: 30m, for: 2h"), ".step", "finest are hours");
    check(ARIZE, &arize("window: 7d, step: 90m, for: 3h"), ".step", "whole hours");
    let datadog = |spans: &str| format!("{DATADOG_QUERY}, {spans}");
    confirm(DATADOG, &datadog("window: 1d"));
    check(DATADOG, &datadog("window: 2d, step: 1m"), ".step", "more than 1500");
}

#[test]
fn a_target_has_what_the_query_asks_for() {
    let rules = |query: &str| {
        format!(
            "rules:\n  - name: latency\n    match: {{ service: chatbot, metric: latency }}\n    confirm: {{ {query}, detectors: [iqr] }}\n    \
             pull: {{ targets: [ {{}} ] }}\n    receivers: [team]\n"
        )
    };
    for (section, query, label) in [
        (DATADOG, DATADOG_QUERY.to_owned(), "model"),
        (CLOUDWATCH, CLOUDWATCH_QUERY.to_owned(), "endpoint"),
        (ARIZE, format!("{ARIZE_QUERY}, window: 7d, step: 1h, for: 2h"), "model"),
    ] {
        let sections = format!("{section}{}", rules(&query));
        let whole = text(&sections, &query);
        let mistakes = read(&whole, &[]).expect_err("a label is missing");
        assert_eq!((mistakes.len(), mistakes[0].path.as_str()), (1, "rules.latency.pull.targets[0]"), "{mistakes:?}");
        assert!(mistakes[0].to_string().contains(&format!("add `{label}:`")), "{mistakes:?}");
    }
}

#[test]
fn sections_have_their_addresses_and_keys() {
    let section = |sections: &str, variables: &[(&str, &str)]| {
        let whole = text(&[PROMETHEUS, sections].concat(), "query: up");
        read(&whole, variables)
    };
    let datadog = |config: Config| config.datadog.expect("it is there");
    let own = datadog(section(DATADOG, &[]).expect("whole"));
    assert_eq!(own.base_url, "https://api.datadoghq.eu");
    assert_eq!((own.api_key.expose_secret(), own.app_key.expose_secret()), (SECRET, SECRET));
    let plain = DATADOG.replace("site: datadoghq.eu, ", "");
    assert_eq!(datadog(section(&plain, &[]).expect("whole")).base_url, "https://api.datadoghq.com");
    let address = plain.replace("{ api_key", "{ url: \"https://dd.acme.example/\", api_key");
    assert_eq!(datadog(section(&address, &[]).expect("whole")).base_url, "https://dd.acme.example");
    let variable = [("TOCSIN_DATADOG_API_URL", "http://127.0.0.1:9")];
    assert_eq!(datadog(section(DATADOG, &variable).expect("whole")).base_url, "http://127.0.0.1:9");

    let arize = section(&ARIZE.replace("key:", "graphql_key: \"${OTHER}\", key:"), &[]).expect("whole").arize_api;
    let arize = arize.expect("it is there");
    assert_eq!(arize.graphql_url, "https://app.arize.com/graphql");
    assert!(arize.graphql_key.is_some());
    let cloudwatch = |text: &str| section(text, &[]).expect("whole").cloudwatch.expect("it is there").region;
    assert_eq!(cloudwatch(CLOUDWATCH).as_deref(), Some("eu-central-1"));
    assert_eq!(cloudwatch("cloudwatch: {}\n"), None);

    let both = DATADOG.replace("{ site", "{ url: \"https://dd.acme.example\", site");
    for (sections, variables, path) in [
        (both, vec![], "datadog.url"),
        (DATADOG.replace("\"${DD_APP_KEY}\"", "open"), vec![], "datadog.app_key"),
        (DATADOG.replace(", app_key: \"${DD_APP_KEY}\"", ""), vec![], "datadog.app_key"),
        (DATADOG.to_owned(), vec![("TOCSIN_DATADOG_API_URL", "http://dd.acme.example")], "TOCSIN_DATADOG_API_URL"),
        (CLOUDWATCH.replace("eu-central-1", "evil.example/"), vec![], "cloudwatch.region"),
        (CLOUDWATCH.replace("region", "regoin"), vec![], "cloudwatch.regoin"),
        (ARIZE.replace("{ key", "{ graphql_url: \"http://app.arize.example\", key"), vec![], "arize_api.graphql_url"),
    ] {
        let mistakes = section(&sections, &variables).expect_err(path);
        assert_eq!(mistakes.iter().map(|m| m.path.as_str()).collect::<Vec<_>>(), [path], "{mistakes:?}");
        assert!(!mistakes[0].to_string().contains(SECRET));
    }
}
