//! Who may import whom.
//!
//! Invariant: a crate's own code imports only crates of lower floors; siblings never import each other. Tests of a crate
//! (its dev-dependencies) may reach anywhere.

use std::collections::BTreeSet;

use crate::Package;

const EMBEDDED: &str = "tocsin-embedded";

/// All that `domain` may use: text, time, hashes, and the traits they share.
const DOMAIN_USES: [&str; 7] = ["hex", "jiff", "regex-lite", "serde", "serde_json", "sha2", "thiserror"];

/// What does I/O or waits; a crate that is pure has none of them. A trailing `-` stands for every name so begun.
const IMPURE: [&str; 9] = ["aws-", "axum", "hyper", "lambda_", "octocrab", "reqwest", "tokio", "tracing-", "rustls"];

/// The floor of a folder. Functions stand beside each other below the command, which is all of them in one process;
/// the stand-ins stand beside the functions, since the command shows them.
fn floor(folder: &str) -> Option<u8> {
    match folder {
        "shared/domain" => Some(1),
        "shared/sources" | "shared/detectors" | "shared/receivers" => Some(2),
        "shared/config" => Some(3),
        "shared/pipeline" => Some(4),
        "shared/aws" | "shared/web" | "shared/embedded" => Some(5),
        "tests/stand_ins" => Some(6),
        "functions/tocsin" => Some(7),
        _ if folder.starts_with("functions/") => Some(6),
        _ if folder.starts_with("tests/") => Some(8),
        _ => None,
    }
}

/// Packages that stand on no floor.
#[must_use]
pub fn unplaced(packages: &[Package]) -> Vec<String> {
    packages
        .iter()
        .filter(|package| floor(&package.folder).is_none())
        .map(|package| {
            format!(
                "{}/Cargo.toml: stands on no floor; give it one in tests/structure/src/floors.rs, or move it into a \
                 crate that has one",
                package.folder
            )
        })
        .collect()
}

/// Dependencies on the same floor or a higher one.
#[must_use]
pub fn climbs(packages: &[Package]) -> Vec<String> {
    let mut broken = Vec::new();
    for package in packages {
        for used in own(package).filter_map(|name| packages.iter().find(|other| other.name == name)) {
            if floor(&used.folder) >= floor(&package.folder) {
                broken.push(format!(
                    "{}/Cargo.toml: imports {}, which is no lower floor; move what both need down, or pass it in",
                    package.folder, used.folder
                ));
            }
        }
    }
    broken
}

/// Deployed functions that carry the embedded engines, and other crates than `shared/embedded` that use an engine.
#[must_use]
pub fn engines_deployed(packages: &[Package]) -> Vec<String> {
    let mut broken = Vec::new();
    for package in packages {
        let deployed = package.folder.starts_with("functions/") && package.folder != "functions/tocsin";
        if deployed && reachable(packages, package).contains(EMBEDDED) {
            broken.push(format!(
                "{}/Cargo.toml: carries {EMBEDDED}, which is for the command and for tests; make it a dev-dependency \
                 of the crate that brings it",
                package.folder
            ));
        }
        let engine = own(package).find(|name| *name == "dynoxide-rs" || name.starts_with("rustack-"));
        if let Some(engine) = engine.filter(|_| package.name != EMBEDDED) {
            broken.push(format!("{}/Cargo.toml: uses {engine}; only {EMBEDDED} may, use that", package.folder));
        }
    }
    broken
}

/// Pure crates (floors 1 and 2) that use what does I/O, and `domain` where it uses more than it is allowed.
#[must_use]
pub fn impure(packages: &[Package]) -> Vec<String> {
    let mut broken = Vec::new();
    for package in packages.iter().filter(|package| floor(&package.folder).is_some_and(|floor| floor <= 2)) {
        let domain = package.folder == "shared/domain";
        for used in own(package) {
            if does_io(used) || (domain && !DOMAIN_USES.contains(&used)) {
                broken.push(format!(
                    "{}/Cargo.toml: uses {used}, but this crate is pure; put what needs it into pipeline, aws or web",
                    package.folder
                ));
            }
        }
    }
    broken
}

fn does_io(name: &str) -> bool {
    IMPURE.iter().any(|known| if known.ends_with(['-', '_']) { name.starts_with(known) } else { name == *known })
}

/// What the package's own code imports.
fn own(package: &Package) -> impl Iterator<Item = &str> {
    let own = package.dependencies.iter().filter(|dependency| !dependency.only_tests);
    own.map(|dependency| dependency.package.as_str())
}

