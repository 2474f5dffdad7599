//! Datadog's query text: is it whole, and are its placeholders tag values?
//!
//! Invariant: a placeholder stands behind a `tag:` inside braces. Datadog's text has no escape, so what fills it in is
//! checked character by character; anywhere else even harmless characters could change the query.
//! Source: <https://docs.datadoghq.com/metrics/advanced-filtering/>.

use super::{Flaw, placeholder};

/// The labels that placeholders name.
pub(super) fn scan(text: &str) -> Result<Vec<String>, Flaw> {
    let mut labels = Vec::new();
    let mut open: Vec<char> = Vec::new();
    let mut in_tag_value = false;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '{' if rest.as_str().starts_with('{') => {
                if !in_tag_value || !open.contains(&'{') {
                    return Err(("a placeholder stands outside a tag's value".to_owned(), "write {tag:{{label}}}"));
                }
                labels.push(placeholder(&mut rest)?);
            }
            '(' | '{' | '[' => {
                open.push(c);
                in_tag_value = false;
            }
            ')' | '}' | ']' => {
                if open.pop() != Some(opening(c)) {
                    return Err((format!("`{c}` closes nothing"), "give each bracket its other one"));
                }
                in_tag_value = false;
            }
            '$' => return Err(("`$` is for dashboards".to_owned(), "write tags and their values out")),
            ':' => in_tag_value = true,
            c if c == ',' || c.is_whitespace() => in_tag_value = false,
            _ => {}
        }
    }
    match open.last() {
        Some(c) => Err((format!("`{c}` is not closed"), "give each bracket its other one")),
        None => Ok(labels),
    }
}

fn opening(closing: char) -> char {
    match closing {
        ')' => '(',
        ']' => '[',
        _ => '{',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_whole_and_their_placeholders_are_tag_values() {
        for (text, expected) in [
            ("avg:trace.llm.duration{*}", Ok(vec![])),
            ("p95:llm.duration{service:{{service}},model:{{model}}}", Ok(vec!["service", "model"])),
            ("avg:x{env:prod AND (service:{{service}} OR !model:a)} by {env}", Ok(vec!["service"])),
            ("avg:x{service:{{service}}-api*}.rollup(avg, 60)", Ok(vec!["service"])),
            ("sum:a{s:{{service}}}.as_count() / sum:b{s:{{service}}}.as_count()", Ok(vec!["service", "service"])),
            ("{{service}}", Err("a placeholder stands outside a tag's value")),
            ("avg:{{metric}}{*}", Err("a placeholder stands outside a tag's value")),
            ("avg:x{{{model}}}", Err("a placeholder stands outside a tag's value")),
            ("avg:x{ {{model}}:a}", Err("a placeholder stands outside a tag's value")),
            ("avg:x{a:b, {{model}}}", Err("a placeholder stands outside a tag's value")),
            ("avg:x{a:b} by { {{model}} }", Err("a placeholder stands outside a tag's value")),
            ("avg:x{a:b}.rollup({{model}})", Err("a placeholder stands outside a tag's value")),
            ("avg:x{m:{{ model }}}", Err("a placeholder is not written as {{label}}")),
            ("avg:x{m:{{model}", Err("a placeholder is not written as {{label}}")),
            ("avg:x{a:b", Err("`{` is not closed")),
            ("avg:x{a:b}}", Err("`}` closes nothing")),
            ("avg:x{a:(b}", Err("`}` closes nothing")),
            ("avg:x{$env}", Err("`$` is for dashboards")),
        ] {
            let found = scan(text).map_err(|(what, _)| what);
            let expected = expected.map(|l: Vec<&str>| l.into_iter().map(str::to_owned).collect());
            assert_eq!(found, expected.map_err(str::to_owned), "{text}");
        }
    }
}
