//! Pages of a list, and the `Link` header between them.
//!
//! Invariant: a page has at most 100 items; `Link` names only pages that exist.

use std::collections::BTreeMap;

use axum::http::HeaderValue;
use axum::http::header::LINK;
use axum::response::{IntoResponse, Json, Response};
use serde_json::Value;

/// Items a page, where the request does not say.
const PER_PAGE_DEFAULT: usize = 30;
/// Most items a page.
const PER_PAGE_MAX: usize = 100;
/// Commits of a comparison that is not paged.
const COMPARISON_COMMITS_MAX: usize = 250;

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) number: usize,
    pub(super) per_page: usize,
}

impl Page {
    pub(super) fn read(query: &BTreeMap<String, String>) -> Self {
        let number = |name: &str| query.get(name).and_then(|text| text.parse::<usize>().ok());
        let per_page = number("per_page").filter(|wanted| *wanted > 0).unwrap_or(PER_PAGE_DEFAULT);
        Self { number: number("page").unwrap_or(1).max(1), per_page: per_page.min(PER_PAGE_MAX) }
    }

    pub(super) fn read_comparison(query: &BTreeMap<String, String>) -> Self {
        if query.contains_key("page") || query.contains_key("per_page") {
            return Self::read(query);
        }
        Self { number: 1, per_page: COMPARISON_COMMITS_MAX }
    }

    pub(super) fn of<'a, T>(&self, items: &'a [T]) -> impl Iterator<Item = &'a T> {
        items.iter().skip((self.number - 1).saturating_mul(self.per_page)).take(self.per_page)
    }

    /// The page as an array, with its `Link` header where there is more than one.
    pub(super) fn answer<T>(
        &self,
        path: &str,
        query: &BTreeMap<String, String>,
        items: &[T],
        show: impl Fn(&T) -> Value,
    ) -> Response {
        let shown: Vec<Value> = self.of(items).map(show).collect();
        let mut response = Json(shown).into_response();
        let link = self.link(path, query, items.len().div_ceil(self.per_page).max(1));
        if let Ok(link) = HeaderValue::try_from(link)
            && !link.is_empty()
        {
            response.headers_mut().insert(LINK, link);
        }
        response
    }

    fn link(&self, path: &str, query: &BTreeMap<String, String>, last: usize) -> String {
        let kept = query.iter().filter(|(name, _)| *name != "page" && *name != "per_page");
        let kept = kept.fold(String::new(), |kept, (name, value)| kept + name + "=" + value + "&");
        let to = |number: usize, rel: &str| {
            format!("<{path}?{kept}per_page={}&page={number}>; rel=\"{rel}\"", self.per_page)
        };
        let mut links = Vec::new();
        if self.number > 1 {
            links.extend([to(self.number - 1, "prev"), to(1, "first")]);
        }
        if self.number < last {
            links.extend([to(self.number + 1, "next"), to(last, "last")]);
        }
        links.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Page;

    #[test]
    fn pages_are_bounded_and_begin_with_one() {
        let read = |pairs: &[(&str, &str)]| {
            let query: BTreeMap<String, String> = pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
            let page = Page::read(&query);
            (page.number, page.per_page)
        };
        assert_eq!(read(&[]), (1, 30));
        assert_eq!(read(&[("per_page", "100"), ("page", "0")]), (1, 100));
        assert_eq!(read(&[("per_page", "101"), ("page", "x")]), (1, 100));
        assert_eq!(read(&[("per_page", "0")]), (1, 30));
    }
}