/// Every name in the tree below a package, as far as it goes through our own packages.
fn reachable<'a>(packages: &'a [Package], from: &'a Package) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut next = vec![from];
    while let Some(package) = next.pop() {
        for name in own(package) {
            if found.insert(name) {
                next.extend(packages.iter().find(|other| other.name == name));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dependency;

    fn package(name: &str, folder: &str, uses: &[&str]) -> Package {
        let dependency = |name: &&str| Dependency { package: (*name).to_owned(), only_tests: false };
        Package {
            name: name.to_owned(),
            folder: folder.to_owned(),
            dependencies: uses.iter().map(dependency).collect(),
            manifest: String::new(),
        }
    }

    fn for_tests(mut package: Package) -> Package {
        package.dependencies.iter_mut().for_each(|dependency| dependency.only_tests = true);
        package
    }

    fn check(broken: &[String], expected: &[&str]) {
        assert_eq!(broken.len(), expected.len(), "{broken:#?}");
        for (found, start) in broken.iter().zip(expected) {
            assert!(found.starts_with(start), "{found}");
        }
    }

    #[test]
    fn a_lower_floor_is_allowed_a_sibling_and_a_higher_floor_are_not() {
        let packages = [
            package("tocsin-domain", "shared/domain", &["tocsin-config"]),
            package("tocsin-sources", "shared/sources", &["tocsin-domain", "tocsin-detectors"]),
            package("tocsin-detectors", "shared/detectors", &["tocsin-domain"]),
            package("tocsin-config", "shared/config", &["tocsin-sources"]),
            package("triage", "functions/triage", &["receive", "tocsin-config"]),
            package("receive", "functions/receive", &[]),
            package("tocsin", "functions/tocsin", &["receive", "triage"]),
        ];
        let expected = [
            "shared/domain/Cargo.toml: imports shared/config,",
            "shared/sources/Cargo.toml: imports shared/detectors,",
            "functions/triage/Cargo.toml: imports functions/receive,",
        ];
        check(&climbs(&packages), &expected);
    }

    #[test]
    fn a_crates_own_tests_may_reach_anywhere() {
        let packages = [
            for_tests(package("tocsin-aws", "shared/aws", &["tocsin-embedded", "tokio"])),
            for_tests(package("tocsin-domain", "shared/domain", &["proptest", "tokio"])),
            package("tocsin-embedded", "shared/embedded", &["dynoxide-rs"]),
            package("deliver", "functions/deliver", &["tocsin-aws"]),
        ];
        check(&climbs(&packages), &[]);
        check(&impure(&packages), &[]);
        check(&engines_deployed(&packages), &[]);
    }

    #[test]
    fn a_folder_nobody_placed_is_named() {
        let packages = [package("tocsin-extra", "shared/extra", &[]), package("digest", "functions/digest", &[])];
        check(&unplaced(&packages), &["shared/extra/Cargo.toml: stands on no floor;"]);
    }

    #[test]
    fn an_engine_behind_two_crates_is_found_and_the_command_may_have_it() {
        let packages = [
            package("deliver", "functions/deliver", &["tocsin-aws"]),
            package("tocsin", "functions/tocsin", &["tocsin-aws"]),
            package("tocsin-aws", "shared/aws", &["tocsin-embedded"]),
            package("tocsin-embedded", "shared/embedded", &["dynoxide-rs", "rustack-sqs-core"]),
            package("tocsin-web", "shared/web", &["rustack-sqs-core"]),
        ];
        let expected =
            ["functions/deliver/Cargo.toml: carries tocsin-embedded,", "shared/web/Cargo.toml: uses rustack-sqs-core;"];
        check(&engines_deployed(&packages), &expected);
    }

    #[test]
    fn a_pure_crate_does_no_io_and_domain_uses_only_what_it_may() {
        let packages = [
            package("tocsin-domain", "shared/domain", &["serde", "uuid", "tokio"]),
            package("tocsin-receivers", "shared/receivers", &["uuid", "reqwest", "aws-sdk-sqs"]),
            package("tocsin-web", "shared/web", &["reqwest"]),
        ];
        let expected = [
            "shared/domain/Cargo.toml: uses uuid,",
            "shared/domain/Cargo.toml: uses tokio,",
            "shared/receivers/Cargo.toml: uses reqwest,",
            "shared/receivers/Cargo.toml: uses aws-sdk-sqs,",
        ];
        check(&impure(&packages), &expected);
    }
}
