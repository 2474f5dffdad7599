//! The part of JQL that stand-ins understand: `project = X AND labels = "y" AND text ~ "z" ORDER BY created DESC`.
//!
//! Invariant: a query without restriction is refused, and so is whatever is not understood: nothing is guessed.

use serde_json::Value;
use thiserror::Error;

use super::{Issue, adf};

/// Why a query is refused, as Jira says it.
#[derive(Debug, PartialEq, Eq, Error)]
pub(super) enum JqlError {
    #[error("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")]
    Unbounded,
    #[error("Error in the JQL Query: Expecting {expected} but got '{got}'.")]
    Syntax { expected: &'static str, got: String },
    #[error("Field '{0}' does not exist or you do not have permission to view it.")]
    UnknownField(String),
    #[error("The operator '{operator}' is not supported by the '{field}' field.")]
    Operator { field: &'static str, operator: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Clause {
    Project(String),
    Label(String),
    Text(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OrderBy {
    Created,
    Updated,
}

/// A checked query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Jql {
    clauses: Vec<Clause>,
    order: OrderBy,
    ascending: bool,
}

impl Jql {
    pub(super) fn parse(text: &str) -> Result<Self, JqlError> {
        let mut words = Words { left: tokens(text)?.into_iter().peekable() };
        let mut jql = Self { clauses: Vec::new(), order: OrderBy::Created, ascending: false };
        if words.at_end() || words.is_next("order") {
            return Err(JqlError::Unbounded);
        }
        loop {
            jql.clauses.push(words.clause()?);
            if !words.take("and") {
                break;
            }
        }
        if words.take("order") {
            words.expect("by")?;
            jql.order = words.order_field()?;
            jql.ascending = words.take("asc") || !words.take("desc");
        }
        match words.left.next() {
            None => Ok(jql),
            Some(token) => Err(JqlError::Syntax { expected: "'AND' or 'ORDER BY'", got: token.text }),
        }
    }

    pub(super) fn matches(&self, issue: &Issue) -> bool {
        self.clauses.iter().all(|clause| match clause {
            Clause::Project(key) => issue.project().eq_ignore_ascii_case(key),
            Clause::Label(label) => {
                let labels = issue.fields.get("labels").and_then(Value::as_array);
                labels.is_some_and(|labels| labels.iter().any(|own| own.as_str() == Some(label)))
            }
            Clause::Text(wanted) => has_words(issue, wanted),
        })
    }

    pub(super) fn sort(&self, issues: &mut [&Issue]) {
        match self.order {
            OrderBy::Created => issues.sort_by_key(|issue| (issue.created_at, issue.id.clone())),
            OrderBy::Updated => issues.sort_by_key(|issue| (issue.updated_at, issue.id.clone())),
        }
        if !self.ascending {
            issues.reverse();
        }
    }
}

/// Jira's text search is by words: all of them, anywhere; side by side where the query holds quotes.
fn has_words(issue: &Issue, wanted: &str) -> bool {
    let description = issue.fields.get("description").map(adf::text).unwrap_or_default();
    let comments = issue.comments.iter().map(|comment| adf::text(&comment.body));
    let text: Vec<String> = [issue.text("summary").to_owned(), description].into_iter().chain(comments).collect();
    let have = split_words(&text.join(" "));
    let want = split_words(wanted);
    if wanted.contains('"') {
        return !want.is_empty() && have.windows(want.len()).any(|window| window == want);
    }
    !want.is_empty() && want.iter().all(|word| have.contains(word))
}

fn split_words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

#[derive(Debug)]
struct Token {
    text: String,
    quoted: bool,
}

fn tokens(text: &str) -> Result<Vec<Token>, JqlError> {
    let mut found = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(first) = chars.next() {
        if first.is_whitespace() {
            continue;
        }
        let mut token = Token { text: String::new(), quoted: matches!(first, '"' | '\'') };
        if token.quoted {
            loop {
                match chars.next() {
                    None => return Err(JqlError::Syntax { expected: "a closing quote", got: token.text }),
                    Some('\\') => token.text.extend(chars.next()),
                    Some(quote) if quote == first => break,
                    Some(other) => token.text.push(other),
                }
            }
        } else {
            let is_operator = |c: char| "=~!<>".contains(c);
            token.text.push(first);
            let like_first =
                |c: &char| !c.is_whitespace() && *c != '"' && *c != '\'' && is_operator(*c) == is_operator(first);
            while let Some(next) = chars.next_if(like_first) {
                token.text.push(next);
            }
        }
        found.push(token);
    }
    Ok(found)
}

struct Words {
    left: std::iter::Peekable<std::vec::IntoIter<Token>>,
}

impl Words {
    fn at_end(&mut self) -> bool {
        self.left.peek().is_none()
    }

    fn is_next(&mut self, keyword: &str) -> bool {
        self.left.peek().is_some_and(|token| !token.quoted && token.text.eq_ignore_ascii_case(keyword))
    }

    fn take(&mut self, keyword: &str) -> bool {
        let there = self.is_next(keyword);
        if there {
            self.left.next();
        }
        there
    }

    fn expect(&mut self, keyword: &'static str) -> Result<(), JqlError> {
        if self.take(keyword) { Ok(()) } else { Err(self.unexpected(keyword)) }
    }

    fn unexpected(&mut self, expected: &'static str) -> JqlError {
        let got = self.left.next().map_or_else(|| "the end".to_owned(), |token| token.text);
        JqlError::Syntax { expected, got }
    }

    fn clause(&mut self) -> Result<Clause, JqlError> {
        let Some(field) = self.left.next() else {
            return Err(self.unexpected("a field"));
        };
        let field = field.text.to_ascii_lowercase();
        let (name, wanted, clause): (_, _, fn(String) -> Clause) = match field.as_str() {
            "project" => ("project", "=", Clause::Project),
            "labels" => ("labels", "=", Clause::Label),
            "text" => ("text", "~", Clause::Text),
            _ => return Err(JqlError::UnknownField(field)),
        };
        let Some(operator) = self.left.next() else {
            return Err(self.unexpected("an operator"));
        };
        if operator.text != wanted {
            return Err(JqlError::Operator { field: name, operator: operator.text });
        }
        match self.left.next() {
            Some(value) if !value.text.is_empty() => Ok(clause(value.text)),
            _ => Err(JqlError::Syntax { expected: "a value", got: String::new() }),
        }
    }

    fn order_field(&mut self) -> Result<OrderBy, JqlError> {
        if self.take("created") || self.take("key") {
            return Ok(OrderBy::Created);
        }
        if self.take("updated") { Ok(OrderBy::Updated) } else { Err(self.unexpected("a field to order by")) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Clause, Jql, JqlError, OrderBy};

    #[test]
    fn a_bounded_query_is_read() {
        let jql = Jql::parse(r#"project = "OPS" AND labels="tocsin-1" and text ~ "\"a b\"" ORDER BY updated ASC"#);
        let clauses = vec![
            Clause::Project("OPS".to_owned()),
            Clause::Label("tocsin-1".to_owned()),
            Clause::Text("\"a b\"".to_owned()),
        ];
        assert_eq!(jql, Ok(Jql { clauses, order: OrderBy::Updated, ascending: true }));
    }

    #[test]
    fn what_is_unbounded_or_not_understood_is_refused() {
        assert_eq!(Jql::parse(""), Err(JqlError::Unbounded));
        assert_eq!(Jql::parse("ORDER BY created DESC"), Err(JqlError::Unbounded));
        assert_eq!(Jql::parse("colour = red"), Err(JqlError::UnknownField("colour".to_owned())));
        for wrong in [
            "project",
            "project =",
            "project ~ OPS",
            "text = x",
            r#"labels = "x"#,
            "project = OPS OR labels = x",
            "project = OPS AND",
            "project = OPS ORDER",
            "project = OPS ORDER BY colour",
            r#"labels = """#,
        ] {
            assert!(Jql::parse(wrong).is_err(), "{wrong}");
        }
    }
}
