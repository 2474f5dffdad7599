//! The config's JSON Schema, for editors: which fields there are, of which form, and what they are for.
//!
//! Invariant: a field that the reader does not know is refused, and every one that it knows is here: a test compares the
//! two. What a form alone cannot say, `tocsin check` says.

mod mutes;
mod receivers;
mod rules;
mod types;

use serde_json::{Value, json};
use sources::{Auth, Field, Kind};

use self::types::{address, duration, list, map, object, one_of, one_or_more, required, secret, secrets, text, words};

/// The schema as `infra/config/tocsin.schema.json` has it.
#[must_use]
pub fn schema() -> Value {
    let mut schema = object(&[
        ("sources", map(source()), "Who may raise alerts, by the name in POST /alerts/<name>."),
        (
            "arize_api",
            arize_api(),
            "Arize's REST API: fills what a webhook lacked, and finds webhooks that never came.",
        ),
        ("prometheus", prometheus(), "Where rules read metrics."),
        ("datadog", datadog(), "Where rules read metrics that say `from: datadog`."),
        ("cloudwatch", cloudwatch(), "Where rules read metrics that say `from: cloudwatch`."),
        ("github", github(), "Where deployments are read."),
        ("services", map(service()), "What is known of each service, by the name that alerts carry."),
        ("time_intervals", map(mutes::interval()), "Times of the week or the year, by name."),
        ("rules", list(json!({ "$ref": rules::RULE })), "The first rule that matches decides."),
        ("default", rules::default_rule(), "For every alert that no rule matches."),
        ("receivers", map(receivers::receiver()), "Who is told, by name."),
        ("silences", map(mutes::silence()), "Who is not told for a while."),
        ("maintenance", map(mutes::maintenance()), "Who is not told while there is work on a system."),
        ("inhibit", list(mutes::inhibition()), "Open incidents that explain others."),
        ("fallback", one_or_more(text()), "Who is told in place of a receiver that cannot be."),
        ("deadlines", deadlines(), "How long the steps before a page may take."),
    ]);
    required(&mut schema, &["sources", "default", "receivers"]);
    schema["definitions"] = json!({ "rule": rules::rule() });
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!("Tocsin's config");
    schema
}

fn source() -> Value {
    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    let mut source = object(&[
        ("kind", words(&kinds), "Whose payload it sends; as the source is named, where it is left out."),
        ("auth", auth(), "How it proves who it is."),
        ("mapping", mapping(), "Where its payload holds what, as JSON pointers; over the kind's own."),
    ]);
    required(&mut source, &["auth"]);
    source
}

fn auth() -> Value {
    let kinds: Vec<&str> = Auth::KINDS.iter().copied().filter(|kind| *kind != Auth::SNS).collect();
    let mut by_secret = object(&[
        ("kind", words(&kinds), "The scheme; the kind's usual one, where it is left out."),
        ("secrets", secrets(), "One secret, or two while you rotate."),
    ]);
    required(&mut by_secret, &["secrets"]);
    let mut by_topic = object(&[
        ("kind", words(&[Auth::SNS]), "Amazon SNS signs."),
        ("topics", one_or_more(text()), "ARNs of the topics that may send."),
    ]);
    required(&mut by_topic, &["topics"]);
    one_of(&[by_secret, by_topic])
}

fn mapping() -> Value {
    let fields = Field::ALL.map(Field::as_str);
    let of_fields = |value: &dyn Fn() -> Value| {
        let named: Vec<(&str, Value, &str)> = fields.iter().map(|field| (*field, value(), "")).collect();
        object(&named)
    };
    object(&[
        ("alerts", text(), "Where the list of alerts is; without it the body is one alert."),
        ("fields", of_fields(&|| one_or_more(text())), "Pointers by field; the first that holds something wins."),
        ("labels", map(one_or_more(text())), "Pointers by label."),
        ("defaults", of_fields(&text), "What a field says when no pointer holds anything."),
        ("firing", one_or_more(text()), "Words that mean firing."),
        ("cleared", one_or_more(text()), "Words that mean cleared."),
    ])
}

fn arize_api() -> Value {
    let mut reconcile = object(&[
        ("webhook", address(), "The address that Arize's monitors notify: https://host/alerts/<source>."),
        ("grace", duration(), "How long a webhook may be on its way."),
    ]);
    required(&mut reconcile, &["webhook"]);
    let mut section = object(&[
        ("base_url", address(), "The REST API's address, where it is another."),
        ("key", secret(), "The API key."),
        ("graphql_url", address(), "Where a monitor's history is read, where it is another."),
        ("graphql_key", secret(), "Its key, where it is another."),
        ("reconcile", reconcile, "Ask, once a minute, for monitors whose webhook never came."),
    ]);
    required(&mut section, &["key"]);
    section
}

fn prometheus() -> Value {
    let mut section = object(&[
        ("url", address(), "/api/v1/query_range is put behind it."),
        ("token", secret(), "A bearer token, if it wants one."),
    ]);
    required(&mut section, &["url"]);
    section
}

fn datadog() -> Value {
    let mut section = object(&[
        ("site", text(), "datadoghq.com, datadoghq.eu, …"),
        ("url", address(), "The API's address, in place of a site."),
        ("api_key", secret(), "An API key."),
        ("app_key", secret(), "An application key with the scope timeseries_query."),
    ]);
    required(&mut section, &["api_key", "app_key"]);
    section
}

fn cloudwatch() -> Value {
    object(&[("region", text(), "Where the metrics are; the environment's region without it.")])
}

fn github() -> Value {
    object(&[
        ("base_url", address(), "GitHub Enterprise's API."),
        ("token", secret(), "May read deployments and contents."),
    ])
}

fn service() -> Value {
    object(&[
        ("repository", text(), "owner/name, where its deployments are recorded."),
        ("environment", text(), "The deployment environment that counts."),
        ("dashboards", list(rules::link()), "Shown with every incident of the service."),
    ])
}

fn deadlines() -> Value {
    object(&[
        ("confirm", duration(), "For reading and judging the metric."),
        ("enrich", duration(), "For deployments and the monitor."),
    ])
}
