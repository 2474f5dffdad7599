//! What a metric is about, told from its name, so that one rule can route every latency or every cost.
//!
//! Invariant: every name has one kind; the first group whose word the name has decides. A label `metric_kind` that a
//! source gives stands in its place, and is one of the same words.

/// Every kind.
pub const METRIC_KINDS: [&str; 9] =
    ["drift", "latency", "errors", "cost", "tokens", "quality", "saturation", "traffic", OTHER];

/// The kind of a name that has no word of any other.
const OTHER: &str = "other";

/// The words of each kind, in the order in which they are looked for: `time_per_output_token` is a latency, and
/// `error_cost` an error.
const WORDS: [(&str, &[&str]); 8] = [
    ("drift", &["drift", "psi", "kl", "js", "ks", "divergence"]),
    ("latency", &["latency", "duration", "ttft", "tpot", "itl", "time", "seconds", "p50", "p90", "p95", "p99"]),
    ("errors", &["error", "errors", "failure", "failures", "failed", "exception", "exceptions", "4xx", "429", "5xx"]),
    ("cost", &["cost", "costs", "spend", "price", "usd", "eur", "budget"]),
    ("tokens", &["token", "tokens"]),
    (
        "quality",
        &[
            "hallucination",
            "hallucinations",
            "relevance",
            "relevancy",
            "precision",
            "recall",
            "faithfulness",
            "groundedness",
            "accuracy",
            "correctness",
            "toxicity",
            "score",
            "quality",
            "thumbs",
            "feedback",
            "rating",
            "deflection",
            "f1",
        ],
    ),
    ("saturation", &["queue", "waiting", "cache", "gpu", "cpu", "memory", "utilization", "usage", "saturation"]),
    ("traffic", &["requests", "request", "qps", "rps", "throughput", "volume", "count", "rate", "length"]),
];

/// The kind of a metric: drift, latency, errors, cost, tokens, quality, saturation, traffic or other.
#[must_use]
pub fn metric_kind(metric: &str) -> &'static str {
    let metric = metric.to_ascii_lowercase();
    let words: Vec<&str> = metric.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    let found = WORDS.into_iter().find(|(_, known)| words.iter().any(|word| known.contains(word)));
    found.map_or(OTHER, |(kind, _)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_group_of_words_is_a_kind() {
        assert_eq!(WORDS.map(|(kind, _)| kind), METRIC_KINDS[..WORDS.len()]);
    }

    #[test]
    fn names_that_llm_services_use_have_the_kind_that_people_expect() {
        for (metric, kind) in [
            ("latency_p95", "latency"),
            ("vllm:e2e_request_latency_seconds", "latency"),
            ("time_per_output_token", "latency"),
            ("ttft", "latency"),
            ("error_rate", "errors"),
            ("http_5xx", "errors"),
            ("cost_per_request", "cost"),
            ("tokens_per_user", "tokens"),
            ("prompt-token-count", "tokens"),
            ("embedding.drift", "drift"),
            ("psi", "drift"),
            ("Hallucination Rate", "quality"),
            ("thumbs_down_rate", "quality"),
            ("num_requests_waiting", "saturation"),
            ("requests", "traffic"),
            ("tokenizer", "other"),
            ("", "other"),
        ] {
            assert_eq!(metric_kind(metric), kind, "{metric}");
        }
    }
}
