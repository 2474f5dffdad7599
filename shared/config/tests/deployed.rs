//! The example config in a deployed function that uses none of its secrets.
//!
//! Invariant: what `infra/template.yaml` puts in the place of a secret passes for any kind of it, so that each function
//! starts; and the construct in `infra/cdk` puts the same there.

use std::collections::BTreeMap;

use tocsin_config::{load, secret_names};

const CONFIG: &str = include_str!("../../../infra/config/tocsin.yaml");
const TEMPLATE: &str = include_str!("../../../infra/template.yaml");
const CONSTRUCT: &str = include_str!("../../../infra/cdk/lib/config.ts");

/// The value of a variable that every function is given.
fn given_to_all(name: &str) -> Option<&'static str> {
    let globals = TEMPLATE.split("\nResources:").next()?;
    globals.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "))
}

#[test]
fn a_function_starts_without_the_secrets_of_others() {
    let names = secret_names(CONFIG);
    assert!(!names.is_empty());
    let environment: BTreeMap<String, String> = names
        .into_iter()
        .map(|name| {
            let value = given_to_all(&name).unwrap_or_default().to_owned();
            assert!(CONSTRUCT.contains(&format!("'{value}'")), "{name} is {value:?} in the template alone");
            (name, value)
        })
        .collect();
    assert_eq!(load(CONFIG, &environment).map(drop), Ok(()));
}
