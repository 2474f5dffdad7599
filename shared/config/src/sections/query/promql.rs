//! A `PromQL` template: is it whole, and are its placeholders labels?
//!
//! Invariant: a placeholder stands inside double quotes, where a label's value can be escaped, and nothing there is a
//! pattern or undoes the escape; anywhere else an alert could change the query.

use super::{Flaw, placeholder};

/// The labels that placeholders name.
pub(super) fn scan(text: &str) -> Result<Vec<String>, Flaw> {
    let mut labels = Vec::new();
    let mut open: Vec<char> = Vec::new();
    let mut rest = text.chars();
    // The two characters before, space and comments left out: an operator, maybe.
    let mut before = ['\0'; 2];
    while let Some(c) = rest.next() {
        match c {
            '"' | '\'' | '`' => {
                let found = scan_text(c, &mut rest)?;
                if !found.is_empty() && matches!(before, ['=' | '!', '~']) {
                    return Err(("a placeholder stands in a pattern, after =~ or !~".to_owned(), "use = or !="));
                }
                labels.extend(found);
            }
            '#' => scan_comment(&mut rest)?,
            '{' if rest.as_str().starts_with('{') => {
                return Err(("a placeholder stands outside double quotes".to_owned(), "write \"{{label}}\""));
            }
            '(' | '[' | '{' => open.push(c),
            ')' | ']' | '}' if open.pop() != Some(opening(c)) => {
                return Err((format!("`{c}` closes nothing"), "give each bracket its other one"));
            }
            '$' => return Err(("`$` is no PromQL".to_owned(), "write durations and labels out, without variables")),
            _ => {}
        }
        if !c.is_whitespace() && c != '#' {
            before = [before[1], c];
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

/// Reads a comment up to its line's end. Placeholders are filled in before `PromQL` is read, so in a comment too.
fn scan_comment(rest: &mut std::str::Chars<'_>) -> Result<(), Flaw> {
    let comment = rest.as_str().split(['\n', '\r']).next().unwrap_or_default();
    if comment.contains("{{") {
        return Err(("a placeholder stands in a comment".to_owned(), "remove it there"));
    }
    *rest = rest.as_str()[comment.len()..].chars();
    Ok(())
}

/// Reads a quoted text up to its end.
fn scan_text(quote: char, rest: &mut std::str::Chars<'_>) -> Result<Vec<String>, Flaw> {
    let mut labels = Vec::new();
    while let Some(c) = rest.next() {
        if c == quote {
            return Ok(labels);
        }
        if c == '\\' && rest.as_str().trim_start_matches('\\').starts_with("{{") {
            return Err(("a backslash stands before a placeholder".to_owned(), "remove the backslash"));
        }
        if c == '\\' && quote != '`' {
            rest.next();
        }
        if c == '{' && rest.as_str().starts_with('{') {
            if quote != '"' {
                return Err((format!("a placeholder stands inside {quote}"), "write \"{{label}}\""));
            }
            labels.push(placeholder(rest)?);
        }
    }
    Err((format!("{quote} is not closed"), "give each quote its other one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_whole_and_their_placeholders_quoted() {
        for (text, expected) in [
            ("up", Ok(vec![])),
            (r#"sum(rate(x{m="{{model}}",e!="{{endpoint}}.",j=~"a.*"}[5m]))"#, Ok(vec!["model", "endpoint"])),
            (r#"x{a="}{)(["} # ) {"#, Ok(vec![])),
            (r#"x{j=~"a", m="{{model}}"}"#, Ok(vec!["model"])),
            (r#"x{a="\"{{model}}"}"#, Ok(vec!["model"])),
            (r"x{a='it\'s'}", Ok(vec![])),
            (r"x{a=`\`}", Ok(vec![])),
            ("x # )\n + y", Ok(vec![])),
            ("x # )\r + y", Ok(vec![])),
            ("x # )\r + (y", Err("`(` is not closed")),
            ("# {{ note\nx", Err("a placeholder stands in a comment")),
            ("x # {{model}}", Err("a placeholder stands in a comment")),
            (r#"x{e=~"{{endpoint}}.*"}"#, Err("a placeholder stands in a pattern, after =~ or !~")),
            (r#"x{e!~"{{endpoint}}"}"#, Err("a placeholder stands in a pattern, after =~ or !~")),
            ("x{e=~ # why\n \"a{{endpoint}}\"}", Err("a placeholder stands in a pattern, after =~ or !~")),
            (r#"x{a="\{{model}}"}"#, Err("a backslash stands before a placeholder")),
            (r#"x{a="\\{{model}}"}"#, Err("a backslash stands before a placeholder")),
            (r#"x{a="\\\{{model}}"}"#, Err("a backslash stands before a placeholder")),
            (r"x{a='\{{model}}'}", Err("a backslash stands before a placeholder")),
            (r"x{a=`\{{model}}`}", Err("a backslash stands before a placeholder")),
            (r#"x{a="\n{{model}}"}"#, Ok(vec!["model"])),
            ("sum(x", Err("`(` is not closed")),
            ("sum(x))", Err("`)` closes nothing")),
            ("sum(x[5m)]", Err("`)` closes nothing")),
            ("x{a=\"b}", Err("\" is not closed")),
            ("{{metric}}", Err("a placeholder stands outside double quotes")),
            ("x{a='{{model}}'}", Err("a placeholder stands inside '")),
            (r#"x{a="{{ model }}"}"#, Err("a placeholder is not written as {{label}}")),
            (r#"x{a="{{}}"}"#, Err("a placeholder is not written as {{label}}")),
            (r#"x{a="{{model"}"#, Err("a placeholder is not written as {{label}}")),
            (r#"x{a="{{model}"}"#, Err("a placeholder is not written as {{label}}")),
            ("rate(x[$__rate_interval])", Err("`$` is no PromQL")),
        ] {
            let found = scan(text).map_err(|(what, _)| what);
            assert_eq!(
                found,
                expected.map(|l| l.into_iter().map(str::to_owned).collect()).map_err(str::to_owned),
                "{text}"
            );
        }
    }
}
