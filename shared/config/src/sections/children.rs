//! `children:` – what tells the members of one incident apart.
//!
//! Invariant: no child's label is one that the rule groups by: all children of an incident would have the same.

use super::known::Known;
use super::rule_fields::group_by as labels;
use crate::fields::Fields;
use crate::reader::all;

/// The labels by which children are told apart; none where the rule has none.
pub(super) fn read(fields: &Fields<'_>, group_by: Option<&[String]>, known: &Known) -> Option<Vec<String>> {
    let Some(value) = fields.get("children") else { return Some(Vec::new()) };
    let names = labels(value, known)?;
    all(names.iter().map(|name| {
        if group_by.is_some_and(|grouped| grouped.contains(name)) {
            let what = format!("`{name}` is the same for all children: the rule groups by it");
            return value.fail(what, "name labels that differ within one incident");
        }
        Some(())
    }))?;
    Some(names)
}
