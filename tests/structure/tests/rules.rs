//! The rules, held against the workspace as it is. A failure names the place and the mend.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use tocsin_structure::{
    Workspace, banned_names, climbs, clock_reads, engines_deployed, impure, long_files, long_roofs, unfinished,
    unopened, unplaced, unshown, without_workspace_lints, wrong_at_top,
};

fn check(rule: impl Fn(&Workspace) -> Vec<String>) {
    let workspace = Workspace::read().expect("cargo tells the members and every file can be read");
    let broken = rule(&workspace);
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn the_whole_workspace_is_looked_at() {
    let workspace = Workspace::read().expect("cargo tells the members and every file can be read");
    let folders: Vec<_> = workspace.packages.iter().map(|package| package.folder.as_str()).collect();
    for folder in ["shared/domain", "shared/embedded", "functions/triage", "tests/structure"] {
        assert!(folders.contains(&folder), "{folder} is missing in {folders:?}");
    }
    let domain = workspace.packages.iter().find(|package| package.folder == "shared/domain").expect("it is there");
    assert!(domain.dependencies.iter().any(|dependency| dependency.package == "serde" && !dependency.only_tests));
    assert!(domain.dependencies.iter().any(|dependency| dependency.package == "proptest" && dependency.only_tests));
    for path in ["shared/domain/src/lib.rs", "tests/structure/tests/rules.rs", "functions/triage/src/main.rs"] {
        assert!(workspace.sources.iter().any(|file| file.path == path), "{path} was not read");
    }
    assert!(workspace.top_level.iter().any(|name| name == "Cargo.toml"));
}

#[test]
fn every_package_stands_on_a_floor() {
    check(|workspace| unplaced(&workspace.packages));
}

#[test]
fn a_crate_imports_only_lower_floors() {
    check(|workspace| climbs(&workspace.packages));
}

#[test]
fn the_embedded_engines_are_in_no_deployed_function() {
    check(|workspace| engines_deployed(&workspace.packages));
}

#[test]
fn the_domain_sources_detectors_and_receivers_are_pure() {
    check(|workspace| impure(&workspace.packages));
}

#[test]
fn every_package_takes_the_workspaces_lints() {
    check(|workspace| without_workspace_lints(&workspace.packages));
}

#[test]
fn the_top_level_holds_only_what_belongs_there() {
    check(|workspace| wrong_at_top(&workspace.top_level));
}

#[test]
fn every_file_opens_with_its_purpose() {
    check(|workspace| unopened(&workspace.sources));
}

#[test]
fn no_name_says_nothing() {
    check(|workspace| banned_names(&workspace.sources));
}

#[test]
fn no_file_is_longer_than_four_hundred_lines() {
    check(|workspace| long_files(&workspace.sources));
}

#[test]
fn a_function_only_wires() {
    check(|workspace| long_roofs(&workspace.sources));
}

#[test]
fn nothing_is_unfinished_or_skipped() {
    check(|workspace| unfinished(&workspace.sources));
}

#[test]
fn every_threat_has_tests_that_are_there() {
    check(|workspace| unshown(&workspace.threats, &workspace.sources));
}

#[test]
fn the_time_is_read_in_the_clock_alone() {
    check(|workspace| clock_reads(&workspace.sources));
}
